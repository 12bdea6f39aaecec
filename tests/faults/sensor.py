"""A sensor that numbers its messages, and never gives one up."""

import asyncio
import json
import random
import time
from typing import Final

from tests.faults.device import Device
from tests.faults.machine import Machine

RATE: Final = 25
"""Messages a second."""


class Sensor:
    """Publishes to one host."""

    def __init__(self, machine: Machine, rng: random.Random) -> None:
        self.device: Final = Device(machine.name, *machine.listener, in_flight=100_000, patience_s=2.0)
        self.sent: Final[dict[int, int]] = {}
        """The dice of each message."""
        self.stopping: Final = asyncio.Event()
        self._machine: Final = machine
        self._rng: Final = rng
        self._next = 0

    async def run(self) -> None:
        """Publish until :attr:`stopping`; what is not acknowledged is sent again meanwhile."""
        topic = f"drill/{self._machine.name}/beat".encode()
        while not self.stopping.is_set():
            number, self._next = self._next, self._next + 1
            dice = self.sent[number] = self._rng.randrange(2**30)
            message = {"ts": time.time_ns() // 1_000_000, "id": number, "dice": dice, "number": str(number)}
            await self.device.publish(topic, json.dumps(message).encode())
            await asyncio.sleep(1 / RATE)

    @property
    def newest(self) -> int:
        """The number of the newest message."""
        return self._next - 1
