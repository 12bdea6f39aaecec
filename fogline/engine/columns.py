"""From column to column: which values are there, and how columns come to one type."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from fogline.engine.batch import (
    NULL_TEXT,
    BatchColumn,
    Floats,
    Integers,
    NumberColumn,
    TextColumn,
    TruthColumn,
    Truths,
)
from fogline.model.errors import InvalidInput
from fogline.model.plan import Scalar

T = TypeVar("T", bound=np.generic)

LEAST_INTEGER = -(2**63)

LARGEST_STEPS = 2**40
"""Steps of a column's resolution. An int64 then holds the sum of eight million readings of a pane at the limit."""


class InvalidExpression(InvalidInput):
    """An expression that has no meaning over the columns it is given."""

    code = "invalid_expression"


def constant(value: Scalar, rows: int) -> BatchColumn:
    """Repeat one value without memory a row; null is a column that can become one of any type.

    Raises :class:`InvalidExpression` for a number that no column can hold.
    """
    if value is None:
        return NumberColumn(values=repeat(np.int64(0), rows), valid=repeat(np.False_, rows))
    if isinstance(value, bool):
        return TruthColumn(values=repeat(np.bool_(value), rows))
    if isinstance(value, str):
        return TextColumn(codes=repeat(np.int32(0), rows), dictionary=(value,))
    if isinstance(value, float):
        if not np.isfinite(value):
            raise InvalidExpression(f"{value} is not a finite number")
        return NumberColumn(values=repeat(np.float64(value), rows))
    if not LEAST_INTEGER <= value < 2**63:
        raise InvalidExpression(f"{value} is not a 64-bit integer", hint="write it as a decimal number")
    return NumberColumn(values=repeat(np.int64(value), rows))


def repeat(value: T, rows: int) -> NDArray[T]:
    """See one value as a (read-only) column of this length."""
    column: NDArray[T] = np.broadcast_to(value, (rows,))
    return column


def valid_of(column: BatchColumn) -> Truths | None:
    """Tell where the column is not null; ``None``: everywhere."""
    if isinstance(column, TextColumn):
        valid = column.codes != NULL_TEXT
        return None if valid.all() else valid
    return column.valid


def all_valid(columns: Iterable[BatchColumn]) -> Truths | None:
    """Tell where none of the columns is null; ``None``: everywhere."""
    valid: Truths | None = None
    for column in columns:
        one = valid_of(column)
        if one is not None:
            valid = one if valid is None else valid & one
    return valid


def both(a: Truths | None, b: Truths | None) -> Truths | None:
    """Tell where both masks are true; ``None`` stands for true everywhere."""
    if a is None:
        return b
    return a if b is None else a & b


def mask_of(valid: Truths | None, rows: int) -> Truths:
    """Spell out a mask."""
    return np.ones(rows, dtype=np.bool_) if valid is None else valid


def is_all_null(column: BatchColumn) -> bool:
    """Whether no value is there; such a column is taken for one of any type."""
    valid = valid_of(column)
    return valid is not None and not valid.any()


def settled(values: Floats, valid: Truths | None) -> NumberColumn:
    """Make a column of computed floats: NaN and the infinities become null."""
    finite = np.isfinite(values)
    if finite.all():
        return NumberColumn(values=values, valid=valid)
    return NumberColumn(values=values, valid=both(valid, finite))


def as_numbers(column: BatchColumn) -> NumberColumn:
    """Take a column for numbers. Raises :class:`InvalidExpression` if it holds anything else."""
    if isinstance(column, NumberColumn):
        return column
    if is_all_null(column):
        return NumberColumn(values=np.zeros(len(column), dtype=np.int64), valid=valid_of(column))
    raise InvalidExpression("a number is needed here", hint="convert with to_float or to_int")


