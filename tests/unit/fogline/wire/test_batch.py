"""Batches and answers on the wire: what goes in comes out, and nothing else gets in."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fogline.engine.batch import Batch, BatchColumn, NumberColumn, TextColumn, TruthColumn, text_column
from fogline.engine.columns import LARGEST_STEPS, valid_of
from fogline.model.plan import OutputColumn, Scalar
from fogline.operator.batch import Batch as Given
from fogline.operator.columns import array_of
from fogline.v1 import operator_pb2
from fogline.wire.batch import (
    TEXT_BYTES,
    MalformedBatch,
    batch_from_wire,
    batch_to_wire,
    rows_from_wire,
    rows_to_wire,
    type_of,
)

OUTPUT = (
    OutputColumn(name="zone", type="text"),
    OutputColumn(name="temp", type="float", resolution=0.5),
    OutputColumn(name="n", type="int"),
    OutputColumn(name="hot", type="bool"),
)
ASKED = Batch(rows=3, time_us=np.array([10, 20, 30]), columns={})

nullable_rows = st.lists(
    st.fixed_dictionaries(
        {
            "zone": st.none() | st.text(max_size=5),
            "temp": st.none() | st.floats(allow_nan=False, allow_infinity=False),
            "n": st.none() | st.integers(-(2**63), 2**63 - 1),
            "hot": st.none() | st.booleans(),
            "time_us": st.integers(0, 2**50),
        }
    ),
    max_size=8,
)


@given(nullable_rows)
def test_what_goes_in_comes_out(rows: list[dict[str, Scalar]]) -> None:
    message = batch_to_wire(Given.of(rows).whole, 7)
    again = operator_pb2.OperatorBatch.FromString(message.SerializeToString())
    assert again.id == 7
    assert Given(batch_from_wire(again)).to_dicts() == Given.of(rows).to_dicts()


def columns() -> dict[str, BatchColumn]:
    return {
        "zone": text_column(["a", None]),
        "temp": NumberColumn(values=np.array([1.5, 2.0])),
        "n": NumberColumn(values=np.array([1, 2]), valid=np.array([True, False])),
        "hot": TruthColumn(values=np.array([True, False])),
    }


def answer() -> operator_pb2.BatchRows:
    return rows_to_wire(1, np.array([0, 2]), columns())


def test_rows_take_the_time_of_the_row_that_they_come_from() -> None:
    read = rows_from_wire(answer(), ASKED, OUTPUT, most_rows=10)
    assert read.batch.time_us.tolist() == [10, 30]
    assert read.input_rows.tolist() == [0, 2]
    assert read.filtered == 1
    temp = read.batch.columns["temp"]
    assert isinstance(temp, NumberColumn)
    assert temp.resolution == 0.5


def test_several_rows_may_come_from_one() -> None:
    read = rows_from_wire(rows_to_wire(1, np.array([1, 1]), columns()), ASKED, OUTPUT, most_rows=10)
    assert read.batch.time_us.tolist() == [20, 20]
    assert read.filtered == 2


def test_floats_that_are_not_finite_or_beyond_the_grid_are_null() -> None:
    values = np.array([np.nan, np.inf, -np.inf, LARGEST_STEPS, 1.0])
    asked = Batch(rows=5, time_us=np.zeros(5, dtype=np.int64), columns={})
    message = rows_to_wire(1, np.arange(5), {"temp": NumberColumn(values=values)})
    read = rows_from_wire(message, asked, [OUTPUT[1]], most_rows=10)
    valid = valid_of(read.batch.columns["temp"])
    assert valid is not None
    assert valid.tolist() == [False, False, False, False, True]


def _column(message: operator_pb2.BatchRows, name: str) -> operator_pb2.BatchColumn:
    return next(column for column in message.columns if column.name == name)


def _set_rows(n: int) -> Callable[[operator_pb2.BatchRows], None]:
    def change(message: operator_pb2.BatchRows) -> None:
        message.rows = n

    return change


def _set_input(*rows: int) -> Callable[[operator_pb2.BatchRows], None]:
    def change(message: operator_pb2.BatchRows) -> None:
        message.input_row = np.array(rows, dtype="<u4").tobytes()

    return change


def _set(name: str, field: str, value: object) -> Callable[[operator_pb2.BatchRows], None]:
    def change(message: operator_pb2.BatchRows) -> None:
        setattr(_column(message, name), field, value)

    return change


def _drop(name: str) -> Callable[[operator_pb2.BatchRows], None]:
    def change(message: operator_pb2.BatchRows) -> None:
        message.columns.remove(_column(message, name))

    return change


def _again(name: str) -> Callable[[operator_pb2.BatchRows], None]:
    def change(message: operator_pb2.BatchRows) -> None:
        message.columns.append(_column(message, name))

    return change


def _words(name: str, *words: str) -> Callable[[operator_pb2.BatchRows], None]:
    def change(message: operator_pb2.BatchRows) -> None:
        del _column(message, name).dictionary[:]
        _column(message, name).dictionary.extend(words)

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_set_rows(3), "bytes, where 3 values"),
        (_set_rows(11), "more than 10"),
        (_set_rows(2**32 - 1), "more than 10"),
        (_set_input(0), "input_row: 4 bytes"),
        (_set_input(2, 0), "descends"),
        (_set_input(0, 3), "input_row 3 of a batch of 3"),
        (_set_input(0, 2**32 - 1), "of a batch of 3"),
        (_drop("temp"), "'temp' is missing"),
        (_again("temp"), "'temp' stands twice"),
        (_set("temp", "name", "heat"), "'temp' is missing"),
        (_set("hot", "type", "float"), "'hot': 2 bytes"),
        (_set("n", "type", "float"), "'n' is float, not int"),
        (_set("temp", "type", "complex"), "'complex' is none of"),
        (_set("temp", "values", b"\0" * 15), "15 bytes"),
        (_set("temp", "valid", b"\1"), "valid: 1 bytes"),
        (_set("temp", "valid", b"\1\2"), "2 where only 0 and 1"),
        (_set("hot", "values", b"\1\7"), "7 where only 0 and 1"),
        (_set("temp", "codes", b"\0" * 8), "only a text has"),
        (_set("zone", "values", b"\0" * 8), "neither values nor valid"),
        (_set("zone", "codes", np.array([0, 1], dtype="<i4").tobytes()), "a code that the dictionary"),
        (_set("zone", "codes", np.array([0, -2], dtype="<i4").tobytes()), "a code that the dictionary"),
        (_words("zone", "a", "a"), "are alike"),
        (_words("zone", "a" * (TEXT_BYTES + 1)), "a text of more than"),
        (
            _words("zone", *(f"{n:0{TEXT_BYTES}}" for n in range(129))),
            "texts of more than 8388608 characters",
        ),
    ],
)
def test_an_answer_that_contradicts_batch_or_plan_is_refused(
    change: Callable[[operator_pb2.BatchRows], None], said: str
) -> None:
    message = answer()
    change(message)
    with pytest.raises(MalformedBatch, match=said):
        rows_from_wire(message, ASKED, OUTPUT, most_rows=10)


def test_a_column_that_nobody_asked_for_is_refused() -> None:
    extra = {**columns(), "x": NumberColumn(values=np.array([1, 2]))}
    with pytest.raises(MalformedBatch, match="'x' is not of this step"):
        rows_from_wire(rows_to_wire(1, np.array([0, 1]), extra), ASKED, OUTPUT, most_rows=10)


@given(st.binary(max_size=200))
def test_any_bytes_are_rows_or_refused(raw: bytes) -> None:
    message = answer()
    try:
        message.MergeFromString(raw)
        read = rows_from_wire(message, ASKED, OUTPUT, most_rows=10)
    except (MalformedBatch, ValueError, RuntimeError):
        return  # protobuf's own errors are told apart by gRPC before anything gets here
    except Exception as error:
        if type(error).__module__.startswith("google.protobuf"):
            return
        raise
    for column in read.batch.columns.values():
        assert len(array_of(column)) == read.batch.rows


small = st.integers(0, 4)
any_columns = st.builds(
    operator_pb2.BatchColumn,
    name=st.sampled_from(["zone", "temp", "n", "hot", "other"]),
    type=st.sampled_from(["text", "float", "int", "bool", "bytes"]),
    values=st.sampled_from([1, 8]).flatmap(lambda width: small.map(lambda n: b"\1" * (width * n))),
    valid=small.map(lambda n: b"\1" * n),
    dictionary=st.lists(st.sampled_from("ab"), max_size=3),
    codes=st.lists(st.integers(-2, 3), max_size=4).map(lambda codes: np.array(codes, dtype="<i4").tobytes()),
)
any_rows = st.builds(
    operator_pb2.BatchRows,
    rows=small,
    input_row=st.lists(small, max_size=4).map(lambda rows: np.array(rows, dtype="<u4").tobytes()),
    columns=st.lists(any_columns, max_size=5),
)


@given(any_rows, st.sets(st.sampled_from(OUTPUT), max_size=2))
def test_what_is_not_refused_is_what_batch_and_plan_say(
    message: operator_pb2.BatchRows, output: set[OutputColumn]
) -> None:
    try:
        read = rows_from_wire(message, ASKED, tuple(output), most_rows=3)
    except MalformedBatch:
        return
    rows = read.input_rows.tolist()
    assert len(rows) == read.batch.rows == message.rows <= 3
    assert rows == sorted(rows)
    assert set(rows) <= {0, 1, 2}
    assert read.filtered == 3 - len(set(rows))
    assert read.batch.time_us.tolist() == [[10, 20, 30][row] for row in rows]
    assert {name: type_of(column) for name, column in read.batch.columns.items()} == {
        one.name: one.type for one in output
    }
    for column in read.batch.columns.values():
        assert len(array_of(column)) == len(rows)


def test_a_dictionary_of_hours_is_not_sent_whole() -> None:
    words = tuple(f"w{n}" for n in range(1000))
    batch = Batch(
        rows=2,
        time_us=np.zeros(2, dtype=np.int64),
        columns={"zone": TextColumn(codes=np.array([999, -1], dtype=np.int32), dictionary=words)},
    )
    (column,) = batch_to_wire(batch, 1).columns
    assert list(column.dictionary) == ["w999"]


def test_only_the_columns_that_are_wanted_are_sent() -> None:
    batch = Given.of([{"a": 1, "b": 2.0}]).whole
    assert [column.name for column in batch_to_wire(batch, 1, ["b"]).columns] == ["b"]
