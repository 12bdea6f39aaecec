"""From specs to desired state: deploying, switching the public name, retiring what was replaced."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import structlog

from cloud.catalog import Catalog, KnownPlan
from cloud.changes import Changes
from cloud.planner.brokers import check_shared
from cloud.planner.history import meant
from cloud.planner.reader import RegistrySettings, read_apart
from cloud.planner.reading import Readers
from cloud.planner.switching import Side, switch_from
from cloud.store.book import Deployment, Overtaken
from cloud.store.releases import NewPlan
from cloud.store.rows import layouts_of
from cloud.store.store import Store
from fogline.control.grants import term_of
from fogline.model.caller import Caller, Right
from fogline.model.clock import SECOND, Clock
from fogline.model.errors import Conflict, NotFound, StoreBusy
from fogline.model.plan import Plan
from fogline.service.callers import require
from fogline.v1 import control_pb2, plan_pb2
from fogline.wire.plan import plan_from_wire, plan_id
from fogline.wire.release import release_from_wire

EVERY_SECONDS: Final = 1.0
DEPLOY_TRIES: Final = 5
"""So often a deployment looks again that other changes have overtaken."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class StreamTaken(Conflict):
    """Another pipeline defines the stream differently."""

    code = "stream_taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What deploying a spec did."""

    pipeline: str
    plan: str
    generation: int
    changed: bool
    """Whether the plan, or what runs its operators and services, was not there before."""
    release: int
    """Number of the plan's release; 0: it never had operators or services."""


