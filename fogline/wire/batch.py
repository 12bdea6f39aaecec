"""Batches between a node and an operator on the wire, and the judgement of what came from the other side.

An answer is foreign input: whatever is read from it was checked here, against the batch that was asked and the columns
that the plan promises.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fogline.engine.answer import RowAnswer
from fogline.engine.batch import (
    NULL_TEXT,
    Batch,
    BatchColumn,
    NumberColumn,
    TextColumn,
    TruthColumn,
    Truths,
)
from fogline.engine.columns import LARGEST_STEPS, compact, settled
from fogline.model.errors import InvalidInput
from fogline.model.plan import OutputColumn, OutputType
from fogline.model.protocol import Spoken
from fogline.v1 import operator_pb2

PROTOCOL: Final = 1
"""Newest version of the stream between node and operator."""
SPOKEN: Final = Spoken(oldest=max(1, PROTOCOL - 1), newest=PROTOCOL)
"""What this release speaks, on either side of it: an image lives longer than a release."""

TEXT_BYTES: Final = 64 * 1024
"""Of one text in an answer."""

ALL_TEXTS: Final = 8 << 20
"""Characters of all texts of an answer, each once: as keys of a window they must fit into one part."""

_I64: Final = np.dtype("<i8")
_F64: Final = np.dtype("<f8")
_I32: Final = np.dtype("<i4")
_U32: Final = np.dtype("<u4")
_U8: Final = np.dtype("u1")
_VALUES: Final[Mapping[str, np.dtype[Any]]] = {"float": _F64, "int": _I64, "bool": _U8}


class MalformedBatch(InvalidInput):
    """A batch or an answer that contradicts itself, the plan or the protocol."""


def batch_to_wire(batch: Batch, number: int, names: Iterable[str] = ()) -> operator_pb2.OperatorBatch:
    """Encode a batch with these columns, or all."""
    wanted = tuple(names) or tuple(batch.columns)
    return operator_pb2.OperatorBatch(
        id=number,
        rows=batch.rows,
        time_us=_bytes(batch.time_us, _I64),
        columns=[column_to_wire(name, batch.columns[name]) for name in wanted],
    )


def batch_from_wire(message: operator_pb2.OperatorBatch) -> Batch:
    """Decode a batch, or raise :class:`MalformedBatch` with the column."""
    columns = _columns_from_wire(message.columns, message.rows)
    time_us = _array(message.time_us, _I64, message.rows, "time_us")
    return Batch(rows=message.rows, time_us=time_us, columns=columns)


def rows_to_wire(
    number: int, input_rows: NDArray[np.integer[Any]], columns: Mapping[str, BatchColumn]
) -> operator_pb2.BatchRows:
    """Encode the rows for a batch; each names the row of the batch that it comes from."""
    return operator_pb2.BatchRows(
        id=number,
        rows=len(input_rows),
        input_row=_bytes(input_rows, _U32),
        columns=[column_to_wire(name, column) for name, column in columns.items()],
    )


def rows_from_wire(
    message: operator_pb2.BatchRows, asked: Batch, output: Sequence[OutputColumn], *, most_rows: int
) -> RowAnswer:
    """Decode the rows for a batch, or raise :class:`MalformedBatch` with what contradicts batch or plan.

    A float that is not finite is null, as one that SQL has computed; so is one beyond
    what its column's resolution can hold.
    """
    if message.rows > most_rows:
        raise MalformedBatch(f"{message.rows} rows for one batch, more than {most_rows}")
    input_rows = _array(message.input_row, _U32, message.rows, "input_row").astype(np.int64)
    if message.rows:
        if int(input_rows.max()) >= asked.rows:
            raise MalformedBatch(f"input_row {int(input_rows.max())} of a batch of {asked.rows} rows")
        if (input_rows[1:] < input_rows[:-1]).any():
            raise MalformedBatch("input_row descends")
    # One more than there shall be is enough to find what is wrong, however many there are.
    first = message.columns[: len(output) + 1]
    if len(first) > len(output):
        known = {one.name for one in output}
        for name in (column.name for column in first if column.name not in known):
            raise MalformedBatch(f"column {name[:80]!r} is not of this step")
    found = _columns_from_wire(first, message.rows)
    texts = (column.dictionary for column in found.values() if isinstance(column, TextColumn))
    if sum(len(text) for dictionary in texts for text in dictionary) > ALL_TEXTS:
        raise MalformedBatch(f"texts of more than {ALL_TEXTS} characters")
    columns = {one.name: _promised(found, one) for one in output}
    return RowAnswer(
        batch=Batch(rows=message.rows, time_us=asked.time_us[input_rows], columns=columns),
        input_rows=input_rows,
        filtered=asked.rows - distinct(input_rows),
    )


def distinct(ascending: NDArray[np.integer[Any]]) -> int:
    """How many different numbers stand in an ascending array."""
    return int(np.count_nonzero(np.diff(ascending))) + 1 if len(ascending) else 0


def type_of(column: BatchColumn) -> OutputType:
    """The type of a column as the wire calls it."""
    if isinstance(column, TextColumn):
        return "text"
    if isinstance(column, TruthColumn):
        return "bool"
    return "float" if column.values.dtype == np.float64 else "int"


def column_to_wire(name: str, column: BatchColumn) -> operator_pb2.BatchColumn:
    """Encode a column."""
    message = operator_pb2.BatchColumn(name=name, type=type_of(column))
    if isinstance(column, TextColumn):
        small = compact(column)
        message.dictionary.extend(small.dictionary)
        message.codes = _bytes(small.codes, _I32)
        return message
    message.values = _bytes(column.values, _VALUES[message.type])
    if column.valid is not None:
        message.valid = _bytes(column.valid, _U8)
    return message


def _columns_from_wire(messages: Sequence[operator_pb2.BatchColumn], rows: int) -> dict[str, BatchColumn]:
    columns: dict[str, BatchColumn] = {}
    for message in messages:
        if message.name in columns:
            raise MalformedBatch(f"column {message.name[:80]!r} stands twice")
        columns[message.name] = _column_from_wire(message, rows)
    return columns


def _column_from_wire(message: operator_pb2.BatchColumn, rows: int) -> BatchColumn:
    place = f"column {message.name[:80]!r}"
    if message.type == "text":
        return _text_from_wire(message, rows, place)
    if message.dictionary or message.codes:
        raise MalformedBatch(f"{place}: only a text has dictionary and codes")
    valid = _truths(message.valid, rows, f"{place}, valid") if message.valid else None
    if message.type == "bool":
        return TruthColumn(values=_truths(message.values, rows, place), valid=valid)
    if message.type == "int":
        return NumberColumn(values=_array(message.values, _I64, rows, place), valid=valid)
    if message.type == "float":
        return settled(_array(message.values, _F64, rows, place), valid)
    raise MalformedBatch(f"{place}: {message.type[:80]!r} is none of text, float, int and bool")


def _text_from_wire(message: operator_pb2.BatchColumn, rows: int, place: str) -> TextColumn:
    if message.values or message.valid:
        raise MalformedBatch(f"{place}: a text has codes, neither values nor valid")
    dictionary = tuple(message.dictionary)
    if len(set(dictionary)) < len(dictionary):
        raise MalformedBatch(f"{place}: two entries of the dictionary are alike")
    if any(len(text) > TEXT_BYTES // 4 and len(text.encode()) > TEXT_BYTES for text in dictionary):
        raise MalformedBatch(f"{place}: a text of more than {TEXT_BYTES} bytes")
    codes = _array(message.codes, _I32, rows, place)
    if rows and not NULL_TEXT <= int(codes.min()) <= int(codes.max()) < len(dictionary):
        raise MalformedBatch(f"{place}: a code that the dictionary of {len(dictionary)} texts has not")
    return TextColumn(codes=codes, dictionary=dictionary)


def _promised(found: Mapping[str, BatchColumn], column: OutputColumn) -> BatchColumn:
    """The column as the plan promises it, or raise :class:`MalformedBatch`."""
    there = found.get(column.name)
    if there is None:
        raise MalformedBatch(f"column {column.name!r} is missing")
    if type_of(there) != column.type:
        raise MalformedBatch(f"column {column.name!r} is {type_of(there)}, not {column.type}")
    if column.resolution is None or not isinstance(there, NumberColumn):
        return there
    with np.errstate(over="ignore", invalid="ignore"):
        fits = np.abs(there.values) <= LARGEST_STEPS * column.resolution
    valid = there.valid
    if not fits.all():
        valid = fits if valid is None else valid & fits
    return NumberColumn(values=there.values, valid=valid, resolution=column.resolution)


def _truths(raw: bytes, rows: int, place: str) -> Truths:
    values = _array(raw, _U8, rows, place)
    if rows and values.max() > 1:
        raise MalformedBatch(f"{place}: {int(values.max())} where only 0 and 1 may stand")
    return values.view(np.bool_)


def _bytes(values: NDArray[Any], dtype: np.dtype[Any]) -> bytes:
    return np.ascontiguousarray(values, dtype=dtype).tobytes()


def _array(raw: bytes, dtype: np.dtype[Any], count: int, place: str) -> NDArray[Any]:
    if len(raw) != count * dtype.itemsize:
        raise MalformedBatch(f"{place}: {len(raw)} bytes, where {count} values need {count * dtype.itemsize}")
    return np.frombuffer(raw, dtype=dtype)
