from hypothesis import given
from hypothesis import strategies as st

from fogline.model.gap import Gap, gap_at, past_gaps, uncovered


def gap(first: int, end: int) -> Gap:
    return Gap(first=first, end=end, reason="expired")


def test_adjoining_and_overlapping_gaps_are_passed_together() -> None:
    assert past_gaps(1, [gap(4, 6), gap(0, 3), gap(2, 4)]) == 6
    assert past_gaps(6, [gap(4, 6)]) == 6
    assert past_gaps(3, [gap(4, 6)]) == 3


def test_the_longest_gap_at_an_offset_is_taken() -> None:
    assert gap_at(2, [gap(0, 3), gap(2, 5), gap(3, 9)]) == gap(2, 5)
    assert gap_at(9, [gap(3, 9)]) is None


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5)), max_size=4),
    st.integers(0, 9),
    st.integers(0, 14),
)
def test_what_is_uncovered_is_exactly_what_no_gap_covers(
    ranges: list[tuple[int, int]], first: int, end: int
) -> None:
    gaps = [gap(a, a + n) for a, n in ranges]
    holes = uncovered(first, end, gaps)
    assert [i for a, b in holes for i in range(a, b)] == [
        i for i in range(first, end) if gap_at(i, gaps) is None
    ]
    assert all(a < b for a, b in holes)
