import math

import numpy as np
import pytest
from hypothesis import given, settings

from fogline.engine.batch import TIME
from fogline.engine.expression import InvalidExpression
from fogline.engine.finish import finish
from fogline.engine.merge import merge_tables
from fogline.engine.state import READINGS, DenseState, StateTable
from fogline.engine.windows import WindowProgram
from fogline.model.plan import Call, Column, Constant, Expression, Named, Scalar, WindowQuery
from tests.unit.fogline.engine import readings as given_readings
from tests.unit.fogline.engine.readings import WIDTH_US, Reading, batch_of, window_step


def query_of(*outputs: Expression) -> WindowQuery:
    query = window_step(outputs=[Named(name=f"o{n}", expression=one) for n, one in enumerate(outputs)]).query
    assert isinstance(query, WindowQuery)
    return query


def table_of(readings: list[Reading]) -> StateTable:
    return WindowProgram(window_step(), 1000).run(batch_of(readings)).table


def only(readings: list[Reading], *outputs: Expression) -> tuple[Scalar, ...]:
    (row,) = finish(query_of(*outputs), table_of(readings))
    return row.values


def temps(*values: float | None) -> list[Reading]:
    return [Reading(0, "a", "d", value, None, value) for value in values]


def call(operation: str, *arguments: Expression) -> Call:
    return Call(operation, arguments)


AVERAGE = call("/", Column("temp_sum"), Column("temps"))
SUM = call("case", call(">", Column("temps"), Constant(0)), Column("temp_sum"))
MEDIAN = call("quantile_of", Column("flow_buckets"), Constant(0.5))
DISTINCT = call("distinct_of", Column("devices"))


def test_an_aggregate_of_values_is_what_sql_says() -> None:
    values = only(
        temps(1.25, None, 2.5),
        Column("temps"),
        SUM,
        AVERAGE,
        Column("temp_min"),
        Column("temp_max"),
        DISTINCT,
    )

    assert values == (2, 3.75, 1.875, 1.25, 2.5, 1)
    assert [type(value) for value in values] == [int, float, float, float, float, int]


def test_an_aggregate_of_nothing_but_nulls_is_null_and_a_count_is_0() -> None:
    outputs = (Column("temps"), SUM, AVERAGE, Column("temp_min"), Column("temp_max"), MEDIAN)

    assert only(temps(None, None), *outputs) == (0, None, None, None, None, None)


def test_a_sum_in_steps_is_the_nearest_float() -> None:
    assert only(temps(*[0.1] * 3, 0.05), Column("temp_sum")) == (0.35,)
    assert only(temps(*[21.15] * 1000), Column("temp_sum")) == (21150.0,)


def test_a_resolution_that_is_no_part_of_one_is_multiplied() -> None:
    steps = DenseState(name=READINGS, kind="sum_i64", values=np.array([7]), parameters={"resolution": 0.3})
    coarse = DenseState(name="coarse", kind="sum_i64", values=np.array([7]), parameters={"resolution": 5.0})
    table = StateTable(
        step="s", pane_width_us=1, pane_start=np.zeros(1, dtype=np.int64), keys=(), states=(steps, coarse)
    )
    (row,) = finish(query_of(Column(READINGS), Column("coarse")), table)

    assert row.values == (7 * 0.3, 35.0)


def test_a_sum_that_overflowed_is_null() -> None:
    readings = [Reading(0, "a", None, None, level, 1e308) for level in (2**62, 2**62)]

    assert only(readings, Column("level_sum"), Column("flow_sum"), Column("flow_max")) == (None, None, 1e308)


def test_the_average_of_integers_is_a_float() -> None:
    readings = [Reading(0, "a", None, 1.0, level, None) for level in (1, 2)]

    assert only(readings, call("/", Column("level_sum"), Column(READINGS))) == (1.5,)


def test_outputs_read_keys_and_the_start_of_the_pane() -> None:
    readings = [Reading(3 * WIDTH_US + 5, zone, None, 1.0, None, None) for zone in ("b", None)]
    rows = finish(query_of(Column("zone"), Column(TIME)), table_of(readings))

    assert [(row.pane_start, row.key, row.values, row.readings) for row in rows] == [
        (3 * WIDTH_US, ("b",), ("b", 3 * WIDTH_US), 1),
        (3 * WIDTH_US, (None,), (None, 3 * WIDTH_US), 1),
    ]


def test_a_query_without_keys_or_outputs_still_has_its_rows() -> None:
    table = WindowProgram(window_step(()), 1).run(batch_of(temps(1.0))).table
    (row,) = finish(query_of(), table)

    assert (row.key, row.values, row.readings) == ((), (), 1)


def test_a_sketch_may_be_read_inside_an_expression_and_twice() -> None:
    low, high = only(
        temps(10.0, 20.0, 40.0),
        call("floor", call("+", MEDIAN, MEDIAN)),
        call(">", call("quantile_of", Column("flow_buckets"), Constant(1)), MEDIAN),
    )

    assert isinstance(low, float)
    assert math.isclose(low, 40, rel_tol=0.03)
    assert high is True


@pytest.mark.parametrize(
    "output",
    [
        call("quantile_of", Column("flow_buckets"), Constant(1.5)),
        call("quantile_of", Column("flow_buckets"), Column("temps")),
        call("quantile_of", Column("devices"), Constant(0.5)),
        call("quantile_of", Column("temps"), Constant(0.5)),
        call("distinct_of", Column("flow_buckets")),
        call("distinct_of", Constant("devices")),
        Column("absent"),
    ],
)
def test_outputs_that_the_table_cannot_answer_are_refused(output: Expression) -> None:
    with pytest.raises(InvalidExpression):
        only(temps(1.0), output)


@settings(max_examples=80, deadline=None)
@given(readings=given_readings.READINGS)
def test_a_result_has_only_plain_finite_values_and_is_the_same_from_two_parts(
    readings: list[Reading],
) -> None:
    query = window_step().query
    assert isinstance(query, WindowQuery)
    rows = finish(query, table_of(readings))

    assert rows == finish(query, merge_tables([table_of(readings[:9]), table_of(readings[9:])]))
    assert sum(row.readings for row in rows) == len(readings)
    for row in rows:
        for value in row.values:
            assert (
                value is None or type(value) in (int, str) or (type(value) is float and math.isfinite(value))
            )
