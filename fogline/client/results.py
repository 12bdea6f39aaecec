"""Results that were asked for, for programs that block."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Final

from fogline.client import frames
from fogline.client.asks import PAGE_SIZE, Wanted
from fogline.client.connection import Connection
from fogline.client.notebook import SHOWN, results_html
from fogline.client.values import Result

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa


class Results(Iterable[Result]):
    """Results of a pipeline, oldest window first; each iteration reads them anew, a page at a time.

    Two pages are two looks: a window that changes in between shows the one or the other.
    """

    def __init__(self, connection: Connection, wanted: Wanted) -> None:
        self._connection: Final = connection
        self._wanted: Final = wanted

    def __iter__(self) -> Iterator[Result]:
        return self._connection.pages(self._wanted.pages(PAGE_SIZE))

    def to_pandas(self) -> "pd.DataFrame":
        """Read everything into a pandas frame (:func:`fogline.client.frames.to_pandas`)."""
        return frames.to_pandas(self)

    def to_polars(self) -> "pl.DataFrame":
        """Read everything into a polars frame (:func:`fogline.client.frames.to_polars`)."""
        return frames.to_polars(self)

    def to_arrow(self) -> "pa.Table":
        """Read everything into an Arrow table (:func:`fogline.client.frames.to_arrow`)."""
        return frames.to_arrow(self)

    def __repr__(self) -> str:
        return f"<Results of {self._wanted.pipeline!r} at {self._connection.address}>"

    def _repr_html_(self) -> str:
        some = self._connection.pages(self._wanted.pages(SHOWN + 1))
        return results_html(self._wanted.pipeline, list(islice(some, SHOWN + 1)))
