"""A clock that only goes when told to."""

import asyncio
import heapq
from typing import Final

from fogline.model.clock import SECOND


class ManualClock:
    """A :class:`fogline.model.clock.Clock` for tests; :meth:`advance` wakes who has slept enough."""

    def __init__(self, now_us: int = 1_700_000_000 * SECOND) -> None:
        self._start: Final = now_us
        self._now: Final = [now_us]
        self._sleepers: Final[list[tuple[int, int, asyncio.Future[None]]]] = []
        self._slept = 0
        self._more: Final = asyncio.Condition()

    def now_us(self) -> int:
        return self._now[0]

    def monotonic(self) -> float:
        return (self._now[0] - self._start) / SECOND

    async def sleep(self, seconds: float) -> None:
        """Return once the clock was advanced by this much."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._slept += 1
        heapq.heappush(self._sleepers, (self._now[0] + round(seconds * SECOND), self._slept, future))
        async with self._more:
            self._more.notify_all()
        await future

    async def advance(self, seconds: float) -> None:
        """Turn the clock on, instant by instant, and let those who wake at each run before the next."""
        end = self._now[0] + round(seconds * SECOND)
        while self._sleepers and self._sleepers[0][0] <= end:
            self._now[0], _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)
                await asyncio.sleep(0)
        self._now[0] = end
        await asyncio.sleep(0)

    @property
    def sleepers(self) -> int:
        """How many wait for the clock now."""
        return sum(not future.done() for _, _, future in self._sleepers)

    async def slept(self, times: int) -> None:
        """Wait until :meth:`sleep` was called this many times in all."""
        async with self._more:
            await self._more.wait_for(lambda: self._slept >= times)
