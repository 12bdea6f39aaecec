"""Everything of this node that runs in containers: runtimes, reconciler, permits, and what the report says of them."""

import asyncio
import os
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack, suppress
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Final, Self

import structlog

from fog_node.capacity import capacity
from fog_node.permit import Permits
from fog_node.reconcile.desired import Assigned, Desired, Here, desired_containers
from fog_node.reconcile.lives import Gateway
from fog_node.reconcile.reconciler import Reconciler
from fog_node.runtimes.docker.loading import Cache
from fog_node.runtimes.docker.runtime import DockerRuntime
from fog_node.runtimes.process.runtime import ProcessRuntime
from fog_node.runtimes.runtime import Container, ContainerFault, Runtime, Slot
from fog_node.settings import NodeSettings
from fogline.model.clock import Clock
from fogline.v1 import control_pb2

WEIGH_EVERY_S: Final = 60.0
STOP_S: Final = 20.0
GRACE_S: Final = 1.0

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Containers:
    """The containers of a node. Open while the node runs; :meth:`run` keeps them as they shall be."""

    def __init__(
        self,
        settings: NodeSettings,
        permits: Permits,
        gateway: Gateway,
        *,
        clock: Clock,
        rng: Random,
        cache: Cache | None = None,
    ) -> None:
        """``cache``: where images come from before registries."""
        self._settings: Final = settings
        self._permits: Final = permits
        self._clock: Final = clock
        self._folder: Final = settings.folder / "containers"
        self._stack: Final = AsyncExitStack()
        bundles = Path(settings.runtimes.bundles or settings.folder / "bundles")
        self._process: Final = ProcessRuntime(
            self._folder / "process", bundles=bundles, node=settings.name, clock=clock
        )
        self._docker: DockerRuntime | None = None
        if settings.runtimes.docker and find_spec("docker") is not None:
            self._docker = DockerRuntime(
                self._folder / "docker",
                url=settings.runtimes.docker,
                node=settings.name,
                clock=clock,
                cache=cache,
            )
        self._runtimes: Final[tuple[Runtime, ...]] = (
            (self._process,) if self._docker is None else (self._docker, self._process)
        )
        self._reconciler: Final = Reconciler(
            self._runtimes,
            gateway,
            settings=settings.runtimes,
            folder=self._folder,
            clock=clock,
            rng=rng,
        )
        self.broken: Final = self._reconciler.broken
        """For the gateway: a replica must be started anew."""
        self._state: control_pb2.DesiredState | None = None
        self._plans: frozenset[str] = frozenset()
        self._assigned: Mapping[tuple[str, str], Assigned] = {}
        self._desired = Desired()
        self._full: frozenset[str] = frozenset()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True, mode=0o700)
        if self._docker is not None:
            await self._stack.enter_async_context(self._docker)
        await self._stack.enter_async_context(self._process)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def apply(self, state: control_pb2.DesiredState, plans: Iterable[str]) -> None:
        """Run what this desired state grants for the plans that run here."""
        self._state, self._plans = state, frozenset(plans)
        self._replace()

    def assign(self, assigned: Mapping[tuple[str, str], Assigned]) -> None:
        """Run as many replicas as the group's aggregator assigned, by plan and step; within what is granted."""
        self._assigned = assigned
        self._replace()

    def _replace(self) -> None:
        if self._state is None:
            return
        here = Here(
            node=self._settings.name,
            labels=frozenset(self._settings.labels),
            runtimes=frozenset(runtime.name for runtime in self._runtimes),
            permits=self._permits,
            settings=self._settings.runtimes,
            full=self._full,
        )
        self._desired = desired_containers(self._state, here, plans=self._plans, assigned=self._assigned)
        self._reconciler.replace(self._desired)

    async def run(self) -> None:
        """Keep containers as they shall be, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._reconciler.run(), name="reconcile")
            group.create_task(self._weigh(), name="weigh volumes")

    async def _weigh(self) -> None:
        """Refuse services with volumes to tenants whose volumes have grown beyond their permit."""
        while True:
            full = await asyncio.to_thread(self._full_tenants)
            if full != self._full:
                self._full = full
                self._replace()
            await self._clock.sleep(WEIGH_EVERY_S)

    def _full_tenants(self) -> frozenset[str]:
        volumes = self._folder / "docker" / "volumes"
        permits = self._permits.by_tenant.values()
        return frozenset(
            permit.name for permit in permits if permit.disk and weight(volumes / permit.name) > permit.disk
        )

    async def stopped(self) -> None:
        """The node was told to stop: end containers, unless they outlive it."""
        if self._settings.runtimes.outlive or self._docker is None:
            return
        with suppress(ContainerFault, TimeoutError):
            async with asyncio.timeout(STOP_S), asyncio.TaskGroup() as group:
                for container in await self._docker.list():
                    group.create_task(self._stop(self._docker, container.id))

    async def _stop(self, docker: DockerRuntime, container: str) -> None:
        try:
            await docker.stop(container, GRACE_S)
        except ContainerFault as fault:
            _log.warning("container goes on", container=container, error=fault)

    def running(self, slot: Slot) -> tuple[Runtime, Container] | None:
        """The container that runs in a slot, with its runtime: for logs and commands."""
        return self._reconciler.running(slot)

    async def capacity(self) -> control_pb2.Capacity:
        """What this machine has, and which runtimes answer."""
        away = self._reconciler.away
        allowed = {name for tenant in self._permits.by_tenant for name in self._permits.runtimes(tenant)}
        answering = [one.name for one in self._runtimes if one.name not in away and one.name in allowed]
        return await asyncio.to_thread(
            capacity, self._settings.folder, runtimes=answering, labels=self._settings.labels
        )

    def reports(self) -> list[control_pb2.ContainerReport]:
        """How every container stands."""
        return self._reconciler.reports()

    def events(self) -> Iterable[control_pb2.ContainerEvent]:
        """What happened to containers, the newest last."""
        return self._reconciler.events()

    def faults(self) -> list[str]:
        """What was granted and does not run here, and what else is wrong with containers."""
        refused = [f"{one.slot} does not run here: {one.fault}" for one in self._desired.refusals]
        strays = self._docker.strays if self._docker is not None else ()
        strange = [
            f"container {name} bears the label of this node's record and is not in it: it is left alone;"
            f" if it is nobody's, `docker rm --force {name}`"
            for name in strays
        ]
        return [*self._desired.faults, *refused, *strange]


def weight(folder: Path) -> int:
    """Bytes on disk of a folder's files; what cannot be read weighs nothing, links are not followed."""
    total, folders = 0, [folder]
    while folders:
        with suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                with suppress(OSError):
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(Path(entry.path))
    return total
