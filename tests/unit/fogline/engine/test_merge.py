import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fogline.engine.merge import (
    NotMergeable,
    encoded_size,
    keep_keys,
    limit_keys,
    merge,
    merge_all,
    merge_tables,
    mergeable,
)
from fogline.engine.state import (
    EMPTY,
    NULL_CODE,
    OVERFLOWED,
    READINGS,
    DenseState,
    KeyColumn,
    OpaqueState,
    PartState,
    ReadingTerm,
    SparseState,
    State,
    StateTable,
)
from fogline.engine.windows import WindowProgram
from fogline.v1 import uplink_pb2
from fogline.wire.state import counts_to_wire, table_to_wire
from tests.unit.fogline.engine import readings as given_readings
from tests.unit.fogline.engine.readings import Reading, batch_of, dense, exact_content, window_step

PROGRAM = WindowProgram(window_step(("zone", "device")), 1000)
COUNTED = ReadingTerm("air", "by_zone", "counted")


def part_of(readings: list[Reading]) -> PartState:
    answer = PROGRAM.run(batch_of(readings))
    return PartState(tables=(answer.table,), counts={COUNTED: answer.counted})


def merged_in_some_order(parts: list[PartState], dice: random.Random) -> PartState:
    """A random tree over a random order, now and then more than two at once."""
    while len(parts) > 1:
        dice.shuffle(parts)
        taken = dice.choice([2, 2, 3])
        parts, some = parts[taken:], parts[:taken]
        parts.append(merge_all(some) if taken > 2 else merge(*some))
    return parts[0]


@settings(max_examples=150, deadline=None)
@given(readings=given_readings.READINGS, dice=st.randoms(use_true_random=False), pieces=st.integers(1, 6))
def test_any_tree_order_and_split_gives_the_state_of_one_batch(
    readings: list[Reading], dice: random.Random, pieces: int
) -> None:
    (whole,) = part_of(readings).tables
    shuffled = dice.sample(readings, len(readings))
    cuts = sorted(dice.choices(range(len(readings) + 1), k=pieces - 1))
    spans = zip([0, *cuts], [*cuts, len(readings)], strict=True)

    result = merged_in_some_order([part_of(shuffled[start:end]) for start, end in spans], dice)

    (table,) = result.tables
    assert exact_content(table) == exact_content(whole)
    assert result.counts == {COUNTED: len(readings)}
    magnitudes: dict[tuple[int, str | None, str | None], float] = {}
    for one in readings:
        key = (one.time_us // 1_000_000 * 1_000_000, one.zone, one.device)
        magnitudes[key] = magnitudes.get(key, 0.0) + abs(one.flow or 0.0)
    keys = zip(table.pane_start.tolist(), *(key.texts() for key in table.keys), strict=True)
    sums = zip(dense(table, "flow_sum"), dense(whole, "flow_sum"), strict=True)
    for (pane, zone, device), (one_sum, other) in zip(keys, sums, strict=True):
        assert math.isclose(one_sum, other, rel_tol=0, abs_tol=1e-12 * magnitudes[pane, zone, device])


@settings(max_examples=50, deadline=None)
@given(some=given_readings.READINGS, others=given_readings.READINGS)
def test_merging_is_commutative_and_nothing_is_its_identity(
    some: list[Reading], others: list[Reading]
) -> None:
    a, b = part_of(some), part_of(others)

    assert mergeable(a, b)
    assert exact_content(merge(a, b).tables[0]) == exact_content(merge(b, a).tables[0])
    assert exact_content(merge(a, EMPTY).tables[0]) == exact_content(a.tables[0])
    assert exact_content(merge(EMPTY, a).tables[0]) == exact_content(a.tables[0])
    assert merge(a, EMPTY).counts == a.counts
    assert merge(EMPTY, EMPTY) == EMPTY


@settings(max_examples=60, deadline=None)
@given(
    levels=st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=8),
    dice=st.randoms(use_true_random=False),
)
def test_a_sum_is_right_or_says_that_it_overflowed(levels: list[int], dice: random.Random) -> None:
    parts = [part_of([Reading(0, "a", None, None, level, None)]) for level in levels]
    (total,) = dense(merged_in_some_order(parts, dice).tables[0], "level_sum")

    if sum(map(abs, levels)) < 2**63:
        assert total == sum(levels)
    else:
        assert total in (sum(levels), OVERFLOWED)


def table_of(*states: State, rows: int = 1, step: str = "s", width: int = 1, key: str = "k") -> StateTable:
    return StateTable(
        step=step,
        pane_width_us=width,
        pane_start=np.zeros(rows, dtype=np.int64),
        keys=(KeyColumn(name=key, dictionary=("a",), codes=np.zeros(rows, dtype=np.uint32)),),
        states=states,
    )


