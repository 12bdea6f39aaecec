"""When a tail is cut, and what its watermark promises."""

from fog_node.steps.tail import PART_BYTES, Pace, Read, Tail
from fog_node.steps.watermark import Watermark
from fogline.engine.state import EMPTY, PartState, ReadingTerm
from fogline.model.clock import NEVER, SECOND
from fogline.model.part import Origin

ORIGIN = Origin(tenant="main", node="n1", stream="air", epoch=bytes(16))
NOON = 1_769_860_800 * SECOND
PACE = Pace(disorder_us=5 * SECOND, emit_every_us=SECOND, idle_every_us=30 * SECOND, widths_us=(10 * SECOND,))


def read(end: int, latest_us: int, arrived_us: int, state: PartState = EMPTY) -> Read:
    return Read(end=end, state=state, latest_us=latest_us, arrived_us=(arrived_us, arrived_us))


def test_the_watermark_follows_the_readings_disorder_behind() -> None:
    mark = Watermark(disorder_us=5 * SECOND, heard_us=NOON).saw(NOON, NOON)
    assert mark.us == NOON - 5 * SECOND
    assert mark.saw(NOON - 60 * SECOND, NOON).us == mark.us, "it never goes back"
    assert mark.saw(NEVER, NOON).us == mark.us


def test_the_clock_moves_the_watermark_of_a_silent_stream_only() -> None:
    mark = Watermark(disorder_us=5 * SECOND, heard_us=NOON).saw(NOON - 3600 * SECOND, NOON)
    assert mark.idle(NOON + 4 * SECOND).us == mark.us
    assert mark.idle(NOON + 5 * SECOND).us == NOON


def test_an_open_window_is_cut_at_the_pace_of_emit() -> None:
    tail = Tail(ORIGIN, 0, PACE, NOON)
    tail.take(read(5, NOON + 6 * SECOND, NOON), NOON)
    tail.cut(NOON)
    tail.take(read(7, NOON + 7 * SECOND, NOON), NOON)
    assert not tail.is_due(NOON)
    assert tail.due_at(NOON) == NOON + SECOND
    assert tail.is_due(NOON + SECOND)
    cut = tail.cut(NOON + SECOND)
    assert (cut.first, cut.end, cut.watermark_us) == (5, 7, NOON + 2 * SECOND)


def test_a_closing_pane_is_cut_at_once() -> None:
    tail = Tail(ORIGIN, 0, PACE, NOON)
    tail.take(read(5, NOON + 6 * SECOND, NOON), NOON)
    tail.cut(NOON)
    tail.take(read(6, NOON + 14 * SECOND, NOON), NOON)
    assert not tail.is_due(NOON)
    tail.take(read(7, NOON + 15 * SECOND, NOON), NOON)
    assert tail.is_due(NOON)


def test_an_open_window_that_is_about_to_close_waits_for_its_end() -> None:
    tail = Tail(ORIGIN, 0, PACE, NOON)
    tail.take(read(5, NOON + 13 * SECOND, NOON), NOON)
    tail.cut(NOON)
    now = NOON + SECOND - SECOND // 10
    tail.take(read(6, NOON + 14 * SECOND - SECOND // 10, now), now)
    assert tail.closes_in_us() == SECOND + SECOND // 10
    assert tail.due_at(now) == NOON + SECOND, "the end is too far away"
    now = NOON + SECOND - SECOND // 20
    tail.take(read(7, NOON + 15 * SECOND - SECOND // 4, now), now)
    assert tail.closes_in_us() == SECOND // 4
    assert tail.due_at(now) == NOON + SECOND + SECOND // 2, "one part, not two within a fifth of a second"
    now = NOON + SECOND + SECOND // 5
    tail.take(read(8, NOON + 15 * SECOND, now), now)
    assert tail.is_due(now)


def test_silence_closes_the_pane_of_the_last_readings_by_the_clock() -> None:
    tail = Tail(ORIGIN, 0, PACE, NOON)
    tail.take(read(5, NOON + 6 * SECOND, NOON + SECOND), NOON + SECOND)
    tail.cut(NOON + SECOND)
    assert tail.due_at(NOON + SECOND) == NOON + 15 * SECOND, "the pane's end and the allowed disorder"
    tail.idle(NOON + 15 * SECOND)
    assert tail.is_due(NOON + 15 * SECOND)
    cut = tail.cut(NOON + 15 * SECOND)
    assert (cut.first, cut.end, cut.watermark_us) == (5, 5, NOON + 10 * SECOND)


def test_an_idle_origin_says_so_seldom() -> None:
    tail = Tail(ORIGIN, 0, PACE, NOON)
    assert tail.due_at(NOON) == NOON + 30 * SECOND
    tail.idle(NOON + 30 * SECOND)
    assert tail.is_due(NOON + 30 * SECOND)
    assert tail.cut(NOON + 30 * SECOND).watermark_us == NOON + 25 * SECOND
    assert tail.due_at(NOON + 31 * SECOND) == NOON + 60 * SECOND


def test_a_rewind_forgets_the_state_and_the_watermark() -> None:
    tail = Tail(ORIGIN, 0, PACE, NOON)
    tail.take(read(9, NOON, NOON, PartState(counts={ReadingTerm("air", "", "decoded"): 9})), NOON)
    tail.cut(NOON)
    tail.rewind(4, NOON)
    assert (tail.unsent, tail.position) == (4, 4)
    cut = tail.cut(NOON)
    assert cut.state == EMPTY
    assert cut.watermark_us == NEVER, "the watermark of offset 9 would be a lie at offset 4"


def test_a_part_is_cut_before_it_grows_too_large() -> None:
    wide = {ReadingTerm("air", "", "dead", f"{i:0200d}"): 1 for i in range(PART_BYTES // 300)}
    other = {ReadingTerm("air", "", "too_late", f"{i:0200d}"): 1 for i in range(PART_BYTES // 300)}
    tail = Tail(ORIGIN, 0, PACE, NOON)
    tail.take(read(10, NOON, NOON, PartState(counts=wide)), NOON)
    assert not tail.ready
    tail.take(read(20, NOON + SECOND, NOON, PartState(counts=other)), NOON)
    (full,) = tail.ready
    assert (full.first, full.end, full.watermark_us) == (0, 10, NOON - 5 * SECOND)
    assert tail.unsent == 0
    assert (tail.first, tail.position) == (10, 20)
