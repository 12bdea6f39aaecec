"""What an operator's function is given and gives back: rows, column by column."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fogline.engine.batch import Batch as Columns
from fogline.engine.batch import BatchColumn
from fogline.model.plan import Scalar
from fogline.operator.columns import Values, WrongColumn, array_of, column_of

TIME: Final = "time_us"
"""Key of the event time in rows that are dictionaries."""


class Batch:
    """Rows of one block, column by column. Never changes: every method gives a new one.

    Each row knows the row of the node's batch that it comes from; it keeps that row's event time.
    """

    __slots__ = ("_columns", "_input_rows")

    def __init__(self, columns: Columns, input_rows: NDArray[np.int64] | None = None) -> None:
        """``input_rows``: where each row comes from; ``None``: this is the node's batch itself."""
        self._columns = columns
        self._input_rows = np.arange(columns.rows) if input_rows is None else input_rows

    @staticmethod
    def of(rows: Iterable[Mapping[str, Scalar]]) -> "Batch":
        """Make a batch of dictionaries; ``time_us`` is the event time (microseconds since 1970 UTC), 0 without one."""
        given = list(rows)
        names = list(dict.fromkeys(name for row in given for name in row if name != TIME))
        columns = {n: column_of(n, [row.get(n) for row in given], len(given)) for n in names}
        time_us = np.array([int(row.get(TIME) or 0) for row in given], dtype=np.int64)
        return Batch(Columns(rows=len(given), time_us=time_us, columns=columns))

    def __len__(self) -> int:
        return self._columns.rows

    def __contains__(self, name: object) -> bool:
        return name in self._columns.columns

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Give a column as an array, to be read only.

        Floats have NaN for null, texts None; integers and truths are a masked array where some are null. Raises
        :class:`KeyError` with the names that there are.
        """
        return array_of(self.column(name))

    def __repr__(self) -> str:
        return f"<Batch of {len(self)} rows: {', '.join(self.names)}>"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self._columns.columns)

    @property
    def time_us(self) -> NDArray[np.int64]:
        """Event time of each row, microseconds since 1970-01-01 UTC."""
        return self._columns.time_us

    @property
    def input_rows(self) -> NDArray[np.int64]:
        """For each row the row of the node's batch that it comes from."""
        return self._input_rows

    @property
    def whole(self) -> Columns:
        """The rows as the engine keeps them."""
        return self._columns

    @property
    def columns(self) -> Mapping[str, BatchColumn]:
        """The columns as the engine keeps them: values with a mask, texts as codes into a dictionary."""
        return self._columns.columns

    def column(self, name: str) -> BatchColumn:
        """Give a column as the engine keeps it. Raises :class:`KeyError` with the names that there are."""
        try:
            return self._columns.columns[name]
        except KeyError:
            raise KeyError(f"no column {name!r}; there are {', '.join(self.names)}") from None

    def with_columns(self, **columns: Values) -> "Batch":
        """Add or replace columns: arrays, lists or a single value for all rows; None, NaN and masked is null.

        Raises :class:`fogline.operator.columns.WrongColumn` for another number of values than there are rows.
        """
        made = {name: column_of(name, values, len(self)) for name, values in columns.items()}
        return self._with({**self._columns.columns, **made})

    def select(self, *names: str) -> "Batch":
        """Keep these columns only."""
        return self._with({name: self.column(name) for name in names})

    def filter(self, mask: NDArray[Any] | Sequence[bool]) -> "Batch":
        """Keep the rows for which the mask is true; what is masked counts as false."""
        chosen = (
            np.ma.filled(mask, fill_value=False) if isinstance(mask, np.ma.MaskedArray) else np.asarray(mask)
        )
        if chosen.shape != (len(self),):
            raise WrongColumn(f"a mask of {len(self)} truths is needed, not one of shape {chosen.shape}")
        return self.take(np.flatnonzero(chosen.astype(np.bool_)))

    def take(self, rows: NDArray[np.integer[Any]] | Sequence[int]) -> "Batch":
        """Give the rows at these places; one that stands several times yields several rows.

        Raises :class:`ValueError` if the places descend: rows stay in the order of the batch.
        """
        places = np.asarray(rows, dtype=np.int64)
        if (places[1:] < places[:-1]).any():
            raise ValueError("the places descend; sort them")
        return Batch(self._columns.take(places), self._input_rows[places])

    def to_dicts(self) -> list[dict[str, Scalar]]:
        """Spell out the rows as dictionaries with ``time_us``; null is None."""
        columns = {name: _spelt(array_of(column)) for name, column in self._columns.columns.items()}
        times = self.time_us.tolist()
        return [
            {TIME: time, **{name: values[row] for name, values in columns.items()}}
            for row, time in enumerate(times)
        ]

    def _with(self, columns: Mapping[str, BatchColumn]) -> "Batch":
        made = Columns(rows=len(self), time_us=self.time_us, columns=columns)
        return Batch(made, self._input_rows)


def _spelt(array: NDArray[Any]) -> list[Scalar]:
    values: list[Scalar] = array.tolist()
    return [None if isinstance(value, float) and value != value else value for value in values]  # noqa: PLR0124 - NaN
