"""A node in this process with parents as real processes: for faults that must happen at one exact instant."""

import asyncio
import contextlib
import errno
import os
import signal
import socket
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from fog_node.ingest.listener import ListenerSettings
from fog_node.journal.files import DiskFiles, Files
from fog_node.journal.settings import JournalSettings
from fog_node.node import run_node
from fog_node.runtimes.settings import RuntimeSettings
from fog_node.settings import NodeSettings
from fogline.model.clock import SystemClock
from fogline.testing.disk import ForgetfulDisk
from fogline.uplink.backoff import Backoff
from fogline.uplink.settings import LinkSettings
from tests.faults.device import Device
from tests.faults.site import fogline
from tests.faults.truth import Truth

SETTLE_WITHIN_S = 40.0


def free_port() -> int:
    """A port on loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Tier:
    """The cloud or an aggregator as a process that can be killed and started again at the same address."""

    def __init__(self, module: str, folder: Path, *flags: str) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self._module = module
        self._flags = ("--plaintext", "--listen", self.address, "--folder", str(folder), *flags)
        self._process: Process | None = None

    async def start(self, *instead: str) -> None:
        """Start, and return when it accepts connections; ``instead`` of its module, with these words first."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *(instead or (self._module,)), *self._flags), stdout=DEVNULL, stderr=PIPE
        )
        host, _, port = self.address.rpartition(":")
        async with asyncio.timeout(60):
            while not await accepts(host, int(port)):
                assert self._process.returncode is None, (await self._process.communicate())[1].decode()

    async def died(self) -> None:
        """Return when it has ended by itself."""
        assert self._process is not None
        await self._process.communicate()

    async def kill(self) -> None:
        """Kill -9."""
        if self._process is not None and self._process.returncode is None:
            os.kill(self._process.pid, signal.SIGKILL)
            await self._process.communicate()


def cloud_in(folder: Path, *flags: str) -> Tier:
    """The cloud."""
    return Tier("cloud", folder, "--anonymous", *flags)


def aggregator_in(folder: Path, name: str, parent: str) -> Tier:
    """An aggregator below a parent."""
    return Tier("aggregator", folder, "--name", name, "--parents", parent)


@asynccontextmanager
async def running(*tiers: Tier) -> AsyncIterator[None]:
    """Start tiers in this order; they are killed at the end."""
    try:
        for tier in tiers:
            await tier.start()
        yield
    finally:
        for tier in reversed(tiers):
            await tier.kill()


class House:
    """The node. Its journal lies on a real disk, or on one that forgets what was not synced."""

    def __init__(
        self,
        folder: Path,
        *parents: str,
        name: str = "node-1",
        journal: JournalSettings | None = None,
        files: Files | None = None,
    ) -> None:
        self.port = free_port()
        self.folder = folder
        self._files: Files = files or DiskFiles()
        self._settings = NodeSettings(
            name=name,
            folder=folder,
            parents=parents,
            listener=ListenerSettings(port=self.port),
            journal=journal or JournalSettings(),
            link=LinkSettings(tries=1, backoff=Backoff(base=0.05, cap=0.5)),
            runtimes=RuntimeSettings(docker=""),
        )
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Switch on, and return when devices can connect."""
        self.folder.mkdir(exist_ok=True)
        clock, rng, stopping = SystemClock(), Random(1), asyncio.Event()
        self._running = asyncio.create_task(
            run_node(self._settings, stopping, clock=clock, rng=rng, files=self._files), name="node"
        )
        async with asyncio.timeout(60):
            while not await accepts("127.0.0.1", self.port):
                assert not self._running.done(), self._running.exception()

    async def cut_power(self, device: Device, rng: Random) -> None:
        """Everything ends in one instant; the next start finds what was synced, and with luck a little more."""
        assert self._running is not None
        disk = self._files
        assert isinstance(disk, ForgetfulDisk)
        device.unplug()
        disk.fault = lambda _operation, _path: OSError(errno.EIO, "the power is off")
        self._files = disk.cut_power(rng)
        await self.switch_off()

    async def switch_off(self) -> None:
        """End the node without ceremony."""
        assert self._running is not None
        self._running.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError, ExceptionGroup):
            await self._running


@asynccontextmanager
async def at_work(house: House, device: Device) -> AsyncIterator[None]:
    """Node and device run inside; both are gone afterwards, whatever happens."""
    await house.start()
    link = asyncio.create_task(device.run(), name="device")
    try:
        yield
    finally:
        device.unplug()
        link.cancel()
        await house.switch_off()


async def deploy(spec: Path, server: str) -> None:
    """Deploy, and wait until the node runs the plan."""
    await fogline("deploy", str(spec), "--wait", "--server", server)


async def publish(device: Device, truth: Truth, rng: Random, ids: range, *, name: str = "d0") -> None:
    """Publish a message for each id and add it to the truth; returns when all are handed to the socket."""
    topic = f"drill/{name}/beat".encode()
    for id_ in ids:
        ts_ms, dice = time.time_ns() // 1_000_000, rng.randrange(2**30)
        truth.add(name, ts_ms, id_, dice)
        await device.publish(topic, b'{"ts":%d,"id":%d,"dice":%d}' % (ts_ms, id_, dice))
    await device.flush()


async def wrong_results(server: str, truth: Truth, *, settle: bool = True) -> list[str]:
    """What is wrong, now or once results have had time to settle; empty: nothing."""
    deadline = time.monotonic() + SETTLE_WITHIN_S
    while True:
        lines = (await fogline("results", "drill", "--server", server, "--json")).splitlines()
        wrong = truth.differences(lines)
        if not (wrong and settle) or time.monotonic() > deadline:
            return wrong


async def accepts(host: str, port: int) -> bool:
    """Whether somebody listens there."""
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        await asyncio.sleep(0)
        return False
    writer.close()
    return True
