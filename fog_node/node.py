"""A fog node assembled: listener, journal, lanes, uplink and control, each opened before what needs it."""

import asyncio
import os
from contextlib import AbstractAsyncContextManager
from random import Random
from typing import Final

import structlog

from fog_node.containers import Containers
from fog_node.ingest.broker import Brokers, senders
from fog_node.ingest.broker.link import Surroundings
from fog_node.ingest.listener import Listener, recalled_sessions
from fog_node.ingest.noting import Noting
from fog_node.ingest.session import Sessions
from fog_node.journal.files import Files
from fog_node.journal.journal import Journal
from fog_node.metrics import NodeMetrics
from fog_node.operators.gateway import Operators
from fog_node.permit import Permits, read_permits
from fog_node.plans import LiveFirst, NodePlans
from fog_node.pressure import PacedJournal
from fog_node.report import Reporter
from fog_node.sessions.answering import Answering
from fog_node.sessions.audit import Audit
from fog_node.sessions.sessions import ContainerSessions
from fog_node.settings import NodeSettings
from fog_node.told import Told
from fogline import __version__
from fogline.control.client import ControlClient
from fogline.identity.holder import Holder
from fogline.identity.metrics import certificate_source
from fogline.identity.renewal import Renewing, asking
from fogline.identity.shown import Shown
from fogline.model.clock import SECOND, Clock
from fogline.registry.parent import ParentCache
from fogline.service.metrics import MetricsPort, open_metrics
from fogline.service.notify import READY, say
from fogline.uplink.dial import channel_to
from fogline.uplink.lanes import LaneSet
from fogline.uplink.uplink import Uplink
from fogline.v1 import control_pb2

REPORT_EVERY_S: Final = 1.0

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


async def run_node(
    settings: NodeSettings,
    stopping: asyncio.Event,
    *,
    clock: Clock,
    rng: Random,
    files: Files | None = None,
    holder: Holder | None = None,
) -> None:
    """Run until ``stopping`` is set; then let devices go first, and the answers to what was sent come in.

    ``files``: what the journal lies on, if not the disk; ``holder``: whom the node shows itself as, if it does.
    """
    journal = Journal(
        settings.journal,
        folder=settings.folder / "journal",
        node=settings.name,
        clock=clock,
        entropy=os.urandom,
        files=files,
    )
    async with journal:
        node = Node(settings, journal, clock=clock, rng=rng, holder=holder)
        await node.resume()
        await node.run(stopping)


