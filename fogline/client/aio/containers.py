"""What containers write and use, and commands in them, on an event loop."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from types import TracebackType
from typing import Any, Final, Generic, Protocol, Self, TypeVar

import grpc.aio
from google.protobuf.message import Message

from fogline.client import containers
from fogline.client.aio.connection import AsyncConnection
from fogline.client.containers import CHUNK, ExecChunk, LogChunk, Usage
from fogline.client.errors import translated
from fogline.v1 import containers_pb2

T = TypeVar("T")
M = TypeVar("M", bound=Message)


class Call(Protocol):
    """What is read and ended of a call."""

    async def read(self) -> Any:
        """The next answer, or the end."""
        ...

    def cancel(self) -> bool:
        """End it."""
        ...


class _Answers(AsyncIterator[T], Generic[T]):
    """Answers as they come; one task reads them, and the first read asks. ``aclose`` it, or use ``async with``."""

    def __init__(self, connection: AsyncConnection, opening: Callable[[], Call]) -> None:
        self._connection: Final = connection
        self._opening: Final = opening
        self._call: Call | None = None
        self._closed = False

    async def aclose(self) -> None:
        """End the iteration."""
        self._closed = True
        if self._call is not None:
            self._call.cancel()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _next(self) -> Any:
        if self._closed:
            raise StopAsyncIteration
        try:
            with translated(self._connection.address):
                answer = await (await self._asked()).read()
        except asyncio.CancelledError:
            if self._ended_here():
                raise StopAsyncIteration from None
            self._connection.check_cancelled()
            raise
        if answer is grpc.aio.EOF:
            raise StopAsyncIteration
        return answer

    async def _asked(self) -> Call:
        if self._call is None:
            await self._connection.ready()
            self._call = self._opening()
            if self._closed:  # meanwhile
                self._call.cancel()
        return self._call

    def _ended_here(self) -> bool:
        """Whether this was closed, and not the task that reads it cancelled."""
        task = asyncio.current_task()
        return self._closed and (task is None or not task.cancelling())


class AsyncLogs(_Answers[LogChunk]):
    """What containers write. ``aclose`` it, or use ``async with``; any task may close it."""

    async def __anext__(self) -> LogChunk:
        return containers.log_chunk(await self._next())


class AsyncUsages(_Answers[tuple[Usage, ...]]):
    """What containers use, time and again; as :class:`AsyncLogs` is closed."""

    async def __anext__(self) -> tuple[Usage, ...]:
        return tuple(containers.usage(one) for one in (await self._next()).nodes)


class AsyncExecution(_Answers[ExecChunk]):
    """A command that runs: iterate what it writes, then ask for ``exit_code``. The first read starts it; closed, it is
    called off.
    """

    def __init__(self, connection: AsyncConnection, opening: Callable[[], Call]) -> None:
        super().__init__(connection, opening)
        self._exit_code: int | None = None

    @property
    def exit_code(self) -> int | None:
        """How it ended, a signal's number is 128 more; None: it has not."""
        return self._exit_code

    async def __anext__(self) -> ExecChunk:
        answer = await self._next()
        if answer.HasField("ended"):
            self._exit_code = answer.ended.exit_code
            raise StopAsyncIteration
        return containers.exec_chunk(answer)


async def exec_requests(
    ask: containers_pb2.ExecAsk, given: Iterable[bytes] | AsyncIterable[bytes]
) -> AsyncIterator[containers_pb2.ExecRequest]:
    """The requests of a command that is fed with this."""
    if isinstance(given, Iterable):
        for request in containers.exec_requests(ask, given):
            yield request
        return
    yield containers_pb2.ExecRequest(ask=ask)
    async for data in given:
        for at in range(0, len(data), CHUNK):
            yield containers_pb2.ExecRequest(data=data[at : at + CHUNK])
    yield containers_pb2.ExecRequest(end=True)
