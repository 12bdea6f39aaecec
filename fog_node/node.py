"""A fog node assembled: listener, journal, lanes, uplink and control, each opened before what needs it."""

import asyncio
import os
from contextlib import AsyncExitStack
from random import Random
from typing import Final

import structlog

from fog_node.ingest.listener import Listener
from fog_node.journal.files import Files
from fog_node.journal.journal import Journal
from fog_node.plans import LiveFirst, NodePlans
from fog_node.report import Reporter
from fog_node.settings import NodeSettings
from fogline.control.client import ControlClient
from fogline.control.keep import KeptDesired
from fogline.model.clock import SECOND, Clock
from fogline.uplink.lanes import LaneSet
from fogline.uplink.uplink import Uplink
from fogline.v1 import control_pb2

REPORT_EVERY_S: Final = 1.0

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


async def run_node(
    settings: NodeSettings, stopping: asyncio.Event, *, clock: Clock, rng: Random, files: Files | None = None
) -> None:
    """Run until ``stopping`` is set; then let devices go first, and the answers to what was sent come in.

    ``files``: what the journal lies on, if not the disk.
    """
    settings.folder.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        journal = await stack.enter_async_context(
            Journal(
                settings.journal,
                folder=settings.folder / "journal",
                node=settings.name,
                clock=clock,
                entropy=os.urandom,
                files=files,
            )
        )
        lanes = LaneSet()
        live_first = LiveFirst(journal, after_us=int(settings.live_after_s * SECOND), clock=clock)
        plans = NodePlans(journal=journal, lanes=lanes, live_first=live_first, clock=clock)
        kept = KeptDesired(settings.folder / "desired")
        if kept.desired.state is not None:
            await plans.apply(kept.desired.state)
        uplink = Uplink(
            parents=settings.parents,
            child=settings.name,
            lanes=lanes,
            clock=clock,
            rng=rng,
            settings=settings.link,
        )
        listener = Listener(
            settings.listener,
            router=plans.router,
            journal=journal,
            clock=clock,
            entropy=os.urandom,
            streams=journal.streams(),
        )
        reporter = Reporter(
            settings, journal=journal, plans=plans, listener=listener, uplink=uplink, clock=clock
        )
        control = ControlClient(
            parents=settings.parents,
            report=reporter.request,
            accept=kept.accept,
            clock=clock,
            rng=rng,
            settings=settings.link,
        )
        node = _Node(
            plans=plans, kept=kept, live_first=live_first, reporter=reporter, control=control, clock=clock
        )
        async with asyncio.TaskGroup() as group:
            async with listener:
                tasks = [
                    group.create_task(journal.run(), name="tidy the journal"),
                    group.create_task(node.follow(), name="follow desired state"),
                    group.create_task(node.report(), name="report"),
                    group.create_task(control.run(), name="control"),
                ]
                push = group.create_task(uplink.run(), name="push to parent")
                _log.info("node runs", node=settings.name, port=listener.port, parents=settings.parents)
                await stopping.wait()
            uplink.stop()
            await push
            for task in tasks:
                task.cancel()


class _Node:
    """The loops that tie the pieces together."""

    def __init__(
        self,
        *,
        plans: NodePlans,
        kept: KeptDesired,
        live_first: LiveFirst,
        reporter: Reporter,
        control: ControlClient,
        clock: Clock,
    ) -> None:
        self._plans: Final = plans
        self._kept: Final = kept
        self._live_first: Final = live_first
        self._reporter: Final = reporter
        self._control: Final = control
        self._clock: Final = clock

    async def follow(self) -> None:
        """Apply each newer desired state."""
        while True:
            state: control_pb2.DesiredState = await self._kept.desired.newer_than(
                self._plans.applied.generation
            )
            await self._plans.apply(state)
            await self._reporter.refresh()
            self._control.changed()

    async def report(self) -> None:
        """Keep the report fresh, and begin a new epoch where a lane asked for one."""
        while True:
            await self._live_first.roll_if_wanted()
            await self._reporter.refresh()
            await self._clock.sleep(REPORT_EVERY_S)
