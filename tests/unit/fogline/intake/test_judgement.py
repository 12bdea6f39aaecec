from hypothesis import given
from hypothesis import strategies as st

from fogline.intake.judgement import Verdict, judge, offsets_after, settle
from fogline.model.part import Contribution, Origin

A = Origin(tenant="main", node="a", stream="air", epoch=b"1")
B = Origin(tenant="main", node="b", stream="air", epoch=b"2")


def of(origin: Origin, first: int, end: int, *, start: int = 0) -> Contribution:
    return Contribution(origin=origin, start=start, first=first, end=end)


def test_what_begins_at_the_stored_offset_is_fresh() -> None:
    assert judge([of(A, 3, 5), of(B, 0, 1)], {A: 3, B: 0}) is Verdict.FRESH


def test_what_was_committed_before_is_done_even_if_the_store_went_on() -> None:
    assert judge([of(A, 0, 3)], {A: 3}) is Verdict.DONE
    assert judge([of(A, 0, 3)], {A: 9}) is Verdict.DONE


def test_an_overlap_and_a_hole_are_refused() -> None:
    assert judge([of(A, 2, 5)], {A: 3}) is Verdict.REFUSED
    assert judge([of(A, 4, 5)], {A: 3}) is Verdict.REFUSED


def test_a_mixture_of_fresh_and_done_is_refused_whole() -> None:
    assert judge([of(A, 3, 5), of(B, 0, 1)], {A: 3, B: 1}) is Verdict.REFUSED


def test_an_origin_without_a_row_stands_at_its_start() -> None:
    assert judge([of(A, 7, 9, start=7)], {}) is Verdict.FRESH
    assert judge([of(A, 8, 9, start=7)], {}) is Verdict.REFUSED


def test_an_empty_contribution_at_the_stored_offset_never_decides() -> None:
    assert judge([of(A, 3, 3)], {A: 3}) is Verdict.FRESH
    assert judge([of(A, 3, 3), of(B, 0, 1)], {A: 3, B: 0}) is Verdict.FRESH
    assert judge([of(A, 3, 3), of(B, 0, 1)], {A: 3, B: 1}) is Verdict.DONE
    assert judge([of(A, 4, 4)], {A: 3}) is Verdict.REFUSED
    assert judge([of(A, 2, 2)], {A: 3}) is Verdict.DONE


def test_the_answer_tells_what_the_store_holds_afterwards() -> None:
    fresh = settle([of(A, 3, 5), of(B, 0, 1)], {A: 3})
    assert dict(fresh.write) == dict(fresh.told) == {A: 5, B: 1}
    done = settle([of(A, 0, 1)], {A: 3, B: 9})
    assert (dict(done.write), dict(done.told)) == ({}, {A: 3})
    refused = settle([of(A, 3, 5), of(B, 4, 6, start=2)], {A: 3})
    assert (dict(refused.write), dict(refused.told)) == ({}, {A: 3, B: 2})


@given(st.data())
def test_a_part_is_fresh_once_and_done_ever_after(data: st.DataObject) -> None:
    stored = {o: data.draw(st.integers(0, 5), label=o.node) for o in (A, B)}
    part = [of(o, stored[o], stored[o] + data.draw(st.integers(0, 3))) for o in (A, B)]
    assert judge(part, stored) is Verdict.FRESH
    stored = {**stored, **offsets_after(part)}
    if any(c.messages for c in part):
        assert judge(part, stored) is Verdict.DONE


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=4))
def test_offsets_never_go_back_and_only_fresh_parts_write(rows: list[tuple[int, int, int]]) -> None:
    origins = [Origin(tenant="main", node=str(i), stream="air", epoch=b"1") for i in range(len(rows))]
    stored = {o: row[2] for o, row in zip(origins, rows, strict=True)}
    part = [of(o, first, first + n) for o, (first, n, _) in zip(origins, rows, strict=True)]
    settlement = settle(part, stored)
    assert bool(settlement.write) == (settlement.verdict is Verdict.FRESH)
    assert all(settlement.told[o] >= stored[o] for o in origins)
