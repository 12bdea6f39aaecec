"""Small configurations, seen whole: safe in every state, and whatever the order, the end is the goal.

`MODEL_STATES=500000 pytest tests/model -o log_cli=true` explores the larger ones too, up to so many states
each, and shows what was seen.
"""

import logging
import os

import pytest

from tests.model.explorer import explore
from tests.model.setups import LARGE, QUICK

LOG = logging.getLogger("model")
LOG.setLevel(logging.INFO)
MODEL_STATES = int(os.environ.get("MODEL_STATES", "0"))


@pytest.mark.parametrize("name", QUICK)
def test_everything_is_counted_once_and_every_order_of_events_ends_there(name: str) -> None:
    report = explore(QUICK[name])
    LOG.info("%s: %s", name, report)
    assert report.terminates, report


if MODEL_STATES:

    @pytest.mark.timeout(0)
    @pytest.mark.parametrize("name", LARGE)
    def test_a_larger_configuration_is_safe_as_far_as_it_is_seen(name: str) -> None:
        report = explore(LARGE[name], most=MODEL_STATES)
        LOG.info("%s: %s", name, report)
        assert report.safe, report
        assert report.terminates or not report.finished, report
