"""Between the engine's columns and what a person works with: numpy arrays, lists, single values."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fogline.engine.batch import (
    NULL_TEXT,
    BatchColumn,
    NumberColumn,
    TextColumn,
    TruthColumn,
    Truths,
    text_column,
)
from fogline.engine.columns import constant, is_all_null, settled, valid_of
from fogline.model.errors import InvalidInput
from fogline.model.plan import OutputType, Scalar

Values = NDArray[Any] | Sequence[Scalar] | BatchColumn | Scalar
"""What a column can be made of. A single value holds for every row; None, NaN and what is masked is null."""


class WrongColumn(InvalidInput):
    """Values that are no column, or not the one that was promised."""


def array_of(column: BatchColumn) -> NDArray[Any]:
    """A column as an array.

    Floats: float64, NaN for null. Integers and truths: int64 and bool, a masked array where some are null. Texts:
    objects, None for null.
    """
    if isinstance(column, TextColumn):
        texts = np.array([*column.dictionary, None], dtype=np.object_)
        return texts[column.codes]
    if column.valid is None:
        return column.values
    if column.values.dtype == np.float64:
        return np.where(column.valid, column.values, np.nan)
    masked: NDArray[Any] = np.ma.MaskedArray(column.values, mask=~column.valid)
    return masked


def column_of(name: str, values: Values, rows: int) -> BatchColumn:
    """A column out of what somebody computed. Raises :class:`WrongColumn`."""
    if isinstance(values, NumberColumn | TextColumn | TruthColumn):
        column: BatchColumn = values
    elif values is None or isinstance(values, str | bool | int | float):
        column = constant(_finite(values), rows)
    elif isinstance(values, np.generic):
        column = constant(_finite(values.item()), rows)
    else:
        column = _of_many(name, values)
    if len(column) != rows:
        raise WrongColumn(f"column {name!r} has {len(column)} values, the batch {rows} rows")
    return column


def as_type(name: str, column: BatchColumn, wanted: OutputType) -> BatchColumn:
    """The column as one of this type, where no value changes. Raises :class:`WrongColumn`."""
    if is_all_null(column):
        return _nulls(wanted, len(column))
    if wanted == "text" and isinstance(column, TextColumn):
        return column
    if wanted == "bool" and isinstance(column, TruthColumn):
        return column
    if wanted == "float" and isinstance(column, NumberColumn):
        return settled(column.values.astype(np.float64), column.valid)
    if wanted == "int" and isinstance(column, NumberColumn):
        return _whole(name, column)
    raise WrongColumn(f"column {name!r} is {_kind(column)}, the pipeline promises {wanted}")


def _of_many(name: str, values: NDArray[Any] | Sequence[Scalar]) -> BatchColumn:
    valid: Truths | None = None
    if isinstance(values, np.ma.MaskedArray):
        valid = ~np.ma.getmaskarray(values)
        values = values.filled(values.dtype.type()) if values.dtype != np.object_ else values.filled(None)
    array = values if isinstance(values, np.ndarray) else _array(list(values))
    if array.ndim != 1:
        raise WrongColumn(f"column {name!r} has {array.ndim} dimensions, not one")
    if array.dtype == np.bool_:
        return TruthColumn(values=array, valid=valid)
    if array.dtype.kind == "f":
        return settled(array.astype(np.float64), valid)
    if array.dtype.kind in "iu":
        if array.dtype == np.uint64 and len(array) and int(array.max()) >= 2**63:
            raise WrongColumn(f"column {name!r} has integers beyond 64 bits")
        return NumberColumn(values=array.astype(np.int64), valid=valid)
    if array.dtype.kind in "UO":
        return _of_objects(name, array.tolist(), valid)
    raise WrongColumn(f"column {name!r} is of {array.dtype}; numbers, truths and texts are taken")


def _array(values: list[Scalar]) -> NDArray[Any]:
    """As numpy sees it only where it changes nothing: it makes texts of a list with one text in it."""
    kinds = set(map(type, values))
    if kinds in ({float}, {bool}) or (kinds == {int} and all(-(2**63) <= v < 2**63 for v in values)):  # type: ignore[operator]  # ints
        return np.array(values)
    array = np.empty(len(values), dtype=np.object_)
    array[:] = values
    return array


def _of_objects(name: str, values: list[Any], valid: Truths | None) -> BatchColumn:
    if valid is not None:
        values = [v if ok else None for v, ok in zip(values, valid.tolist(), strict=True)]
    values = [v.item() if isinstance(v, np.generic) else v for v in values]
    there = [v for v in values if v is not None]
    kinds = set(map(type, there))
    if kinds <= {str}:
        return text_column(values)
    present = np.array([v is not None for v in values])
    mask = None if len(there) == len(values) else present
    if kinds == {bool}:
        return TruthColumn(values=np.array([bool(v) for v in values]), valid=mask)
    if kinds == {int}:
        if not all(-(2**63) <= v < 2**63 for v in there):
            raise WrongColumn(f"column {name!r} has integers beyond 64 bits")
        return NumberColumn(values=np.array([v or 0 for v in values], dtype=np.int64), valid=mask)
    if kinds <= {int, float}:
        return settled(np.array([0.0 if v is None else v for v in values], dtype=np.float64), mask)
    names = ", ".join(sorted(kind.__name__ for kind in kinds))
    raise WrongColumn(f"column {name!r} mixes {names}; a column is of one of text, float, int and bool")


def _whole(name: str, column: NumberColumn) -> NumberColumn:
    if column.values.dtype == np.int64:
        return column
    valid = valid_of(column)
    values = column.values if valid is None else np.where(valid, column.values, 0.0)
    if (values != np.rint(values)).any() or (np.abs(values) >= 2.0**63).any():
        raise WrongColumn(f"column {name!r} has fractions, the pipeline promises int")
    return NumberColumn(values=values.astype(np.int64), valid=valid)


def _nulls(wanted: OutputType, rows: int) -> BatchColumn:
    none = np.zeros(rows, dtype=np.bool_)
    if wanted == "text":
        return TextColumn(codes=np.full(rows, NULL_TEXT, dtype=np.int32), dictionary=())
    if wanted == "bool":
        return TruthColumn(values=none, valid=none)
    if wanted == "float":
        return NumberColumn(values=np.zeros(rows, dtype=np.float64), valid=none)
    return NumberColumn(values=np.zeros(rows, dtype=np.int64), valid=none)


def _finite(value: Scalar) -> Scalar:
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _kind(column: BatchColumn) -> str:
    if isinstance(column, TextColumn):
        return "text"
    if isinstance(column, TruthColumn):
        return "bool"
    return "float" if column.values.dtype == np.float64 else "int"
