"""Results that were asked for, for programs that block."""

from collections.abc import Iterable, Iterator
from typing import Final

from fogline.client import read
from fogline.client.connection import Connection
from fogline.client.errors import translated
from fogline.client.values import Result
from fogline.v1 import api_pb2

_DEADLINE: Final = 300.0


class Results(Iterable[Result]):
    """Results of a pipeline, oldest window first; each iteration reads them anew, a page at a time."""

    def __init__(self, connection: Connection, request: api_pb2.GetResultsRequest) -> None:
        self._connection: Final = connection
        self._request: Final = request

    def __iter__(self) -> Iterator[Result]:
        with translated(self._connection.address):
            call = self._connection.stream(self._request, timeout=_DEADLINE)
            try:
                for answer in call:
                    for message in answer.results:
                        yield read.result(message)
            finally:
                call.cancel()

    def __repr__(self) -> str:
        return f"<Results of {self._request.pipeline!r} at {self._connection.address}>"
