"""Bytes that come on the event loop, for a thread that sends them."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import Future
from threading import Event
from typing import Final


class Ended(Exception):
    """Whoever wanted it sent is gone."""


class Feeding(Iterator[bytes]):
    """Iterates in a thread over what a generator of the event loop gives. What that raises is raised in the thread."""

    def __init__(self, body: AsyncGenerator[bytes, None]) -> None:
        """On the event loop."""
        self._body: Final = body
        self._loop: Final = asyncio.get_running_loop()
        self._idle: Final = asyncio.Event()
        self._idle.set()
        self._pending: Future[bytes | None] | None = None
        self._ended: Final = Event()

    def __next__(self) -> bytes:
        """The next bytes, in the thread. Raises :class:`Ended`, so that half a body is never taken for a whole one."""
        if self._ended.is_set():
            raise Ended
        self._pending = asyncio.run_coroutine_threadsafe(self._next(), self._loop)
        if self._ended.is_set():
            self._pending.cancel()
        chunk = self._pending.result()
        if self._ended.is_set():
            raise Ended
        if chunk is None:
            raise StopIteration
        return chunk

    async def _next(self) -> bytes | None:
        self._idle.clear()
        try:
            return await anext(self._body, None)
        finally:
            self._idle.set()

    async def end(self) -> None:
        """On the event loop: nothing more is sent, and the generator is closed."""
        self._ended.set()
        if self._pending is not None:
            self._pending.cancel()
        await self._idle.wait()
        await self._body.aclose()
