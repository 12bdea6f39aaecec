"""Small configurations, seen whole: safe in every state, and whatever the order, the end is the goal.

`make model STATES=500000` explores the larger ones too, up to so many states each.
"""

import pytest

from tests.model.explorer import explore
from tests.model.setups import LARGE, QUICK


@pytest.mark.parametrize("name", QUICK)
def test_everything_is_counted_once_and_every_order_of_events_ends_there(
    name: str, reports: list[str]
) -> None:
    report = explore(QUICK[name])
    reports.append(f"{name}: {report}")
    assert report.terminates, report


@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", LARGE)
def test_a_larger_configuration_is_safe_as_far_as_it_is_seen(
    name: str, model_states: int, reports: list[str]
) -> None:
    report = explore(LARGE[name], most=model_states)
    reports.append(f"{name}: {report}")
    assert report.safe, report
    assert report.terminates or not report.finished, report
