"""Results as they change, on an event loop."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Final, Self, TypeVar

from fogline.client.aio.connection import AsyncConnection, Call
from fogline.client.errors import translated
from fogline.client.trail import Batch, Trail
from fogline.client.values import Result
from fogline.model.errors import FogError
from fogline.v1 import api_pb2

T = TypeVar("T")


class AsyncFollowing(AsyncIterator[Result]):
    """Changes of a pipeline's results, in their order, for as long as one asks; one task reads it.

    A broken connection is made again behind what was handed out. A read that is cancelled loses nothing: the
    next one goes on. ``aclose`` it, or use ``async with``; any task may close it, which ends the iteration.
    """

    def __init__(self, connection: AsyncConnection, trail: Trail) -> None:
        self._connection: Final = connection
        self._trail: Final = trail
        self._closed: Final = asyncio.Event()
        self._call: Call | None = None

    @property
    def resume_token(self) -> str:
        """Where to go on: ``client.follow(pipeline, resume_token=...)``, also in another process.

        It stands behind the newest batch of which every result was handed out: going on there repeats at most
        the results of one batch and leaves none out. :meth:`batches` repeats none.
        """
        return self._trail.resume_token

    async def batches(self) -> AsyncIterator[Batch]:
        """Yield the changes as they come together, each batch with the token behind it.

        Store what was made of a batch and its token in one transaction, and each change is handled once.
        """
        while (batch := await self._next(self._trail.next_batch)) is not None:
            yield batch

    async def aclose(self) -> None:
        """End the iteration."""
        self._closed.set()
        self._hang_up()

    async def __anext__(self) -> Result:
        if (result := await self._next(self._trail.next_result)) is None:
            raise StopAsyncIteration
        return result

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        state = "closed" if self._closed.is_set() else "open"
        return f"<AsyncFollowing {self._trail.pipeline!r} at {self._connection.address}, {state}>"

    async def _next(self, take: Callable[[], T | None]) -> T | None:
        """Take from the trail, after a further answer if need be; None when this is closed."""
        while not self._closed.is_set():
            if (taken := take()) is not None:
                return taken
            await self._read()
        return None

    async def _read(self) -> None:
        broken: FogError | None = None
        try:
            with translated(self._connection.address):
                if self._call is None:
                    await self._connection.ready()
                    self._call = self._connection.stream(self._trail.request())
                answer = await self._call.read()
                if isinstance(answer, api_pb2.GetResultsResponse):  # else the end
                    self._trail.take(answer)
                    return
        except asyncio.CancelledError:
            # gRPC ends the whole call with its read; the next read opens another behind the same token.
            self._hang_up()
            task = asyncio.current_task()
            if self._closed.is_set() and (task is None or not task.cancelling()):
                return
            self._connection.check_cancelled()
            raise
        except FogError as error:
            broken = error
        self._hang_up()
        await self._pause(self._trail.lost(broken, now=time.monotonic()))

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closed.wait()
        except TimeoutError:
            return

    def _hang_up(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call.cancel()
