import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fogline.engine.batch import Batch, NumberColumn, TruthColumn
from fogline.engine.expression import InvalidExpression
from fogline.engine.function import state_layout
from fogline.engine.state import OTHER, OVERFLOWED, READINGS
from fogline.engine.windows import WindowProgram
from fogline.model.plan import Call, Column, Constant, Named, RowQuery, StateSpec, StepSpec, WindowQuery
from tests.unit.fogline.engine import readings as given_readings
from tests.unit.fogline.engine.readings import (
    WIDTH_US,
    Reading,
    batch_of,
    dense,
    maps,
    state,
    window_step,
)

Key = tuple[int, str | None, str | None]


@settings(max_examples=150, deadline=None)
@given(readings=given_readings.READINGS)
def test_a_batch_becomes_what_plain_python_makes_of_its_readings(readings: list[Reading]) -> None:
    groups: dict[Key, list[Reading]] = defaultdict(list)
    for one in readings:
        groups[one.time_us // WIDTH_US * WIDTH_US, one.zone, one.device].append(one)

    answer = WindowProgram(window_step(("zone", "device")), 1000).run(batch_of(readings))
    table = answer.table

    zones, devices = (key.texts() for key in table.keys)
    rows = list(zip(table.pane_start.tolist(), zones, devices, strict=True))
    assert rows == sorted(groups, key=lambda key: (key[0], *((part is None, part or "") for part in key[1:])))
    assert (answer.counted, answer.filtered) == (len(readings), 0)
    assert dense(table, READINGS) == dense(table, "all") == [len(groups[row]) for row in rows]
    for place, row in enumerate(rows):
        temps = [one.temp for one in groups[row] if one.temp is not None]
        flows = [one.flow for one in groups[row] if one.flow is not None]
        levels = [one.level for one in groups[row] if one.level is not None]
        assert dense(table, "temps")[place] == len(temps)
        assert dense(table, "temp_sum")[place] == sum(round(temp * 100) for temp in temps)
        assert dense(table, "temp_min")[place] == min(temps, default=math.inf)
        assert dense(table, "temp_max")[place] == max(temps, default=-math.inf)
        assert dense(table, "level_sum")[place] == sum(levels)
        scale = math.fsum(map(abs, flows))
        assert math.isclose(
            dense(table, "flow_sum")[place], math.fsum(flows), rel_tol=0, abs_tol=1e-12 * scale
        )
        assert sum(maps(table, "flow_buckets")[place].values()) == len(flows)
        assert len(maps(table, "devices")[place]) == (row[2] is not None)
        assert len(maps(table, "levels")[place]) == len(set(levels))
        assert len(maps(table, "flows")[place]) == len(set(flows))


def test_what_the_where_leaves_out_is_counted_and_enters_nothing() -> None:
    readings = [
        Reading(0, "a", "d", 1.0, 1, 1.0),
        Reading(0, "a", "d", None, 1, 1.0),
        Reading(0, "a", "d", 3.0, 1, 1.0),
    ]
    where = Call(">", (Column("temp"), Constant(2)))
    answer = WindowProgram(window_step(where=where), 10).run(batch_of(readings))

    assert (answer.counted, answer.filtered) == (1, 2)
    assert dense(answer.table, "temp_sum") == [300]


def test_without_keys_there_is_one_row_a_pane() -> None:
    readings = [Reading(time, "a", "d", 1.0, 1, 1.0) for time in (0, WIDTH_US, WIDTH_US + 1)]
    table = WindowProgram(window_step(()), 1).run(batch_of(readings)).table

    assert table.pane_start.tolist() == [0, WIDTH_US]
    assert dense(table, READINGS) == [1, 2]
    assert table.keys == ()


def test_no_readings_make_a_table_without_rows() -> None:
    table = WindowProgram(window_step(), 1).run(batch_of([])).table

    assert table.rows == 0
    assert [len(one.codes) for one in table.keys] == [0]


def test_numbers_and_truths_as_keys_are_their_texts() -> None:
    batch = Batch(
        rows=3,
        time_us=np.zeros(3, dtype=np.int64),
        columns={
            "level": NumberColumn(values=np.array([10, 9, 10])),
            "on": TruthColumn(values=np.array([True, False, True]), valid=np.array([True, False, True])),
        },
    )
    table = WindowProgram(window_step(("level", "on"), states=()), 10).run(batch).table

    assert [key.texts() for key in table.keys] == [["10", "9"], ["true", None]]


@settings(max_examples=60, deadline=None)
@given(readings=given_readings.READINGS, max_keys=st.integers(1, 4))
def test_keys_beyond_the_limit_fall_into_other_and_totals_stay(
    readings: list[Reading], max_keys: int
) -> None:
    whole = WindowProgram(window_step(("zone", "device")), 1000).run(batch_of(readings)).table
    table = WindowProgram(window_step(("zone", "device")), max_keys).run(batch_of(readings)).table

    zones, devices = (key.texts() for key in table.keys)
    for pane in set(table.pane_start.tolist()):
        keys = [
            (zone, device)
            for start, zone, device in zip(table.pane_start.tolist(), zones, devices, strict=True)
            if start == pane
        ]
        assert len(keys) == len(set(keys)) <= max_keys + 1
        assert len([key for key in keys if OTHER in key]) <= 1
        assert all(key == (OTHER, OTHER) for key in keys if OTHER in key)
    for name in (READINGS, "temps", "temp_sum", "level_sum"):
        assert sum(dense(table, name)) == sum(dense(whole, name))
    for name in ("temp_min", "flow_min"):
        assert min(dense(table, name), default=0) == min(dense(whole, name), default=0)


def test_the_largest_keys_keep_their_names() -> None:
    readings = [Reading(0, zone, None, 1.0, 1, 1.0) for zone in "abbccc"]
    table = WindowProgram(window_step(), 1).run(batch_of(readings)).table

    assert list(zip(table.keys[0].texts(), dense(table, READINGS), strict=True)) == [("(other)", 3), ("c", 3)]


def test_an_integer_sum_that_leaves_its_range_says_so_and_never_wraps() -> None:
    for levels, total in (
        ([2**63 - 1, 1], OVERFLOWED),
        ([2**62, 2**62 - 1], 2**63 - 1),
        ([-(2**62), -(2**62) + 1], -(2**63) + 1),
        ([-(2**62), -(2**62)], OVERFLOWED),
        ([-(2**63), 5], OVERFLOWED),
        ([2**62, -(2**62), 7], 7),
    ):
        readings = [Reading(0, "a", None, None, level, None) for level in levels]
        table = WindowProgram(window_step(), 10).run(batch_of(readings)).table
        assert dense(table, "level_sum") == [total]


def test_a_value_beyond_all_steps_of_its_resolution_overflows_its_sum_alone() -> None:
    readings = [Reading(0, "a", None, 1e300, 1, None), Reading(0, "b", None, 2.0, 1, None)]
    table = WindowProgram(window_step(), 10).run(batch_of(readings)).table

    assert dense(table, "temp_sum") == [OVERFLOWED, 200]
    assert dense(table, "temps") == [1, 1]


@pytest.mark.parametrize("zeros", [(0.0, -0.0), (-0.0, 0.0), (-0.0, -0.0)])
def test_the_two_zeros_of_floats_are_one(zeros: tuple[float, float]) -> None:
    readings = [Reading(0, "a", None, None, None, zero) for zero in zeros]
    table = WindowProgram(window_step(), 10).run(batch_of(readings)).table

    for name in ("flow_min", "flow_max"):
        assert math.copysign(1, dense(table, name)[0]) == 1
    assert len(maps(table, "flows")[0]) == 1


def test_a_column_of_nothing_but_nulls_enters_nothing() -> None:
    states = (
        StateSpec(name="n", kind="sum_i64", function="count", argument=Constant(None)),
        StateSpec(name="s", kind="sum_i64", function="sum", argument=Column("zone")),
        StateSpec(
            name="d",
            kind="map_max",
            function="registers",
            argument=Column("zone"),
            parameters={"precision": 12},
        ),
    )
    readings = [Reading(0, None, None, None, None, None)]
    table = WindowProgram(window_step(states=states), 10).run(batch_of(readings)).table

    assert dense(table, "n") == dense(table, "s") == [0]
    assert maps(table, "d") == [{}]


def test_truths_can_be_counted_apart() -> None:
    argument = Call(">", (Column("temp"), Constant(0)))
    states = (
        StateSpec(
            name="d", kind="map_max", function="registers", argument=argument, parameters={"precision": 12}
        ),
    )
    readings = [Reading(0, "a", None, temp, None, None) for temp in (1.0, -1.0, 2.0)]
    table = WindowProgram(window_step(states=states), 10).run(batch_of(readings)).table

    assert len(maps(table, "d")[0]) == 2


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (StateSpec(name="s", kind="sum_f64", function="median", argument=Column("temp")), "'median'"),
        (StateSpec(name="s", kind="max_f64", function="sum", argument=Column("temp")), "'max_f64'"),
        (
            StateSpec(name="s", kind="sum_i64", function="sum", argument=Column("temp")),
            "without a resolution",
        ),
        (StateSpec(name="s", kind="sum_f64", function="sum"), "needs an argument"),
        (StateSpec(name="s", kind="sum_f64", function="sum", argument=Column("zone")), "number is needed"),
        (StateSpec(name="s", kind="map_add", function="log_buckets", argument=Column("temp")), "alpha"),
        (StateSpec(name="s", kind="map_max", function="registers", argument=Column("temp")), "precision"),
    ],
)
def test_a_state_that_cannot_be_kept_is_refused(spec: StateSpec, words: str) -> None:
    program = WindowProgram(window_step(states=(spec,)), 10)

    with pytest.raises(InvalidExpression, match=words):
        program.run(batch_of([Reading(0, "a", "d", 1.0, 1, 1.0)]))


