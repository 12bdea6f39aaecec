"""What a group costs the cloud does not grow with its nodes."""

import sys

from bench.control import measure, measure_all, table


async def test_bytes_and_reports_of_a_group_are_bounded_whatever_its_size() -> None:
    small, large, _, whole = costs = await measure_all(5, sizes=(10, 400))
    sys.stdout.write("\n" + table(costs) + "\n")
    assert large.reports_s <= 16
    assert large.bytes_s < 2 * small.bytes_s, "forty times as many nodes"
    assert whole.bytes_s > 20 * large.bytes_s, "as it was, and is with a parent that takes no sums"


async def test_a_small_group_is_told_as_ever() -> None:
    cost = await measure(5, sums=True, seconds=3)
    assert cost.reports_s == 5
