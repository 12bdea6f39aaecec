"""A node's containers in memory: for what looks into containers, and does not care what runs them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

from fog_node.runtimes.runtime import (
    Condition,
    Container,
    ContainerFault,
    ContainerSpec,
    Ended,
    Limits,
    Output,
    Runtime,
    Slot,
    Usage,
)
from fogline.v1 import control_pb2

CLEAN = Slot(kind="operator", plan="0123456789abcdef", name="clean")
_LIMITS = Limits(cpu_millis=100, memory_bytes=1 << 20, pids=8, tmp_bytes=1 << 20)


class MemoryRuntime:
    """What sessions need of a :class:`fog_node.runtimes.runtime.Runtime`."""

    name = "memory"

    def __init__(self) -> None:
        self.lines: dict[str, list[Output]] = {}
        self.ended: dict[str, asyncio.Event] = {}
        self.more = asyncio.Event()
        self.readers = 0
        self.commands: list[tuple[str, ...]] = []

    def write(self, container: str, *outputs: Output) -> None:
        self.lines[container].extend(outputs)
        self.more.set()

    async def logs(self, container: str, *, tail: int, follow: bool) -> AsyncIterator[Output]:
        lines = self.lines[container]
        at = max(0, len(lines) - tail)
        self.readers += 1
        try:
            while True:
                while at < len(lines):
                    at += 1
                    yield lines[at - 1]
                if not follow or self.ended[container].is_set():
                    return
                self.more.clear()
                await self.more.wait()
        finally:
            self.readers -= 1

    async def execute(
        self, container: str, command: tuple[str, ...], given: AsyncIterator[bytes]
    ) -> AsyncIterator[Output | Ended]:
        """``cat`` gives back what it is given, ``flood N`` writes N KiB, all else is not there."""
        if container not in self.lines:
            raise ContainerFault("gone", reason="no_such_container")
        self.commands.append(command)
        if command[0] == "cat":
            async for data in given:
                yield Output(1, data)
            yield Ended(0)
        elif command[0] == "flood":
            for _ in range(int(command[1])):
                yield Output(1, b"f" * 1024)
            yield Ended(0)
        else:
            yield Output(2, b"not found\n")
            yield Ended(127)

    async def usage(self, container: str) -> Usage:
        if container not in self.lines:
            raise ContainerFault("gone", reason="no_such_container")
        return Usage(cpu_us=5_000, memory_bytes=1 << 20, throttled_us=7)


class MemoryGuests:
    """A :class:`fog_node.sessions.answering.Guests`."""

    def __init__(self) -> None:
        self.runtime = MemoryRuntime()
        self.containers: dict[Slot, Container] = {}
        self.changed: Callable[[], None] = lambda: None

    def start(self, slot: Slot = CLEAN, name: str = "c1") -> Container:
        spec = ContainerSpec(slot=slot, tenant="main", image="x@sha256:1", limits=_LIMITS)
        made = Container(id=name, spec=spec, condition=Condition.RUNNING, since_us=1)
        self.containers[slot] = made
        self.runtime.lines[name] = []
        self.runtime.ended[name] = asyncio.Event()
        return made

    def end(self, slot: Slot = CLEAN) -> None:
        """It ends, and is to be started again."""
        self.runtime.ended[self.containers[slot].id].set()
        self.runtime.more.set()

    def running(self, slot: Slot) -> tuple[Runtime, Container] | None:
        found = self.containers.get(slot)
        if found is None or self.runtime.ended[found.id].is_set():
            return None
        return cast("Runtime", cast("Any", self.runtime)), found

    def reports(self) -> list[control_pb2.ContainerReport]:
        return [
            control_pb2.ContainerReport(
                kind=slot.kind,
                plan=slot.plan,
                name=slot.name,
                replica=slot.replica,
                id=container.id,
                state="running" if self.running(slot) else "backing_off",
                fault="" if self.running(slot) else "it exited with code 3",
            )
            for slot, container in self.containers.items()
        ]

    async def capacity(self) -> control_pb2.Capacity:
        return control_pb2.Capacity(cpu_millis=4000)
