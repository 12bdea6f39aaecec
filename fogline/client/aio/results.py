"""Results that were asked for, on an event loop."""

from collections.abc import AsyncIterable, AsyncIterator
from typing import Final

from fogline.client import read
from fogline.client.aio.connection import Connection
from fogline.client.errors import translated
from fogline.client.values import Result
from fogline.v1 import api_pb2

_DEADLINE: Final = 300.0


class AsyncResults(AsyncIterable[Result]):
    """Results of a pipeline, oldest window first; each iteration reads them anew, a page at a time."""

    def __init__(self, connection: Connection, request: api_pb2.GetResultsRequest) -> None:
        self._connection: Final = connection
        self._request: Final = request

    async def __aiter__(self) -> AsyncIterator[Result]:
        with translated(self._connection.address):
            call = self._connection.stream(self._request, timeout=_DEADLINE)
            try:
                while isinstance(answer := await call.read(), api_pb2.GetResultsResponse):
                    for message in answer.results:
                        yield read.result(message)
            finally:
                call.cancel()

    def __repr__(self) -> str:
        return f"<AsyncResults of {self._request.pipeline!r} at {self._connection.address}>"
