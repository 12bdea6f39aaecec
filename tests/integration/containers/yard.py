"""A reconciler at work, with real runtimes and a gateway that only remembers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

from fog_node.operators.gateway import Operators
from fog_node.reconcile.desired import Desired, Wanted
from fog_node.reconcile.reconciler import Reconciler
from fog_node.runtimes.docker.loading import Cache
from fog_node.runtimes.docker.runtime import DockerRuntime
from fog_node.runtimes.process.runtime import ProcessRuntime
from fog_node.runtimes.runtime import Container, ContainerSpec, Limits, Runtime, Slot
from fog_node.runtimes.settings import RuntimeSettings
from fogline.model.clock import SystemClock
from fogline.testing.until import until
from fogline.v1 import control_pb2

HANG_S = 90.0
LIMITS = Limits(cpu_millis=1000, memory_bytes=64 * 1024**2, pids=16, tmp_bytes=4 * 1024**2)
SETTINGS = RuntimeSettings(backoff=0.2, backoff_cap=0.5, grace=1.0, reserve=0)


class Remembering:
    """A gateway without operators."""

    def __init__(self) -> None:
        self.up: dict[tuple[str, int], Path] = {}
        self.ups = 0
        self.died: list[str] = []

    def replica_up(self, plan: str, step: str, replica: int, socket_path: Path) -> None:
        self.up[step, replica] = socket_path
        self.ups += 1

    def replica_gone(self, plan: str, step: str, replica: int, *, died: str = "") -> None:
        self.up.pop((step, replica), None)
        self.died.append(died)


class Yard:
    """One life of an agent's reconciler."""

    def __init__(
        self,
        reconciler: Reconciler,
        gateway: Remembering,
        runtimes: Mapping[str, Runtime],
        running: "asyncio.Task[None]",
    ) -> None:
        self._running = running
        self.reconciler = reconciler
        self.gateway = gateway
        self.runtimes = runtimes

    def want(self, *wanted: Wanted) -> None:
        """This shall run."""
        images = frozenset(one.spec.image for one in wanted)
        self.reconciler.replace(Desired(wanted={one.spec.slot: one for one in wanted}, images=images))

    def report(self, name: str, replica: int = 0) -> control_pb2.ContainerReport | None:
        """What is said about a container."""
        found = (one for one in self.reconciler.reports() if (one.name, one.replica) == (name, replica))
        return next(found, None)

    async def becomes(
        self, name: str, state: str, *, words: str = "", replica: int = 0
    ) -> control_pb2.ContainerReport:
        """Wait for a state."""

        def fits() -> bool:
            seen = self.report(name, replica)
            return seen is not None and seen.state == state and words in seen.fault

        try:
            await self.until(fits)
        except TimeoutError:
            raise AssertionError(f"{name} stands {self.report(name, replica)}") from None
        seen = self.report(name, replica)
        assert seen is not None
        return seen

    def events(self, name: str) -> list[str]:
        """What happened to a container."""
        return [one.event for one in self.reconciler.events() if one.name == name]

    async def event(self, name: str, event: str) -> control_pb2.ContainerEvent:
        """Wait for an event."""
        await self.until(lambda: event in self.events(name))
        return next(one for one in self.reconciler.events() if (one.name, one.event) == (name, event))

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until it holds; not for a reconciler that has failed."""
        await until(lambda: self._running.done() or holds(), within=HANG_S)
        if self._running.done():
            self._running.result()

    async def nothing_left(self) -> None:
        """Wait until no container is there."""

        async def empty() -> bool:
            return not [one for runtime in self.runtimes.values() for one in await runtime.list()]

        async with asyncio.timeout(HANG_S):
            while not await empty():  # noqa: ASYNC110 - runtimes are asked
                await asyncio.sleep(0.05)


@asynccontextmanager
async def yard(
    folder: Path,
    *,
    docker: str = "",
    node: str = "",
    settings: RuntimeSettings = SETTINGS,
    cache: Cache | None = None,
    operators: Operators | None = None,
) -> AsyncIterator[Yard]:
    """A life of an agent over a folder; the next one over the same folder finds what this one left.

    ``operators``: a gateway that sends batches; else one that only remembers.
    """
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        process = ProcessRuntime(folder / "process", bundles=folder / "bundles", node="n1", clock=clock)
        runtimes: list[Any] = [await stack.enter_async_context(process)]
        if docker:
            engine = DockerRuntime(
                folder / "docker",
                url=docker,
                node=node or f"test-{folder.name}",
                clock=clock,
                cache=cache,
            )
            runtimes.append(await stack.enter_async_context(engine))
        gateway = Remembering()
        reconciler = Reconciler(
            runtimes, operators or gateway, settings=settings, folder=folder, clock=clock, rng=Random(1)
        )
        running = asyncio.create_task(reconciler.run(), name="reconcile")
        try:
            yield Yard(reconciler, gateway, {one.name: one for one in runtimes}, running)
        finally:
            running.cancel()
            await asyncio.wait((running,))
            if not running.cancelled():
                running.result()


def replica(
    image: str,
    act: str,
    *,
    name: str = "guest",
    number: int = 0,
    runtime: str = "docker",
    limits: Limits = LIMITS,
    environment: tuple[tuple[str, str], ...] = (),
) -> Wanted:
    """The guest as an operator."""
    slot = Slot(kind="operator", plan="0123456789abcdef", name=name, replica=number)
    spec = ContainerSpec(
        slot=slot, tenant="main", image=image, limits=limits, command=(act,), environment=environment
    )
    return Wanted(spec=spec, runtime=runtime)


async def one_container(of: Yard, fits: Callable[[Container], bool]) -> None:
    """Wait until exactly one container runs, and it fits."""
    async with asyncio.timeout(HANG_S):
        while True:
            seen = [one for runtime in of.runtimes.values() for one in await runtime.list()]
            if len(seen) == 1 and fits(seen[0]):
                return
            await asyncio.sleep(0.05)


async def until_gone(of: Yard, name: str, number: int) -> None:
    """Wait until nothing is said about a replica any more."""
    await until(lambda: of.report(name, number) is None, within=HANG_S)


async def one_docker(of: Yard, fits: Callable[[str], bool]) -> None:
    """Wait until one of Docker's containers runs whose id fits."""

    def found() -> bool:
        return any(
            one.runtime == "docker" and bool(one.id) and fits(one.id) for one in of.reconciler.reports()
        )

    await until(found, within=HANG_S)


async def said_nothing(of: Yard, name: str) -> None:
    """Wait until nothing is wrong any more with one that runs."""

    def well() -> bool:
        seen = of.report(name)
        return seen is not None and (seen.state, seen.fault) == ("running", "")

    await until(well, within=HANG_S)
