import pytest
from hypothesis import given
from hypothesis import strategies as st

from fog_node.ingest.broker.drops import Drops, heard, parse_count


def after(*said: int) -> Drops:
    drops = Drops()
    for number in said:
        drops = heard(drops, number)
    return drops


def test_what_was_dropped_before_the_node_first_heard_the_broker_is_not_counted() -> None:
    assert after(1_000) == Drops(total=0, last=1_000)
    assert after(1_000, 1_003, 1_003).total == 3


def test_a_broker_that_began_again_goes_on_counting() -> None:
    assert after(10, 15, 0, 4).total == 5 + 4
    assert after(10, 3).total == 3


@given(st.lists(st.integers(0, 2**63)))
def test_the_count_never_falls(said: list[int]) -> None:
    totals = [after(*said[:end]).total for end in range(len(said) + 1)]
    assert totals == sorted(totals)


@given(st.lists(st.integers(0, 100)), st.integers(0, 5))
def test_it_is_the_sum_over_the_broker_s_lives(new: list[int], place: int) -> None:
    lives = [new[:place], new[place:]]
    said = [0, *(sum(life[:end]) for life in lives for end in range(1, len(life) + 1))]
    # A restart shows in a number that is smaller; one that is not goes unseen, and nothing is counted twice.
    assert after(*said).total <= sum(new)
    if not lives[1] or sum(lives[0]) > lives[1][0]:
        assert after(*said).total == sum(new)


@pytest.mark.parametrize(
    ("payload", "count"),
    [
        (b"0", 0),
        (b" 17\n", 17),
        (b"", None),
        (b"-1", None),
        (b"1.5", None),
        (b"9" * 30, None),
        (b"\xff", None),
    ],
)
def test_a_count_is_read_or_left(payload: bytes, count: int | None) -> None:
    assert parse_count(payload) == count