def as_truths(column: BatchColumn) -> TruthColumn:
    """Take a column for truths. Raises :class:`InvalidExpression` if it holds anything else."""
    if isinstance(column, TruthColumn):
        return column
    if is_all_null(column):
        return TruthColumn(values=np.zeros(len(column), dtype=np.bool_), valid=valid_of(column))
    raise InvalidExpression("a condition is needed here", hint="compare with something")


def as_texts(column: BatchColumn) -> TextColumn:
    """Take a column for texts. Raises :class:`InvalidExpression` if it holds anything else."""
    if isinstance(column, TextColumn):
        return column
    if is_all_null(column):
        return TextColumn(codes=np.full(len(column), NULL_TEXT, dtype=np.int32), dictionary=())
    raise InvalidExpression("a text is needed here", hint="convert with to_text")


def is_float(column: NumberColumn) -> bool:
    """Whether the numbers are floats."""
    return column.values.dtype.kind == "f"


def as_floats(column: NumberColumn) -> Floats:
    """Widen the numbers of a column; integers beyond 2**53 are rounded to the nearest float."""
    return column.values.astype(np.float64, copy=False)


def as_integers(column: NumberColumn) -> Integers:
    """Take the numbers of an integer column."""
    return column.values.astype(np.int64, copy=False)


Unified = list[NumberColumn] | list[TextColumn] | list[TruthColumn]


def unified(columns: Sequence[BatchColumn]) -> Unified:
    """Bring columns to one type: nulls fit any, integers beside floats become floats, texts share codes.

    Raises :class:`InvalidExpression` for types that do not meet.
    """
    kinds = {type(column) for column in columns if not is_all_null(column)} or {type(columns[0])}
    if len(kinds) > 1:
        raise InvalidExpression("numbers, texts and truths cannot be mixed here")
    (kind,) = kinds
    if kind is TextColumn:
        return _one_dictionary([as_texts(column) for column in columns])
    if kind is TruthColumn:
        return [as_truths(column) for column in columns]
    numbers = [as_numbers(column) for column in columns]
    if any(is_float(number) for number in numbers):
        return [NumberColumn(values=as_floats(number), valid=number.valid) for number in numbers]
    return [NumberColumn(values=number.values, valid=number.valid) for number in numbers]


def _one_dictionary(columns: list[TextColumn]) -> list[TextColumn]:
    first = columns[0].dictionary
    if all(column.dictionary == first for column in columns):
        return columns
    places = {text: code for code, text in enumerate(first)}
    moves = [[places.setdefault(text, len(places)) for text in column.dictionary] for column in columns]
    dictionary = tuple(places)
    return [recode(column, move, dictionary) for column, move in zip(columns, moves, strict=True)]


def recode(column: TextColumn, codes: Sequence[int] | Integers, dictionary: tuple[str, ...]) -> TextColumn:
    """Replace the dictionary: ``codes`` has the new code of each old one; null stays null."""
    # One more place at the end, so that the null code -1 maps to itself.
    moved = np.full(len(codes) + 1, NULL_TEXT, dtype=np.int32)
    moved[:-1] = codes
    return TextColumn(codes=moved[column.codes], dictionary=dictionary)


def compact(column: TextColumn) -> TextColumn:
    """Leave texts without a row out of a dictionary that has more texts than there are rows.

    A decoder may hand out one dictionary for hours; what is done for each text would grow with it.
    """
    size = len(column.dictionary)
    if size <= len(column):
        return column
    used = np.flatnonzero(np.bincount(column.codes[column.codes != NULL_TEXT], minlength=size))
    codes = np.zeros(size, dtype=np.int64)
    codes[used] = np.arange(len(used))
    return recode(column, codes, tuple([column.dictionary[code] for code in used.tolist()]))


def map_texts(column: TextColumn, change: Callable[[str], str]) -> TextColumn:
    """Change every text: once for each dictionary entry, not for each row."""
    places: dict[str, int] = {}
    codes = [places.setdefault(change(text), len(places)) for text in column.dictionary]
    return recode(column, codes, tuple(places))
