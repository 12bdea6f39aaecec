"""Texts, and conversions between types. The work is done for each distinct value, not for each row."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from fogline.engine.arithmetic import narrowed, to_integers
from fogline.engine.batch import NULL_TEXT, BatchColumn, NumberColumn, TextColumn, TruthColumn
from fogline.engine.columns import (
    LEAST_INTEGER,
    all_valid,
    as_floats,
    as_texts,
    is_float,
    map_texts,
)

Columns = Sequence[BatchColumn]


def lower(columns: Columns) -> TextColumn:
    """Turn to lower case."""
    return map_texts(as_texts(columns[0]), str.lower)


def upper(columns: Columns) -> TextColumn:
    """Turn to upper case."""
    return map_texts(as_texts(columns[0]), str.upper)


def concat(columns: Columns) -> TextColumn:
    """Join texts, as SQL's ``||`` does: null if one of them is."""
    first, *others = (as_texts(column) for column in columns)
    joined = first
    for other in others:
        joined = _joined(joined, other)
    return joined


def _joined(a: TextColumn, b: TextColumn) -> TextColumn:
    width = max(len(b.dictionary), 1)
    pairs = np.where(
        (a.codes == NULL_TEXT) | (b.codes == NULL_TEXT), -1, a.codes.astype(np.int64) * width + b.codes
    )
    distinct, place = np.unique(pairs, return_inverse=True)
    places: dict[str, int] = {}
    codes = [
        NULL_TEXT
        if pair < 0
        else places.setdefault(a.dictionary[pair // width] + b.dictionary[pair % width], len(places))
        for pair in distinct.tolist()
    ]
    return TextColumn(codes=np.array(codes, dtype=np.int32)[place], dictionary=tuple(places))


def to_float(columns: Columns) -> NumberColumn:
    """Convert to floats: a text that is no finite number is null, true is 1."""
    column = columns[0]
    if isinstance(column, NumberColumn):
        return NumberColumn(values=as_floats(column), valid=column.valid)
    if isinstance(column, TruthColumn):
        return NumberColumn(values=column.values.astype(np.float64), valid=column.valid)
    return _parsed(column, _float_in, np.float64)


def to_int(columns: Columns) -> NumberColumn:
    """Convert to integers, halves away from zero; what int64 cannot hold or a text does not say is null."""
    column = columns[0]
    if isinstance(column, NumberColumn):
        if is_float(column):
            return to_integers(as_floats(column), column.valid)
        return NumberColumn(values=column.values, valid=column.valid)
    if isinstance(column, TruthColumn):
        return NumberColumn(values=column.values.astype(np.int64), valid=column.valid)
    return _parsed(column, _int_in, np.int64)


def to_text(columns: Columns) -> TextColumn:
    """Convert to texts: the shortest decimal that reads back as the same number; ``true`` and ``false``."""
    column = columns[0]
    if isinstance(column, TextColumn):
        return column
    valid = all_valid((column,))
    if isinstance(column, TruthColumn):
        codes = column.values.astype(np.int32)
        dictionary: tuple[str, ...] = ("false", "true")
    else:
        # Adding 0 turns -0.0 into 0.0: one number, one text.
        distinct, place = np.unique(column.values + 0, return_inverse=True)
        codes, dictionary = place.astype(np.int32), tuple(map(str, distinct.tolist()))
    if valid is not None:
        codes = np.where(valid, codes, np.int32(NULL_TEXT))
    return TextColumn(codes=codes, dictionary=dictionary)


def _parsed(column: TextColumn, parse: Callable[[str], float | None], kind: type[np.number]) -> NumberColumn:
    found = [parse(text) for text in column.dictionary]
    # One more place at the end: where the null code -1 looks.
    values = np.array([*(0 if one is None else one for one in found), 0], dtype=kind)
    known = np.array([*(one is not None for one in found), False])
    return NumberColumn(values=values[column.codes], valid=narrowed(None, known[column.codes]))


def _float_in(text: str) -> float | None:
    if "_" in text:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _int_in(text: str) -> int | None:
    # int() refuses longer texts in words of its own, and no int64 has more than 20 signs.
    if "_" in text or len(text) > 40:
        return None
    try:
        value = int(text)
    except ValueError:
        return None
    return value if LEAST_INTEGER <= value < 2**63 else None