class Node:
    """Everything of one node's process around an open journal."""

    def __init__(
        self,
        settings: NodeSettings,
        journal: Journal,
        *,
        clock: Clock,
        rng: Random,
        holder: Holder | None = None,
    ) -> None:
        self._settings: Final = settings
        self._journal: Final = journal
        self._clock: Final = clock
        self._rng: Final = rng
        self._holder: Final = holder
        self._dial: Final = channel_to if holder is None else holder.dial
        self._renewing: Final = None if holder is None else _renewing(holder, settings, clock, rng)
        self.operators: Final = Operators(
            settings.operators, folder=settings.folder / "operators", clock=clock
        )
        """Whoever starts replicas says here which are up (``replica_up``, ``replica_gone``)."""
        permits = read_permits(settings.permit, allow_process=settings.allow_process)
        cache = ParentCache(lambda: self._control.parent, dial=self._dial)
        self._containers: Final = Containers(
            settings, permits, self.operators, clock=clock, rng=rng, cache=cache
        )
        self.operators.broken = self._containers.broken
        self._visits: Final = _visits(settings, self._containers, permits, clock)
        after_us = int(settings.live_after_s * SECOND)
        self._live_first: Final = LiveFirst(journal, after_us=after_us, clock=clock)
        lanes = LaneSet()
        self._plans: Final = NodePlans(
            journal=journal,
            lanes=lanes,
            live_first=self._live_first,
            operators=self.operators,
            permits=permits,
            clock=clock,
        )
        self._told: Final = Told.by(
            settings.folder, node=settings.name, containers=self._containers, holder=holder
        )
        self._uplink: Final = self._make_uplink(lanes)
        self._reporter: Final = self._make_reporter(Shown(holder, self._renewing))
        self._control: Final = self._make_control()

    def _make_uplink(self, lanes: LaneSet) -> Uplink:
        return Uplink(
            parents=self._settings.parents,
            child=self._settings.name,
            lanes=lanes,
            clock=self._clock,
            rng=self._rng,
            settings=self._settings.link,
            dial=self._dial,
        )

    def _make_reporter(self, shown: Shown) -> Reporter:
        return Reporter(
            self._settings,
            journal=self._journal,
            plans=self._plans,
            operators=self.operators,
            containers=self._containers,
            told=self._told,
            shown=shown,
            uplink=self._uplink,
            clock=self._clock,
        )

    def _make_control(self) -> ControlClient:
        return ControlClient(
            parents=self._settings.parents,
            report=self._reporter.request,
            accept=self._told.hear,
            clock=self._clock,
            rng=self._rng,
            settings=self._settings.link,
            dial=self._dial,
            sessions=self._visits,
            post=self._visits.post,
        )

    async def resume(self) -> None:
        """Run at once what was last told, before any parent is heard of."""
        if self._told.desired.state is not None:
            await self._apply(self._told.desired.state)

    async def _apply(self, state: control_pb2.DesiredState) -> None:
        await self._plans.apply(state)
        self._told.assign()
        self._containers.apply(state, self._plans.running)

    async def run(self, stopping: asyncio.Event) -> None:
        """Serve devices and push until told to stop."""
        settings = self._settings
        sessions = await recalled_sessions(
            self._journal,
            self._journal.streams(),
            settings.listener,
            now_us=self._clock.now_us(),
            brokers=await asyncio.to_thread(senders, settings.all_brokers, settings.name),
        )
        noting = Noting(self._journal, self._journal.streams, self._clock)
        listener, brokers = self._ingest(sessions)
        async with asyncio.TaskGroup() as group:
            async with listener, brokers, self._metrics(listener), self._containers, self._visits:
                tasks = [
                    group.create_task(self._journal.run(), name="tidy the journal"),
                    group.create_task(noting.run(), name="note who sent what"),
                    group.create_task(self._follow(listener, brokers), name="follow desired state"),
                    group.create_task(self._report(listener, brokers), name="report"),
                    group.create_task(self._control.run(), name="control"),
                    group.create_task(self.operators.run(), name="carry batches to operators"),
                    group.create_task(self._plans.work_ahead(), name="work ahead"),
                ]
                containing = group.create_task(self._containers.run(), name="keep containers")
                if self._renewing is not None:
                    tasks.append(group.create_task(self._renewing.run(), name="renew the identity"))
                push = group.create_task(self._uplink.run(), name="push to parent")
                _log.info("node runs", node=self._settings.name, port=listener.port)
                say(READY, f"takes messages on port {listener.port}")
                try:
                    await stopping.wait()
                finally:
                    # Also when the node is falling: a reconciler that outlived its runtimes could not end the threads
                    # that wait for them, and the process would stay.
                    containing.cancel()
                    await asyncio.wait((containing,))
                await self._containers.stopped()
            self._uplink.stop()
            await push
            for task in tasks:
                task.cancel()

    def _ingest(self, sessions: Sessions) -> tuple[Listener, Brokers]:
        """What messages come in by; both go into the journal at the pace of the lanes."""
        settings = self._settings
        journal = PacedJournal(self._journal, lambda: self._plans.lanes, self._clock)
        listener = Listener(
            settings.listener,
            router=self._plans.router,
            journal=journal,
            clock=self._clock,
            entropy=os.urandom,
            sessions=sessions,
        )
        brokers = Brokers(
            settings.all_brokers,
            node=settings.name,
            folder=settings.folder / "brokers",
            router=self._plans.router,
            around=Surroundings(journal=journal, clock=self._clock, rng=self._rng, sessions=sessions),
        )
        return listener, brokers

    def _metrics(self, listener: Listener) -> AbstractAsyncContextManager[MetricsPort | None]:
        metrics = NodeMetrics(
            listener=listener,
            journal=self._journal,
            plans=self._plans,
            reporter=self._reporter,
            uplink=self._uplink,
            control=self._control,
            visits=self._visits,
            clock=self._clock,
        )
        settings = self._settings
        return open_metrics(
            settings.metrics,
            insecure=settings.insecure,
            identity=("node", settings.name, __version__),
            sources={**metrics.sources, **certificate_source(self._holder, self._clock)},
        )

    async def _follow(self, listener: Listener, brokers: Brokers) -> None:
        """Apply each newer desired state."""
        while True:
            applied = self._plans.applied.generation
            state: control_pb2.DesiredState = await self._told.desired.newer_than(applied)
            await self._apply(state)
            brokers.changed()
            await self._reporter.refresh(listener, brokers)
            self._control.changed()

    async def _report(self, listener: Listener, brokers: Brokers) -> None:
        """Keep the report fresh, and begin a new epoch where a lane asked for one."""
        while True:
            await self._live_first.roll_if_wanted()
            await self._reporter.refresh(listener, brokers)
            await self._clock.sleep(REPORT_EVERY_S)


def _renewing(holder: Holder, settings: NodeSettings, clock: Clock, rng: Random) -> Renewing:
    ask = asking(holder, settings.parents, clock)
    return Renewing(holder, settings.folder, ask=ask, clock=clock, rng=rng)


def _visits(
    settings: NodeSettings, containers: Containers, permits: Permits, clock: Clock
) -> ContainerSessions:
    """What answers whoever looks into containers."""
    return ContainerSessions(
        Answering(
            containers,
            node=settings.name,
            may_execute=permits.may_execute,
            audit=Audit(settings.folder / "audit" / "exec.jsonl"),
            clock=clock,
        )
    )
