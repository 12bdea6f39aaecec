"""One process that runs a replica: its output, its limits, its end."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Final

from fog_node.runtimes.process import kernel
from fog_node.runtimes.process.output import Kept
from fog_node.runtimes.process.spawning import socket_of
from fog_node.runtimes.runtime import (
    STDERR,
    STDOUT,
    Change,
    Condition,
    Container,
    ContainerSpec,
    Limits,
    Usage,
)
from fogline.model.clock import Clock

LOOK_EVERY_S: Final = 0.5


class Signals(Enum):
    """What can be said to all processes of a replica."""

    TERMINATE = signal.SIGTERM
    PAUSE = signal.SIGSTOP
    UNPAUSE = signal.SIGCONT


class Replica:
    """A running or ended process. :meth:`run` is its life."""

    def __init__(
        self,
        container: str,
        spec: ContainerSpec,
        child: subprocess.Popen[bytes],
        *,
        folder: Path,
        clock: Clock,
    ) -> None:
        self.folder: Final = folder
        self.output: Final = Kept()
        self.spec = spec
        self._id: Final = container
        self._child: Final = child
        self._clock: Final = clock
        self._since_us = clock.now_us()
        self._paused = False
        self._out_of_memory = False
        self._detail = ""
        self._usage = Usage(cpu_us=0, memory_bytes=0, throttled_us=0)
        self._exited: Final = asyncio.Event()
        self._gone: Final = asyncio.Event()

    async def run(self, tell: Callable[[Change], None]) -> None:
        """Read its output and look after its limits until it has ended."""
        try:
            async with asyncio.TaskGroup() as group:
                reading = [group.create_task(self._read(channel)) for channel in (STDOUT, STDERR)]
                watching = group.create_task(self._watch())
                await self._wait()
                watching.cancel()
                # Whatever it has started ends with it, and with that the pipes do.
                await asyncio.to_thread(kernel.kill_marked, self._id)
                await asyncio.wait(reading)
        finally:
            await self.output.end()
            self._gone.set()
        tell(Change(id=self._id, event="out_of_memory" if self._out_of_memory else "exited"))

    def container(self) -> Container:
        """What the runtime says about it."""
        ended = self._exited.is_set()
        running = Condition.PAUSED if self._paused else Condition.RUNNING
        code = self._child.returncode
        return Container(
            id=self._id,
            spec=self.spec,
            condition=Condition.EXITED if ended else running,
            since_us=self._since_us,
            exit_code=(code if code >= 0 else 128 - code) if ended and code is not None else None,
            out_of_memory=self._out_of_memory,
            detail=self._detail,
            socket=socket_of(self.folder),
        )

    def signal(self, what: Signals) -> None:
        """Say it to the session."""
        if self._exited.is_set():
            return
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, what.value)
        if what is not Signals.TERMINATE:
            self._paused = what is Signals.PAUSE

    def update(self, limits: Limits) -> None:
        """Hold it to other limits from now on."""
        self.spec = replace(self.spec, limits=limits)

    async def usage(self) -> Usage:
        """What it has used; of one that ended what was seen last."""
        if not self._exited.is_set():
            self._usage = await asyncio.to_thread(lambda: kernel.usage(kernel.tree(self._child.pid)))
        return replace(self._usage, output_bytes=self.output.received)

    async def ended_within(self, seconds: float) -> None:
        """Wait for its end, at most so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._exited.wait()

    async def gone(self) -> None:
        """Wait until it has ended and all it wrote is read."""
        await self._gone.wait()

    async def _read(self, channel: int) -> None:
        pipe = self._child.stdout if channel == STDOUT else self._child.stderr
        assert pipe is not None
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
        try:
            await self.output.read(reader, channel)
        finally:
            transport.close()

    async def _wait(self) -> None:
        """Until the kernel says that it has ended."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        descriptor = os.pidfd_open(self._child.pid)
        try:
            loop.add_reader(descriptor, ended.set)
            await ended.wait()
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)
        self._child.wait()
        self._since_us = self._clock.now_us()
        self._exited.set()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if fault := await asyncio.to_thread(self._over):
                self._detail = fault
                await asyncio.to_thread(kernel.kill_marked, self._id)

    def _over(self) -> str:
        """Which limit its processes have passed together."""
        pids = kernel.tree(self._child.pid)
        limits = self.spec.limits
        self._usage = kernel.usage(pids)
        if self._usage.memory_bytes > limits.memory_bytes:
            self._out_of_memory = True
            return f"it held {self._usage.memory_bytes} bytes of memory, and may {limits.memory_bytes}"
        count = kernel.tasks(pids)
        if count > limits.pids:
            return f"it had {count} processes and threads, and may have {limits.pids}"
        return ""