def test_a_step_that_is_no_window_query_is_refused() -> None:
    rows = StepSpec(name="s", source="air", stream="air", where=None, query=RowQuery(columns=()))
    query = WindowQuery(keys=(), width_us=0, states=(), outputs=())
    nothing = StepSpec(name="s", source="air", stream="air", where=None, query=query)

    with pytest.raises(InvalidExpression, match="no window query"):
        WindowProgram(rows, 1)
    with pytest.raises(InvalidExpression, match="width"):
        WindowProgram(nothing, 1)
    with pytest.raises(InvalidExpression, match="width"):
        WindowProgram(window_step(), 0)


def test_layouts_are_chosen_by_function_type_and_resolution() -> None:
    assert state_layout("count", "text") == ("sum_i64", {})
    assert state_layout("sum", "int") == ("sum_i64", {})
    assert state_layout("sum", "float") == ("sum_f64", {})
    assert state_layout("sum", "float", 0.5) == ("sum_i64", {"resolution": 0.5})
    assert state_layout("min", "int", 0.5) == ("min_f64", {})
    assert state_layout("log_buckets", "float") == ("map_add", {"alpha": 0.01})
    assert state_layout("registers", "text") == ("map_max", {"precision": 12})
    with pytest.raises(InvalidExpression, match="no function"):
        state_layout("median", "float")
    with pytest.raises(InvalidExpression, match="cannot take a text"):
        state_layout("sum", "text")


