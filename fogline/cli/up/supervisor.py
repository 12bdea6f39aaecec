"""Starts the tiers, starts again what dies, stops them in order."""

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Final

from fogline.cli.up.child import Child, describe_end
from fogline.cli.up.folder import Folder
from fogline.cli.up.restarts import QUICK, Deaths, after_death
from fogline.cli.up.tiers import Tiers
from fogline.model.errors import FogError

_STOP_WITHIN: Final = 10.0
"""Seconds that a tier has to end after SIGTERM before it is killed."""
_HOPELESS: Final = 4
"""So many quick deaths in a row before everything was ready once: the start has failed."""


class Supervisor:
    """Keeps the tiers of one ``up`` running.

    ``say`` prints a line for people.
    """

    def __init__(self, tiers: Tiers, folder: Folder, *, say: Callable[[str], None]) -> None:
        self._tiers: Final = tiers
        self._folder: Final = folder
        self._say: Final = say
        self._stopping = False
        self._was_ready = False

    def ready(self) -> None:
        """Everything was up once: from now on a process that keeps dying is started again for ever."""
        self._was_ready = True

    async def run(self) -> None:
        """Start the tiers and keep them running until cancelled; then stop them, nodes first.

        Raises :class:`FogError` if a tier cannot be started at all.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for child in self._tiers.all:
                    group.create_task(self._keep(child), name=f"keep {child.name} running")
        finally:
            # Cancelled or failed: this task has still to wait for processes, so it must not be in the group.
            await self._stop()

    async def _keep(self, child: Child) -> None:
        deaths = Deaths()
        while True:
            child.start()
            self._folder.write_endpoints(self._tiers.endpoints(os.getpid()))
            code = await child.ended()
            deaths = after_death(deaths, child.lived)
            self._report(child, code, deaths)
            if not self._was_ready and deaths.quick >= _HOPELESS:
                raise FogError(
                    f"{child.name} does not start", hint=f"its log is in {self._folder.path / 'logs'}"
                )
            await asyncio.sleep(deaths.delay)

    def _report(self, child: Child, code: int, deaths: Deaths) -> None:
        again = f"in {deaths.delay:.1f} s" if deaths.delay else "now"
        self._say(f"{child.name} {describe_end(code)} after {child.lived:.0f} s; it starts again {again}")
        if code > 0 or child.lived < QUICK:
            for line in self._folder.log_tail(child.name):
                self._say(f"  {child.name}: {line}")

    async def _stop(self) -> None:
        first = (*self._tiers.nodes, self._tiers.dashboard)
        for group in (first, (self._tiers.aggregator,), (self._tiers.cloud,)):
            await asyncio.gather(*(_stop_child(child) for child in group))
        self._folder.remove_endpoints()


async def _stop_child(child: Child) -> None:
    if child.pid is None:
        return
    child.signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(_STOP_WITHIN):
            await child.ended()
    except TimeoutError:
        child.signal(signal.SIGKILL)
        await child.ended()