ONE = DenseState(name=READINGS, kind="sum_i64", values=np.ones(1, dtype=np.int64))
HALF = DenseState(name="h", kind="sum_i64", values=np.ones(1, dtype=np.int64), parameters={"resolution": 0.5})
THIRD = DenseState(
    name="h", kind="sum_i64", values=np.ones(1, dtype=np.int64), parameters={"resolution": 0.3}
)
OPAQUE = OpaqueState(name="x", kind="kll", values=b"123", parameters={"k": 200})
NEW = DenseState(name="x", kind="last", values=np.ones(1, dtype=np.int64))
NEW_MAP = SparseState(
    name="x",
    kind="map_xor",
    lengths=np.zeros(1, dtype=np.uint32),
    indexes=np.zeros(0, dtype=np.int32),
    values=np.zeros(0, dtype=np.int64),
)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (table_of(ONE), table_of(ONE, width=2)),
        (table_of(ONE), table_of(ONE, key="other")),
        (table_of(ONE), table_of(ONE, HALF)),
        (table_of(ONE, HALF), table_of(ONE, THIRD)),
        (table_of(ONE, OPAQUE), table_of(ONE, OPAQUE)),
        (table_of(ONE, NEW), table_of(ONE, NEW)),
        (table_of(ONE, NEW_MAP), table_of(ONE, NEW_MAP)),
    ],
)
def test_what_has_another_layout_or_an_unknown_kind_is_not_merged(a: StateTable, b: StateTable) -> None:
    assert not mergeable(PartState(tables=(a,)), PartState(tables=(b,)))
    with pytest.raises(NotMergeable):
        merge_tables((a, b))


def test_a_part_that_has_a_step_twice_is_not_merged() -> None:
    twice = PartState(tables=(table_of(ONE), table_of(ONE)))

    assert not mergeable(twice, EMPTY)
    assert not mergeable(EMPTY, twice)


def test_an_unknown_kind_stops_its_part_even_beside_nothing() -> None:
    assert not mergeable(EMPTY, PartState(tables=(table_of(ONE, OPAQUE),)))


def test_steps_are_merged_apart_and_terms_added_up() -> None:
    decoded = ReadingTerm("air", "", "decoded")
    a = PartState(tables=(table_of(ONE, step="s"),), counts={decoded: 3, COUNTED: 1})
    b = PartState(tables=(table_of(ONE, step="t"), table_of(ONE, step="s")), counts={decoded: 4})
    result = merge(a, b)

    assert [(table.step, dense(table, READINGS)) for table in result.tables] == [("s", [2]), ("t", [1])]
    assert result.counts == {decoded: 7, COUNTED: 1}


def test_rows_of_one_key_in_one_table_are_brought_together() -> None:
    values = DenseState(name=READINGS, kind="sum_i64", values=np.array([1, 2]))
    merged = merge_tables((table_of(values, rows=2), table_of(values, rows=2)))

    assert dense(merged, READINGS) == [6]


def test_tables_that_are_out_of_order_are_put_in_order() -> None:
    codes = np.array([1, NULL_CODE, 0], dtype=np.uint32)
    table = StateTable(
        step="s",
        pane_width_us=1,
        pane_start=np.array([5, 5, 4]),
        keys=(KeyColumn(name="k", dictionary=("z", "a", "unused"), codes=codes),),
        states=(DenseState(name=READINGS, kind="sum_i64", values=np.array([1, 2, 3])),),
    )
    merged = merge_tables((table,))

    assert merged.pane_start.tolist() == [4, 5, 5]
    assert merged.keys[0].texts() == ["z", "a", None]
    assert merged.keys[0].dictionary == ("a", "z")
    assert dense(merged, READINGS) == [3, 1, 2]


def test_large_tables_merge_as_small_ones_do() -> None:
    dice = random.Random(5)
    readings = [
        Reading(dice.randrange(40) * 1_000_000, f"z{dice.randrange(900)}", None, 1.5, 7, dice.uniform(-9, 9))
        for _ in range(6000)
    ]
    (whole,) = merge_all([part_of(readings)]).tables
    (halves,) = merge(part_of(readings[::2]), part_of(readings[1::2])).tables

    assert exact_content(halves) == exact_content(whole)
    assert np.allclose(dense(halves, "flow_sum"), dense(whole, "flow_sum"), rtol=0, atol=1e-10)


def test_keys_can_be_limited_and_chosen_again_after_merging() -> None:
    readings = [Reading(0, zone, None, 1.0, 1, 1.0) for zone in "abbccc"]
    (table,) = part_of(readings).tables

    assert limit_keys(table, 3) is table
    assert limit_keys(limit_keys(table, 1), 1).keys[0].texts() == ["(other)", "c"]
    assert keep_keys(table, np.array([True, False, False])).keys[0].texts() == ["(other)", "a"]
    assert keep_keys(table, np.ones(3, dtype=np.bool_)) is table
    assert sum(dense(limit_keys(table, 1), "temp_sum")) == 600


@settings(max_examples=40, deadline=None)
@given(readings=given_readings.READINGS)
def test_a_size_is_a_little_above_the_bytes_on_the_wire(readings: list[Reading]) -> None:
    part = part_of(readings)
    message = uplink_pb2.Part(
        tables=[table_to_wire(table) for table in part.tables], counts=counts_to_wire(part.counts)
    )

    columns = sum(len(table.states) + len(table.keys) for table in part.tables)
    assert 0 <= encoded_size(part) - message.ByteSize() <= 100 + 64 * columns


def test_nothing_has_no_size_and_an_unknown_state_that_of_its_bytes() -> None:
    without, with_it = (PartState(tables=(table_of(*states),)) for states in ((ONE,), (ONE, OPAQUE)))

    assert encoded_size(EMPTY) == 0
    assert encoded_size(with_it) > encoded_size(without) + 3