class Planner:
    """Changes what is to run; one change at a time, whichever process makes it."""

    def __init__(
        self,
        store: Store,
        catalog: Catalog,
        clock: Clock,
        changes: Changes,
        *,
        replaced_keep_us: int,
        keeps: Callable[[], bool],
        reports: Callable[[str], Iterable[control_pb2.NodeReport]],
        registries: RegistrySettings,
    ) -> None:
        """``keeps``: whether this process keeps house now for all that share the store; ``reports``: the newest
        ones of a tenant's nodes.
        """
        self._keeps = keeps
        self._reports = reports
        self._registries = registries
        self._store = store
        self._catalog = catalog
        self._clock = clock
        self._changes = changes
        self._replaced_keep_us = replaced_keep_us
        self._turn = asyncio.Lock()
        # Each is a process of its own: whoever deploys in a loop must not fill the machine with them.
        self._reading = asyncio.Lock()
        self.readers: Final = Readers(clock)
        """To be run beside it."""

    async def deploy(self, caller: Caller, spec: str, file: str) -> Deployed:
        """Make a spec its pipeline's newest plan, or what it says of images a new release of that plan.

        Raises :class:`fogline.model.faults.SpecErrors` with every mistake, :class:`StreamTaken`,
        :class:`BrokerNotShared`, or :class:`fogline.registry.errors.RegistryAway`.
        """
        require(caller, Right.DEPLOY)
        async with self._reading:
            read = await read_apart(spec, file or "the spec", caller.tenant, self._registries, self.readers)
        content = plan_from_wire(plan_pb2.Plan.FromString(read.plan))
        release_from_wire(control_pb2.Grant.FromString(read.release), content)
        check_shared((stream.name for stream in content.streams), self._reports(caller.tenant))
        return await self._run(read.plan, content, spec=spec, release=read.release, tenant=caller.tenant)

    async def roll_back(self, caller: Caller, pipeline: str, to: str) -> Deployed:
        """Deploy again what a pipeline has run before (see :func:`cloud.planner.history.meant`).

        What is deployed is what was kept, digests included: no spec is read again, and no registry is asked.
        Raises :class:`NotFound`, :class:`Conflict`, :class:`StreamTaken`, :class:`BrokerNotShared`.
        """
        require(caller, Right.DEPLOY)
        history = await self._store.history(caller.tenant, pipeline)
        row = self._catalog.pipeline(caller.tenant, pipeline)
        if row is None or not history:
            raise NotFound(f"there is no pipeline {pipeline!r}", hint="`fogline pipelines` lists them")
        target = meant(history, row.newest, to)
        content = plan_from_wire(plan_pb2.Plan.FromString(target.content))
        check_shared((stream.name for stream in content.streams), self._reports(caller.tenant))
        return await self._run(
            target.content, content, spec=target.spec, release=target.wire, tenant=caller.tenant
        )

    async def _run(self, wire: bytes, content: Plan, *, spec: str, release: bytes, tenant: str) -> Deployed:
        """Make this the newest plan of its pipeline."""
        name = plan_id(content)
        new = NewPlan(
            tenant=tenant,
            plan=name,
            pipeline=content.pipeline,
            wire=wire,
            spec=spec,
            steps=tuple(layouts_of(content).values()),
            release=release,
        )
        async with self._turn:
            deployment = await self._deploy(new, content)
            await self._catalog.refresh(self._store)
        if deployment.changed:
            _log.info(
                "deployed",
                pipeline=content.pipeline,
                plan=name,
                release=deployment.release,
                generation=deployment.generation,
            )
        return Deployed(
            pipeline=content.pipeline,
            plan=name,
            generation=deployment.generation,
            changed=deployment.changed,
            release=deployment.release,
        )

    async def _deploy(self, new: NewPlan, content: Plan) -> Deployment:
        """Deploy as long as others change plans at the same time: what is checked must be what is there."""
        tries = 0
        while True:
            tenant = new.tenant
            check_streams(content, (p for p in self._catalog.running(tenant) if p.row.plan != new.plan))
            try:
                return await self._store.deploy(new, self._clock.now_us(), self._catalog.edition)
            except Overtaken:
                tries += 1
                if tries == DEPLOY_TRIES:
                    raise
                await self._catalog.refresh(self._store)

    async def outbid(self, generation: int) -> None:
        """A node has seen a higher generation than ours: the store is older than it. Ours must win."""
        async with self._turn:
            # Another process may have deployed, and the node may have heard of it before this one.
            await self._catalog.refresh(self._store)
            if generation > self._catalog.desired.generation:
                _log.warning("a node knows a later generation; going beyond it", generation=generation)
                await self._store.raise_generation(generation)
                await self._catalog.refresh(self._store)

    async def depose(self) -> None:
        """A group has gone over to another aggregator: what the former one assigns holds no more."""
        async with self._turn:
            state = self._catalog.desired.state
            term = term_of(state) if state is not None else 0
            if not term:
                return  # nothing is granted, and nobody assigns
            await self._store.raise_term(term)
            await self._catalog.refresh(self._store)

    async def run(self) -> None:
        """Switch and retire as time goes by while this process keeps house, until cancelled."""
        while True:
            await self._clock.sleep(EVERY_SECONDS)
            try:
                if self._keeps():
                    await self.advance()
            except StoreBusy as error:
                _log.warning("switching waits for the store", error=error)

    async def advance(self) -> None:
        """Let candidates take over whose time has come; retire what was replaced long enough ago."""
        async with self._turn:
            try:
                while await self._advance():
                    await self._catalog.refresh(self._store)
            except Overtaken:
                await self._catalog.refresh(self._store)

    async def _advance(self) -> bool:
        """One change at most: each makes the catalog old."""
        for public, newest in self._catalog.candidates():
            if await self._switch(public, newest):
                return True
        for plan in self._catalog.replaced():
            if await self._retire(plan):
                return True
        return False

    async def _switch(self, public: KnownPlan, newest: KnownPlan) -> bool:
        old, new = await self._side(public), await self._side(newest)
        widths = [layout.width_us for plan in (public, newest) for layout in plan.layouts.values()]
        reaches = new.reaches(old, newest.row.deployed_us)
        from_us = switch_from(old.marks, reaches, max(widths, default=SECOND))
        if from_us is None:
            return False
        await self._store.publish(newest.row, from_us, self._clock.now_us(), self._catalog.edition)
        self._changes.tell(newest.row.tenant, newest.row.pipeline)
        _log.info("name switched", pipeline=newest.row.pipeline, plan=newest.row.plan, from_us=from_us)
        return True

    async def _side(self, plan: KnownPlan) -> Side:
        """Of all that its nodes do, what its own results are made of."""
        name = plan.row.tenant, plan.row.plan
        progresses, starts = await self._store.progresses(*name), await self._store.starts(*name)
        streams = {layout.stream for layout in plan.layouts.values()}
        return Side(passed={stream: progresses.on_stream(stream) for stream in streams}, starts=starts)

    async def _retire(self, plan: KnownPlan) -> bool:
        """A replaced plan runs on while readings of its windows may still come, but not for ever."""
        now_us, content = self._clock.now_us(), plan.content
        replaced_us = plan.row.replaced_us
        if replaced_us is None:
            return False
        late_us = self._replaced_keep_us
        if content.keep_us >= 0:
            late_us = min(late_us, content.keep_us)
        if now_us < replaced_us + content.disorder_us + content.wait_us + late_us:
            return False
        generation = await self._store.retire_plan(plan.row, now_us, self._catalog.edition)
        _log.info("plan retired", pipeline=plan.row.pipeline, plan=plan.row.plan, generation=generation)
        return True


def check_streams(content: Plan, running: Iterable[KnownPlan]) -> None:
    """A stream's name stands for one journal: whoever uses it must take the same topics.

    Raises :class:`StreamTaken`.
    """
    topics = {stream.name: stream.topic for stream in content.streams}
    for plan in running:
        for stream in plan.content.streams:
            topic = topics.get(stream.name, stream.topic)
            if topic != stream.topic:
                raise StreamTaken(
                    f"stream {stream.name} takes {topic!r} here, but {stream.topic!r} in pipeline "
                    f"{plan.row.pipeline}, which runs",
                    hint="a stream means the same topics on every node: give one of them another name",
                )
