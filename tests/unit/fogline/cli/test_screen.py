from datetime import UTC, datetime, timedelta

import pytest

from fogline.cli.up.screen import newest_windows
from fogline.client.values import Result, WindowStatus

START = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


def window(number: int, status: WindowStatus, *, zone: str = "a") -> Result:
    start = START + number * timedelta(seconds=5)
    return Result(
        pipeline="lab",
        step="climate",
        window_start=start,
        window_end=start + timedelta(seconds=5),
        key={"zone": zone},
        values={"n": 1},
        status=status,
        have=1,
        expected=1,
        missing=(),
        revision=0,
        change=number,
        readings=1,
    )


@pytest.mark.parametrize(
    ("statuses", "shown"),
    [
        ([WindowStatus.OPEN], 0),
        ([WindowStatus.COMPLETE, WindowStatus.OPEN], 0),
        ([WindowStatus.COMPLETE, WindowStatus.PARTIAL, WindowStatus.OPEN, WindowStatus.OPEN], 1),
        ([WindowStatus.OPEN, WindowStatus.REVISED], 1),
        ([WindowStatus.OPEN, WindowStatus.OPEN], 1),
    ],
)
def test_the_newest_closed_window_of_a_key_is_shown_else_the_newest_open_one(
    statuses: list[WindowStatus], shown: int
) -> None:
    windows = [window(number, status) for number, status in enumerate(statuses)]

    assert list(newest_windows(windows)) == [windows[shown]]


def test_every_key_has_its_own_newest_window() -> None:
    a, b = window(1, WindowStatus.COMPLETE), window(0, WindowStatus.OPEN, zone="b")

    assert list(newest_windows([a, b])) == [a, b]
