"""States that are merged later come to the same as states merged at once."""

from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.gathered import MOST_PIECES, Gathered, GatheredMerger
from fogline.engine.merge import encoded_size, merge_all, mergeable
from fogline.engine.state import EMPTY, DenseState, OpaqueState, PartState, State, StateTable
from fogline.engine.state import READINGS as READINGS_STATE
from fogline.engine.windows import WindowProgram
from tests.unit.fogline.engine.readings import READINGS, Reading, batch_of, exact_content, window_step

PROGRAM = WindowProgram(window_step(), 100)


def state_of(readings: list[Reading]) -> PartState:
    return PartState(tables=(PROGRAM.run(batch_of(readings)).table,))


def gathered(states: list[PartState], part_bytes: int = 1 << 20) -> Gathered:
    merger = GatheredMerger(part_bytes)
    return reduce(merger.merge, map(Gathered.of, states))


@settings(max_examples=30)
@given(st.lists(READINGS, min_size=1, max_size=6), st.sampled_from([1, 1_000, 4_000, 1 << 20]))
def test_what_is_gathered_is_what_merging_at_once_gives(pieces: list[list[Reading]], part_bytes: int) -> None:
    states = [state_of(readings) for readings in pieces]
    state = gathered(states, part_bytes)
    assert state.size >= encoded_size(state.merged())
    (table,), (expected,) = state.merged().tables, merge_all(states).tables
    assert exact_content(table) == exact_content(expected)
    assert state.pane_us == table.pane_width_us
    assert state.size == encoded_size(state.merged()), "what is merged is measured anew"


def counts_of(step: str, width_us: int = 10, kind: str = "sum_i64") -> StateTable:
    readings = DenseState(name=READINGS_STATE, kind="sum_i64", values=np.array([1], dtype=np.int64))
    other: State = DenseState(name="n", kind=kind, values=np.array([1], dtype=np.int64))
    if kind == "new_kind":
        other = OpaqueState(name="n", kind=kind, values=b"x")
    return StateTable(
        step=step,
        pane_width_us=width_us,
        pane_start=np.array([0], dtype=np.int64),
        keys=(),
        states=(readings, other),
    )


MIXED = [
    PartState(),
    PartState(tables=(counts_of("a"),)),
    PartState(tables=(counts_of("a"), counts_of("b"))),
    PartState(tables=(counts_of("b", width_us=20),)),
    PartState(tables=(counts_of("a", kind="new_kind"),)),
    PartState(tables=(counts_of("a"), counts_of("a"))),
]


@pytest.mark.parametrize("a", MIXED)
@pytest.mark.parametrize("b", MIXED)
def test_the_same_is_mergeable_as_in_the_engine(a: PartState, b: PartState) -> None:
    merger = GatheredMerger(1 << 20)
    one, two = Gathered.of(a), Gathered.of(b)
    assert merger.mergeable(one, two) == mergeable(a, b)
    if merger.mergeable(one, two):
        both = merger.merge(one, two)
        for c in MIXED:
            assert merger.mergeable(both, Gathered.of(c)) == mergeable(merge_all((a, b)), c)


def test_pieces_are_merged_before_they_are_many_or_large() -> None:
    reading = Reading(time_us=0, zone="a", device="d1", temp=21.5, level=3, flow=0.5)
    states = [state_of([reading])] * MOST_PIECES
    assert len(gathered(states[1:]).pieces) == MOST_PIECES - 1
    assert len(gathered(states).pieces) == 1
    size = Gathered.of(states[0]).size
    assert len(gathered(states[:100], part_bytes=10 * size).pieces) < 10


def test_nothing_is_a_state_too() -> None:
    assert gathered([EMPTY, EMPTY]).merged() == EMPTY
    assert Gathered.of(EMPTY).pane_us == 0
