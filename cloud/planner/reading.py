"""Processes that read specs: one for each, and after a deploy the next one made ready, for a while.

Importing the SQL parser takes half a second of a processor, which is most of a deploy. Who develops a pipeline deploys
again and again; a cloud at rest keeps no memory for it.
"""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from typing import Final

from fogline.model.clock import Clock

LOOK_EVERY_S: Final = 1.0
BEHIND_S: Final = 3.0
"""What is deployed starts first."""
SPARE_S: Final = 300.0
"""How long after a deploy the next reader is kept: some 60 MiB."""


class Readers:
    """Gives out processes of ``cloud.planner.reader`` that have read nothing yet."""

    def __init__(self, clock: Clock) -> None:
        self._clock: Final = clock
        self._spare: Process | None = None
        self._taken_at = float("-inf")

    async def take(self) -> Process:
        """A reader: who takes it ends it."""
        self._taken_at = self._clock.monotonic()
        spare, self._spare = self._spare, None
        if spare is not None and spare.returncode is None:
            return spare
        return await _start()

    async def run(self) -> None:
        """Make the next one ready behind each that was taken, and let go of it in the end; until cancelled."""
        try:
            while True:
                await self._clock.sleep(LOOK_EVERY_S)
                rested = self._clock.monotonic() - self._taken_at
                if rested >= SPARE_S:
                    await self._close()
                elif rested >= BEHIND_S and self._spare is None:
                    self._spare = await _start()
        finally:
            await self._close()

    async def _close(self) -> None:
        spare, self._spare = self._spare, None
        if spare is not None:
            await end(spare)


async def _start() -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cloud.planner.reader", stdin=PIPE, stdout=PIPE
    )


async def end(process: Process) -> None:
    """Whatever it does: end it."""
    if process.returncode is None:
        process.kill()
    # Read out what it may have said, which closes its pipes.
    await process.communicate()
