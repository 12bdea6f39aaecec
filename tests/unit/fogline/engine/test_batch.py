import numpy as np
import pytest
from hypothesis import given

from fogline.engine.batch import (
    Batch,
    BatchColumn,
    NumberColumn,
    TruthColumn,
    concat,
    concat_columns,
    text_column,
)
from fogline.engine.finish import scalars
from tests.unit.fogline.engine import readings as given_readings
from tests.unit.fogline.engine.readings import Reading, batch_of


def content(batch: Batch) -> list[list[object]]:
    return [batch.time_us.tolist(), *(list(scalars(column)) for column in batch.columns.values())]


@given(some=given_readings.READINGS, others=given_readings.READINGS)
def test_joined_batches_hold_all_readings_one_after_another(
    some: list[Reading], others: list[Reading]
) -> None:
    joined = concat([batch_of(some), batch_of(others)])

    assert joined.rows == len(some) + len(others)
    assert content(joined) == content(batch_of(some + others))


@given(readings=given_readings.READINGS)
def test_taking_rows_takes_them_from_every_column(readings: list[Reading]) -> None:
    rows = np.arange(len(readings))[::-2]
    taken = batch_of(readings).take(rows)

    assert taken.rows == len(rows)
    assert content(taken) == content(batch_of([readings[row] for row in rows]))


def test_one_batch_joined_is_itself() -> None:
    batch = batch_of([])

    assert concat([batch]) is batch


def test_a_resolution_survives_where_all_have_it() -> None:
    coarse, fine = (NumberColumn(values=np.ones(1), resolution=step) for step in (0.5, 0.1))

    for columns, resolution in (([fine, fine], 0.1), ([fine, coarse], None)):
        joined = concat_columns(columns)
        assert isinstance(joined, NumberColumn)
        assert joined.resolution == resolution


def test_truths_are_joined_and_taken_with_their_nulls() -> None:
    known = TruthColumn(values=np.array([True, False]))
    some = TruthColumn(values=np.array([True, True]), valid=np.array([True, False]))

    assert scalars(concat_columns([known, some])) == [True, False, True, None]
    assert scalars(concat_columns([known, known])) == [True, False, True, False]
    assert scalars(known.take(np.array([1]))) == [False]
    assert scalars(some.take(np.array([1, 0]))) == [None, True]


@pytest.mark.parametrize(
    "other", [text_column(["a"]), TruthColumn(values=np.array([True]))], ids=["text", "truth"]
)
def test_columns_of_different_types_are_not_joined(other: BatchColumn) -> None:
    with pytest.raises(TypeError, match="NumberColumn"):
        concat_columns([NumberColumn(values=np.ones(1)), other])


def test_texts_are_encoded_once_each() -> None:
    column = text_column(["b", None, "a", "b"])

    assert column.dictionary == ("b", "a")
    assert column.codes.tolist() == [0, -1, 1, 0]
