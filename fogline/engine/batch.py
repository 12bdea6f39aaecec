"""Batches: the columns of many readings, side by side.

SQL's null is never a value in an array: numbers and truths have a mask, texts the code -1. What stands under
a null in ``values`` means nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]
Codes = NDArray[np.int32]
Rows = NDArray[np.intp] | NDArray[np.bool_]
"""A choice of rows: their indexes in the wanted order, or a mask."""

NULL_TEXT = -1
"""The code of SQL's null in a :class:`TextColumn`."""

TIME = "__time"
"""The name under which an expression reads a reading's event time (an integer, microseconds)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NumberColumn:
    """Integers or floats. No NaN and no infinity where ``valid`` is true."""

    values: Floats | Integers
    valid: Truths | None = None
    """False where the value is null; ``None``: no value is."""
    resolution: float | None = None
    """The sensor's grid, if the column is a field that declares one."""

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: Rows) -> "NumberColumn":
        """Return the chosen rows."""
        return NumberColumn(
            values=self.values[rows],
            valid=None if self.valid is None else self.valid[rows],
            resolution=self.resolution,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TextColumn:
    """Texts as codes into a dictionary of distinct texts; :data:`NULL_TEXT` for null."""

    codes: Codes
    dictionary: tuple[str, ...]
    """May hold texts that no row has."""

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: Rows) -> "TextColumn":
        """Return the chosen rows; the dictionary stays."""
        return TextColumn(codes=self.codes[rows], dictionary=self.dictionary)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TruthColumn:
    """True, false or, where ``valid`` is false, null."""

    values: Truths
    valid: Truths | None = None
    """False where the value is null; ``None``: no value is."""

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: Rows) -> "TruthColumn":
        """Return the chosen rows."""
        return TruthColumn(values=self.values[rows], valid=None if self.valid is None else self.valid[rows])


BatchColumn = NumberColumn | TextColumn | TruthColumn


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """Readings as columns of equal length."""

    rows: int
    time_us: Integers
    """Event time of each reading, microseconds since 1970-01-01 UTC."""
    columns: Mapping[str, BatchColumn]
    """Labels and fields by name."""

    def take(self, rows: Rows) -> "Batch":
        """Return the chosen rows of every column."""
        time_us = self.time_us[rows]
        columns = {name: column.take(rows) for name, column in self.columns.items()}
        return Batch(rows=len(time_us), time_us=time_us, columns=columns)


def text_column(texts: Sequence[str | None]) -> TextColumn:
    """Encode texts; the dictionary is in order of first appearance."""
    places: dict[str, int] = {}
    codes = [NULL_TEXT if text is None else places.setdefault(text, len(places)) for text in texts]
    return TextColumn(codes=np.array(codes, dtype=np.int32), dictionary=tuple(places))


def concat(batches: Sequence[Batch]) -> Batch:
    """Join batches of the same columns one after another. At least one is needed.

    Raises :class:`TypeError` if a column is a text here and a number there.
    """
    if len(batches) == 1:
        return batches[0]
    return Batch(
        rows=sum(batch.rows for batch in batches),
        time_us=np.concatenate([batch.time_us for batch in batches]),
        columns={name: concat_columns([b.columns[name] for b in batches]) for name in batches[0].columns},
    )


def concat_columns(columns: Sequence[BatchColumn]) -> BatchColumn:
    """Join columns of one type one after another; at least one is needed.

    A resolution survives only if all have it. Raises :class:`TypeError` for columns of different types.
    """
    numbers = [column for column in columns if isinstance(column, NumberColumn)]
    if len(numbers) == len(columns):
        resolutions = {column.resolution for column in numbers}
        return NumberColumn(
            values=np.concatenate([column.values for column in numbers]),
            valid=_concat_valid(numbers),
            resolution=resolutions.pop() if len(resolutions) == 1 else None,
        )
    texts = [column for column in columns if isinstance(column, TextColumn)]
    if len(texts) == len(columns):
        return _concat_texts(texts)
    truths = [column for column in columns if isinstance(column, TruthColumn)]
    if len(truths) == len(columns):
        return TruthColumn(
            values=np.concatenate([column.values for column in truths]), valid=_concat_valid(truths)
        )
    raise TypeError(f"columns of different types: {sorted({type(column).__name__ for column in columns})}")


def _concat_valid(columns: Sequence[NumberColumn | TruthColumn]) -> Truths | None:
    if all(column.valid is None for column in columns):
        return None
    masks = [np.ones(len(c), dtype=np.bool_) if c.valid is None else c.valid for c in columns]
    return np.concatenate(masks)


def _concat_texts(columns: Sequence[TextColumn]) -> TextColumn:
    places: dict[str, int] = {}
    pieces: list[Codes] = []
    for column in columns:
        # One more place at the end, so that the null code -1 maps to itself.
        moved = np.full(len(column.dictionary) + 1, NULL_TEXT, dtype=np.int32)
        moved[:-1] = [places.setdefault(text, len(places)) for text in column.dictionary]
        pieces.append(moved[column.codes])
    return TextColumn(codes=np.concatenate(pieces), dictionary=tuple(places))
