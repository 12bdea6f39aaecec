"""Messages that wait to be written to a stream: bounded, handed over together."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

BATCH_BYTES: Final = 256 * 1024
"""So much is handed over at once, so that reports get their turn in between."""


class Post(Generic[T]):
    """A queue with one reader. Belongs to the event loop."""

    def __init__(self, *, most_bytes: int, size: Callable[[T], int]) -> None:
        self._most: Final = most_bytes
        self._size: Final = size
        self._waiting: Final[deque[T]] = deque()
        self._bytes = 0
        self._filled: Final = asyncio.Event()

    def put(self, message: T) -> bool:
        """Take a message if there is room; whether there was."""
        if self._bytes + self._size(message) > self._most:
            return False
        self.force(message)
        return True

    def force(self, message: T) -> None:
        """Take a message in any case: for small ones that end something."""
        self._waiting.append(message)
        self._bytes += self._size(message)
        self._filled.set()

    async def take(self) -> list[T]:
        """Wait until there is something, and take it, the oldest first."""
        await self._filled.wait()
        taken: list[T] = []
        room = BATCH_BYTES
        while self._waiting and (not taken or room >= self._size(self._waiting[0])):
            message = self._waiting.popleft()
            room -= self._size(message)
            taken.append(message)
        self._bytes -= BATCH_BYTES - room
        if not self._waiting:
            self._filled.clear()
        return taken

    def clear(self) -> None:
        """Nobody will read what waits."""
        self._waiting.clear()
        self._bytes = 0
        self._filled.clear()
