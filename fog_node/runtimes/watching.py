"""Who wants to hear of containers' changes, hears of them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from fog_node.runtimes.runtime import Change

WAITING: Final = 256


class Changes:
    """Hands each change to whoever follows. One who does not read loses the oldest: a change is only a hint."""

    def __init__(self) -> None:
        self._followers: Final[set[asyncio.Queue[Change]]] = set()

    def tell(self, change: Change) -> None:
        """Hand it on."""
        for queue in self._followers:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(change)

    async def follow(self) -> AsyncIterator[Change]:
        """Every change from now on."""
        queue: asyncio.Queue[Change] = asyncio.Queue(WAITING)
        self._followers.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._followers.discard(queue)
