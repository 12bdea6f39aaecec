"""Working ahead: while no parent can be reached, what is journaled is still read and given to operators.

What comes of it is kept, within bounds, and goes up as soon as a parent says that it is the next thing it wants.
Nothing depends on it: whatever turns out not to fit is forgotten and made again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from fogline.model.clock import Clock
from fogline.model.errors import FogError

AHEAD_BYTES: Final = 4 * 1024 * 1024
"""State of one origin that is kept for a parent that is away; beyond it messages wait in the journal."""
REST_S: Final = 5.0
"""After something failed that reading needs."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class AheadWork:
    """Steps, one after another, while no stream asks for parts."""

    def __init__(self, step: Callable[[], Awaitable[None]], clock: Clock) -> None:
        """``step`` does a little and waits where there is nothing to do; it may be cancelled at any await."""
        self._step: Final = step
        self._clock: Final = clock
        self._alone: Final = asyncio.Event()
        self._alone.set()
        self._under_way: asyncio.Task[None] | None = None

    def pause(self) -> None:
        """A stream asks for parts from now on: the step that is under way does nothing more."""
        self._alone.clear()
        if self._under_way is not None:
            self._under_way.cancel()

    def resume(self) -> None:
        """Nobody asks for parts."""
        self._alone.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            while not self._alone.is_set():  # again: a stream may have come since it was told
                await self._alone.wait()
            self._under_way = asyncio.ensure_future(self._one())
            try:
                await asyncio.wait((self._under_way,))
            finally:
                self._under_way.cancel()
            if not self._under_way.cancelled():
                self._under_way.result()

    async def _one(self) -> None:
        try:
            await self._step()
        except FogError as error:
            _log.warning("cannot work ahead", error=error)
            await self._clock.sleep(REST_S)
