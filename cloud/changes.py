"""Tells followers that a pipeline's results have changed; what has, they read from the store."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

PipelineName = tuple[str, str]
"""Tenant and public name."""


class Changes:
    """One event a pipeline, replaced each time it fires: a slow follower costs nothing."""

    def __init__(self) -> None:
        self._events: dict[PipelineName, asyncio.Event] = {}
        self._waiting = 0
        self._told: set[PipelineName] = set()
        self._seen: dict[PipelineName, int] = {}
        self.ended = False
        """Nothing will be told any more; whoever follows is to go elsewhere."""

    @property
    def followed(self) -> bool:
        """Whether anybody waits for a change."""
        return self._waiting > 0

    def tell(self, tenant: str, pipeline: str) -> None:
        """Results of the pipeline have changed, and whoever waits will read all there is."""
        self._told.add((tenant, pipeline))
        event = self._events.pop((tenant, pipeline), None)
        if event is not None:
            event.set()

    def end(self) -> None:
        """Shutdown: let go of whoever waits."""
        self.ended = True
        for event in self._events.values():
            event.set()

    def next(self, tenant: str, pipeline: str) -> asyncio.Event:
        """The event of the next change; take it before reading, so that nothing falls between."""
        event = self._events.setdefault((tenant, pipeline), asyncio.Event())
        if self.ended:
            event.set()
        return event

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Wait for the change, at most this long."""
        self._waiting += 1
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await event.wait()
        finally:
            self._waiting -= 1

    def compare(self, newest: Mapping[PipelineName, int]) -> None:
        """Tell of what other processes have changed: ``newest`` are the numbers of the last changes in the store.

        A pipeline that this process has told of since the last comparison is not told of again; its number is then
        not known to be heard, and is told of at the next comparison.
        """
        told, self._told = self._told, set()
        for name, change in newest.items():
            if name in told:
                self._seen.pop(name, None)
            elif self._seen.get(name) != change:
                self.tell(*name)
                self._told.discard(name)
                self._seen[name] = change

    def forget(self) -> None:
        """Nobody follows: the next comparison knows nothing."""
        self._seen.clear()
        self._told.clear()
