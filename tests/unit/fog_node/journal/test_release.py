from hypothesis import given
from hypothesis import strategies as st

from fog_node.journal.release import PlanHold, releasable
from fogline.model.gap import Gap


def test_the_slowest_plan_decides() -> None:
    holds = [PlanHold(start=0, committed=9), PlanHold(start=0, committed=4)]
    assert releasable(base=0, end=10, holds=holds) == 4


def test_a_plan_needs_nothing_from_before_its_start() -> None:
    assert releasable(base=0, end=10, holds=[PlanHold(start=6, committed=0)]) == 6


def test_what_a_plan_gave_up_on_disk_may_go() -> None:
    gaps = (Gap(first=4, end=7, reason="expired"), Gap(first=7, end=8, reason="detached"))
    assert releasable(base=0, end=10, holds=[PlanHold(start=0, committed=5, gaps=gaps)]) == 8
    assert releasable(base=0, end=10, holds=[PlanHold(start=0, committed=3, gaps=gaps)]) == 3


def test_what_is_kept_for_a_restored_store_and_for_identity_stays() -> None:
    assert releasable(base=0, end=10, holds=[PlanHold(start=0, committed=9)], keep_from=[6, 7]) == 6
    assert releasable(base=0, end=10, holds=[], keep_from=[6]) == 6


def test_without_plans_everything_may_go() -> None:
    assert releasable(base=2, end=10, holds=[]) == 10


def test_what_is_gone_does_not_come_back() -> None:
    assert releasable(base=5, end=10, holds=[PlanHold(start=0, committed=2)]) == 5


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 12))), st.integers(0, 9))
def test_nothing_is_released_that_a_plan_still_needs(plans: list[tuple[int, int]], base: int) -> None:
    holds = [PlanHold(start=start, committed=committed) for start, committed in plans]
    limit = releasable(base=base, end=10, holds=holds)
    assert base <= limit <= 10
    assert all(limit <= max(base, hold.first_needed) for hold in holds)
