"""Results that were asked for, on an event loop."""

from collections.abc import AsyncIterable, AsyncIterator
from typing import TYPE_CHECKING, Final

from fogline.client import frames
from fogline.client.aio.connection import AsyncConnection
from fogline.client.asks import PAGE_SIZE, Wanted
from fogline.client.values import Result

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa


class AsyncResults(AsyncIterable[Result]):
    """Results of a pipeline, oldest window first; each iteration reads them anew, a page at a time.

    Two pages are two looks: a window that changes in between shows the one or the other. Nothing stays open
    between two pages, so that an iteration may be left at any time.
    """

    def __init__(self, connection: AsyncConnection, wanted: Wanted) -> None:
        self._connection: Final = connection
        self._wanted: Final = wanted

    def __aiter__(self) -> AsyncIterator[Result]:
        return self._connection.pages(self._wanted.pages(PAGE_SIZE))

    async def to_pandas(self) -> "pd.DataFrame":
        """Read everything into a pandas frame (:func:`fogline.client.frames.to_pandas`)."""
        return frames.to_pandas([result async for result in self])

    async def to_polars(self) -> "pl.DataFrame":
        """Read everything into a polars frame (:func:`fogline.client.frames.to_polars`)."""
        return frames.to_polars([result async for result in self])

    async def to_arrow(self) -> "pa.Table":
        """Read everything into an Arrow table (:func:`fogline.client.frames.to_arrow`)."""
        return frames.to_arrow([result async for result in self])

    def __repr__(self) -> str:
        return f"<AsyncResults of {self._wanted.pipeline!r} at {self._connection.address}>"
