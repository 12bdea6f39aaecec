"""Which release is meant by somebody who goes back."""

import pytest

from cloud.planner.history import current, in_order, meant
from cloud.store.releases import PastRow
from fogline.model.errors import Conflict, NotFound

OLD, NEW = "aaaa1111", "bbbb2222"


def past(plan: str, release: int, at: int, wire: bytes | None = None) -> PastRow:
    made = f"{release}".encode() if wire is None else wire
    return PastRow(
        plan=plan, release=release, deployed_us=at, stage="public", content=b"", wire=made, spec="name: p"
    )


HISTORY = [past(OLD, 1, 10), past(NEW, 2, 40), past(OLD, 2, 20), past(NEW, 1, 30)]


def told(to: str, history: list[PastRow] = HISTORY, newest: str = NEW) -> tuple[str, int]:
    found = meant(history, newest, to)
    return found.plan, found.release


def test_the_newest_stands_first() -> None:
    assert [(one.plan, one.release) for one in in_order(HISTORY)] == [(NEW, 2), (NEW, 1), (OLD, 2), (OLD, 1)]
    assert current(HISTORY, NEW) == HISTORY[1]


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("", (NEW, 1)),
        ("1", (NEW, 1)),
        ("2", (NEW, 2)),
        ("aaaa", (OLD, 2)),
        (OLD, (OLD, 2)),
        ("aaaa/1", (OLD, 1)),
        (f"{NEW}/1", (NEW, 1)),
    ],
)
def test_a_release_is_named_by_number_or_plan(to: str, expected: tuple[str, int]) -> None:
    assert told(to) == expected


def test_without_a_name_it_is_what_was_deployed_before_also_of_another_plan() -> None:
    assert told("", [past(OLD, 2, 20), past(OLD, 1, 10), past(NEW, 1, 30)]) == (OLD, 2)
    back = [*HISTORY, past(NEW, 3, 50, wire=b"1")]
    assert told("", back) == (NEW, 2), "after going back, the one that was gone back from"


@pytest.mark.parametrize("to", ["3", "aaa", "cccc", "aaaa/9", "/1", "x" * 300])
def test_what_is_not_there_is_said(to: str) -> None:
    with pytest.raises(NotFound, match="there is no release"):
        told(to)


def test_nothing_before_the_first_one() -> None:
    with pytest.raises(NotFound, match="nothing was deployed before"):
        told("", [past(NEW, 0, 10)])
    with pytest.raises(NotFound, match="nothing was deployed before"):
        told("", [past(OLD, 1, 10), past(NEW, 1, 20)], newest=OLD)


def test_a_beginning_that_two_plans_have_is_not_enough() -> None:
    twins = [past("aaaa1111", 1, 10), past("aaaa2222", 1, 20)]
    with pytest.raises(Conflict, match="may mean aaaa1111/1, aaaa2222/1"):
        told("aaaa", twins, newest="aaaa2222")
    assert told("aaaa1", twins, newest="aaaa2222") == ("aaaa1111", 1)
