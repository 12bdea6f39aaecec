"""The power goes while devices publish: what was not synced is gone, and still every message counts once.

``kill -9`` leaves the page cache alive, so here the journal lies on a disk that forgets. In one instant the
device's wire is cut, the disk refuses everything, and what it had synced is what the next start finds.
"""

import asyncio
import contextlib
import errno
import socket
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from fog_node.ingest.settings import ListenerSettings
from fog_node.node import run_node
from fog_node.settings import NodeSettings
from fogline.model.clock import SystemClock
from fogline.testing.disk import ForgetfulDisk
from tests.faults.device import Device
from tests.faults.site import fogline
from tests.faults.truth import PIPELINE, Truth

SEED = 20_261_123
CUTS = 6
BURST = 400
"""Messages between two looks at the dice."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def cloud(folder: Path) -> AsyncIterator[str]:
    """The cloud as a process; its address."""
    address = f"127.0.0.1:{free_port()}"
    process: Process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cloud", "--listen", address, "--dashboard", "", "--folder", str(folder)),
        stdout=DEVNULL,
        stderr=PIPE,
    )
    try:
        yield address
    finally:
        process.terminate()
        await process.communicate()


class House:
    """A node in this process, on a disk whose power can be cut."""

    def __init__(self, folder: Path, parent: str) -> None:
        self.port = free_port()
        self._settings = NodeSettings(
            name="node-1",
            folder=folder,
            parents=(parent,),
            listener=ListenerSettings(port=self.port),
        )
        self._disk = ForgetfulDisk()
        self._disk.make_folder(folder)
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Switch on, and return when devices can connect."""
        clock, rng, stopping = SystemClock(), Random(1), asyncio.Event()
        self._running = asyncio.create_task(
            run_node(self._settings, stopping, clock=clock, rng=rng, files=self._disk), name="node"
        )
        async with asyncio.timeout(20):
            while not await self._listens():
                assert not self._running.done(), self._running.exception()

    async def cut_power(self, device: Device, rng: Random) -> None:
        """Everything ends in one instant."""
        assert self._running is not None
        device.unplug()
        self._disk.fault = lambda _operation, _path: OSError(errno.EIO, "the power is off")
        found = self._disk.cut_power(rng)
        self._running.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError, ExceptionGroup):
            await self._running
        self._disk = found

    async def switch_off(self) -> None:
        assert self._running is not None
        self._running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._running

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            await asyncio.sleep(0)
            return False
        writer.close()
        return True


async def deployed(address: str, spec: Path) -> None:
    """Deploy as soon as the cloud answers, and wait until the node runs the plan."""
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(RuntimeError):
                await fogline("deploy", str(spec), "--wait", "--server", address)
                return


async def publish_burst(device: Device, truth: Truth, rng: Random, first: int) -> None:
    for id_ in range(first, first + BURST):
        ts_ms, dice = time.time_ns() // 1_000_000, rng.randrange(2**30)
        truth.add("d0", ts_ms, id_, dice)
        await device.publish(b"drill/d0/beat", b'{"ts":%d,"id":%d,"dice":%d}' % (ts_ms, id_, dice))
    await device.flush()


async def settled(address: str, truth: Truth) -> list[str]:
    """What is wrong once results have had time to settle; empty: nothing."""
    deadline = time.monotonic() + 40
    while True:
        lines = (await fogline("results", "drill", "--server", address, "--json")).splitlines()
        wrong = truth.differences(lines)
        if not wrong or time.monotonic() > deadline:
            return wrong


@pytest.mark.timeout(180)
async def test_every_message_counts_once_through_power_cuts(tmp_path: Path) -> None:
    rng = Random(SEED)
    truth, spec = Truth(), tmp_path / "drill.yaml"
    spec.write_text(PIPELINE)
    async with cloud(tmp_path / "cloud") as address:
        house = House(tmp_path / "node", address)
        await house.start()
        await deployed(address, spec)
        device = Device("device-0", "127.0.0.1", house.port, in_flight=2 * BURST)
        link = asyncio.create_task(device.run(), name="device")
        for cut in range(CUTS):
            for burst in range(rng.randrange(1, 6)):
                await publish_burst(device, truth, rng, (cut * 10 + burst) * BURST)
            acknowledged = device.acknowledged
            for _ in range(rng.randrange(200)):
                await asyncio.sleep(0)  # so many turns of the loop later, wherever the node is then
            await house.cut_power(device, rng)
            assert device.acknowledged >= acknowledged
            await house.start()
            device.plug_in()
        async with asyncio.timeout(30):
            await device.all_taken()
        link.cancel()
        wrong = await settled(address, truth)
        await house.switch_off()
    assert not wrong, f"seed {SEED}: {wrong[:5]}"
    assert device.repeated, "no cut hit a message in flight"
