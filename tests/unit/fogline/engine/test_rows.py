import pytest
from hypothesis import given

from fogline.engine.batch import NumberColumn, TextColumn
from fogline.engine.expression import InvalidExpression
from fogline.engine.finish import scalars
from fogline.engine.rows import RowProgram
from fogline.model.plan import Call, Column, Constant, Expression, Named, RowQuery, StepSpec
from tests.unit.fogline.engine import readings as given_readings
from tests.unit.fogline.engine.readings import Reading, batch_of, window_step

COLUMNS = (
    Named(name="where", expression=Column("zone")),
    Named(name="double", expression=Call("*", (Column("temp"), Constant(2)))),
    Named(name="temp", expression=Column("temp")),
)


def program(where: Expression | None) -> RowProgram:
    query = RowQuery(columns=COLUMNS)
    return RowProgram(StepSpec(name="hot", source="air", stream="air", where=where, query=query))


@given(readings=given_readings.READINGS)
def test_rows_are_those_for_which_the_condition_is_true(readings: list[Reading]) -> None:
    answer = program(Call(">", (Column("temp"), Constant(20)))).run(batch_of(readings))

    kept = [place for place, one in enumerate(readings) if one.temp is not None and one.temp > 20]
    assert answer.input_rows.tolist() == kept
    assert answer.filtered == len(readings) - len(kept)
    assert answer.batch.rows == len(kept)
    assert answer.batch.time_us.tolist() == [readings[place].time_us for place in kept]
    assert scalars(answer.batch.columns["where"]) == [readings[place].zone for place in kept]
    doubles = [2 * temp for place in kept if (temp := readings[place].temp) is not None]
    assert scalars(answer.batch.columns["double"]) == doubles


def test_without_a_condition_every_row_passes() -> None:
    answer = program(None).run(batch_of([Reading(7, "a", None, 1.0, None, None)] * 2))

    assert answer.input_rows.tolist() == [0, 1]
    assert answer.filtered == 0


def test_a_condition_that_holds_everywhere_copies_nothing() -> None:
    batch = batch_of([Reading(7, "a", None, 1.0, None, None)])
    answer = program(Constant(True)).run(batch)

    zone, before = answer.batch.columns["where"], batch.columns["zone"]
    assert isinstance(zone, TextColumn)
    assert isinstance(before, TextColumn)
    assert zone.codes is before.codes


def test_a_plain_field_keeps_its_resolution_and_a_computed_one_has_none() -> None:
    columns = program(None).run(batch_of([Reading(7, "a", None, 1.0, None, None)])).batch.columns
    plain, computed = columns["temp"], columns["double"]

    assert isinstance(plain, NumberColumn)
    assert isinstance(computed, NumberColumn)
    assert (plain.resolution, computed.resolution) == (0.01, None)


def test_a_window_query_is_refused() -> None:
    with pytest.raises(InvalidExpression, match="no row query"):
        RowProgram(window_step())
