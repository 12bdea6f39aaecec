"""Tells followers that a pipeline's results have changed; what has, they read from the store."""

import asyncio
from contextlib import suppress


class Changes:
    """One event a pipeline, replaced each time it fires: a slow follower costs nothing."""

    def __init__(self) -> None:
        self._events: dict[tuple[str, str], asyncio.Event] = {}

    def tell(self, tenant: str, pipeline: str) -> None:
        """Results of the pipeline have changed."""
        event = self._events.pop((tenant, pipeline), None)
        if event is not None:
            event.set()

    def next(self, tenant: str, pipeline: str) -> asyncio.Event:
        """The event of the next change; take it before reading, so that nothing falls between."""
        return self._events.setdefault((tenant, pipeline), asyncio.Event())

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Wait for the change, at most this long: another process may have written."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()
