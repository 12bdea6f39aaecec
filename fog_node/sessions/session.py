"""One session's two directions, each with its credit."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

from fog_node.runtimes.runtime import Output
from fog_node.sessions.buffer import Buffer
from fogline.control.post import Post
from fogline.control.sessions import WINDOW
from fogline.model.errors import InvalidInput
from fogline.v1 import control_pb2


class Session:
    """What one asker is told, and feeds. Belongs to the event loop."""

    def __init__(self, name: str, post: Post[control_pb2.SessionOutput], *, lossy: bool) -> None:
        """``lossy``: who does not read in time misses something, and is told how much."""
        self._name: Final = name
        self._post: Final = post
        self._buffer: Final = Buffer(lossy=lossy)
        self._credit = WINDOW
        self._moved: Final = asyncio.Event()
        self._fed: Final[deque[bytes]] = deque()
        self._fed_bytes = 0
        self._closed = False
        self._more: Final = asyncio.Event()

    async def put(self, output: Output) -> None:
        """Tell what a container wrote; returns once there is room for more."""
        self._buffer.add(output)
        self._flush()
        while self._buffer.full:
            await self._move()

    async def finish(self, last: control_pb2.SessionOutput) -> None:
        """Tell the last, once the asker has taken all before it."""
        while not self._buffer.empty:
            await self._move()
        self._post.force(last)

    def feed(self, fed: control_pb2.SessionInput) -> None:
        """What the asker sends. Raises :class:`InvalidInput` if it is more than was allowed."""
        self._credit += fed.credit
        if fed.data:
            self._fed.append(fed.data)
            self._fed_bytes += len(fed.data)
        if self._fed_bytes > WINDOW:
            raise InvalidInput("more input came than was allowed")
        self._closed = self._closed or fed.end
        self._more.set()
        self._flush()
        self._moved.set()

    async def given(self) -> AsyncIterator[bytes]:
        """What the asker feeds, until it ends; what is taken may be followed by as much."""
        while True:
            while self._fed:
                data = self._fed.popleft()
                yield data
                self._fed_bytes -= len(data)
                self._post.force(control_pb2.SessionOutput(id=self._name, credit=len(data)))
            if self._closed:
                return
            self._more.clear()
            await self._more.wait()

    async def _move(self) -> None:
        self._moved.clear()
        await self._moved.wait()

    def _flush(self) -> None:
        while (piece := self._buffer.take(self._credit)) is not None:
            self._credit -= len(piece.data)
            self._post.force(
                control_pb2.SessionOutput(
                    id=self._name, channel=piece.channel, data=piece.data, dropped=piece.dropped
                )
            )
