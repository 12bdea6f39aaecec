"""What befalls the Docker Engine of a host alone, while the host works."""

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from tests.engine import EngineAbsent
from tests.faults.machine import HANG_S, Machine
from tests.faults.sensor import RATE, Sensor
from tests.faults.site import fogline


class EngineFaults:
    """Faults of one host's Engine. What its operator answers is seen in the ledger: the Engine writes no log now."""

    def __init__(self, server: str, machine: Machine, sensor: Sensor) -> None:
        self._server: Final = server
        self._machine: Final = machine
        self._sensor: Final = sensor

    async def hang(self) -> None:
        """It hangs: that is said, messages are taken and answered all the same, and it passes."""
        (pid,) = self._machine.processes("dockerd", "--data-root")
        os.kill(pid, signal.SIGSTOP)
        try:
            await until(partial(self._stands, "running", "docker is away"))
            await self._goes_on()
        finally:
            os.kill(pid, signal.SIGCONT)
        await until(partial(self._stands, "running", ""))

    async def kill(self) -> None:
        """It is killed: messages are taken, and its next life runs another container, which answers."""
        (pid,) = self._machine.processes("dockerd", "--data-root")
        (before,) = self._machine.containers().values()
        os.kill(pid, signal.SIGKILL)
        await self._is_taken()
        await until(partial(self._other_container, before))
        await self._goes_on()
        await until(partial(self._stands, "running", ""))

    async def _is_taken(self) -> int:
        """Wait until more messages are acknowledged; how many are in all."""
        enough = self._sensor.device.acknowledged + RATE
        async with asyncio.timeout(HANG_S):
            while self._sensor.device.acknowledged < enough:  # noqa: ASYNC110 - devices have no event for it
                await asyncio.sleep(0.1)
        return self._sensor.device.acknowledged

    async def _goes_on(self) -> None:
        """More are taken, and their results committed."""
        await until(partial(self._committed, await self._is_taken()))

    async def _committed(self, messages: int) -> bool:
        (line,) = (await fogline("ledger", "drill", "--server", self._server, "--json")).splitlines()
        return bool(json.loads(line)["committed"] >= messages)

    async def _stands(self, state: str, fault: str) -> bool:
        """Whether the command line says so of the container; no ``fault``: none at all."""
        lines = (await fogline("containers", "drill", "--server", self._server, "--json")).splitlines()
        seen = [one for one in map(json.loads, lines) if one["node"] == self._machine.name]
        return any(
            one["state"] == state and (fault in one["fault"] if fault else not one["fault"]) for one in seen
        )

    async def _other_container(self, before: str) -> bool:
        try:
            found = await asyncio.to_thread(self._machine.containers)
        except (OSError, EngineAbsent):  # it begins
            return False
        return bool(found) and before not in found.values()


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it holds; raises TimeoutError."""
    async with asyncio.timeout(HANG_S):
        while not await holds():  # noqa: ASYNC110 - other processes are asked
            await asyncio.sleep(0.2)