def test_readings_of_distant_ages_are_in_panes_of_their_own() -> None:
    times = (-(2**61), 0, 2**62)
    readings = [Reading(time, "a", None, 1.0, None, None) for time in times]
    query = WindowQuery(keys=(), width_us=1, states=(), outputs=())
    step = StepSpec(name="s", source="air", stream="air", where=None, query=query)

    assert WindowProgram(step, 1).run(batch_of(readings)).table.pane_start.tolist() == list(times)


def test_many_wide_keys_are_grouped_without_running_out_of_codes() -> None:
    texts = 300
    columns = {f"k{place}": NumberColumn(values=np.arange(texts) * (place + 1)) for place in range(9)}
    columns["temp"] = NumberColumn(values=np.ones(texts))
    batch = Batch(rows=texts, time_us=np.arange(texts, dtype=np.int64) * WIDTH_US**2, columns=columns)
    query = WindowQuery(
        keys=tuple(Named(name=f"k{place}", expression=Column(f"k{place}")) for place in range(9)),
        width_us=1,
        states=(state("temps", "count", "temp"),),
        outputs=(),
    )
    step = StepSpec(name="s", source="air", stream="air", where=None, query=query)
    table = WindowProgram(step, 1000).run(batch).table

    assert table.rows == texts
    assert table.keys[3].texts() == [str(number * 4) for number in range(texts)]
