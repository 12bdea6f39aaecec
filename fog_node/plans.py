"""Brings what the node runs to what it shall run. Idempotent; one plan that cannot run blocks only itself."""

import asyncio
from dataclasses import dataclass
from typing import Final

import structlog

from fog_node.ingest.topics import TemplateRouter
from fog_node.journal.journal import Journal
from fog_node.operators.gateway import Operators
from fog_node.permit import Permits
from fog_node.steps.blocks import DecodedBlocks
from fog_node.steps.graph import sql_row_steps
from fog_node.steps.lane import PlanLane
from fogline.model.clock import Clock
from fogline.model.errors import FogError, InvalidInput, NotAllowed
from fogline.model.plan import Plan, StreamSpec
from fogline.uplink.lanes import LaneSet
from fogline.v1 import control_pb2
from fogline.wire.plan import plan_from_wire

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What became of a desired state."""

    generation: int = 0
    faults: tuple[str, ...] = ()
    """Plans that could not be applied, and why."""


class NodePlans:
    """The plans that run on this node: their streams, their routes, their lanes."""

    def __init__(
        self,
        *,
        journal: Journal,
        lanes: LaneSet,
        live_first: "LiveFirst",
        operators: Operators,
        permits: Permits,
        clock: Clock,
    ) -> None:
        self._journal: Final = journal
        self._lanes: Final = lanes
        self._live_first: Final = live_first
        self._operators: Final = operators
        self._permits: Final = permits
        self._clock: Final = clock
        self._blocks: Final = DecodedBlocks()
        self._running: dict[str, PlanLane] = {}
        self._changed: Final = asyncio.Event()
        self.router: Final = TemplateRouter()
        self.applied = Applied()

    @property
    def running(self) -> frozenset[str]:
        """Plans that run here."""
        return frozenset(self._running)

    @property
    def lanes(self) -> tuple[PlanLane, ...]:
        """The lanes of all running plans."""
        return tuple(self._running.values())

    async def apply(self, state: control_pb2.DesiredState) -> None:
        """Run the plans of a desired state, and no others."""
        plans: dict[str, Plan] = {}
        streams: dict[str, StreamSpec] = {}
        faults: list[str] = []
        for desired in state.plans:
            try:
                plan = (
                    self._running[desired.id].spec
                    if desired.id in self._running
                    else plan_from_wire(desired.plan)
                )
                if refusal := self._permits.refusal(plan):
                    raise NotAllowed(refusal, hint="the node's owner writes its permits")
                streams |= _joined(plan, streams)
                if desired.id not in self._running:
                    self._running[desired.id] = self._lane(desired.id, plan)
                plans[desired.id] = plan
            except (FogError, ValueError) as error:
                faults.append(f"plan {desired.id} of {desired.plan.pipeline}: {error}")
                _log.error("plan cannot run here", plan=desired.id, error=error)
        self._operators.granted(state.grants)
        self._declare(plans)
        self.router.replace({name: spec.topic for name, spec in streams.items()})
        for plan_id in plans:
            if self._lanes.get(plan_id) is None:
                self._lanes.add(self._running[plan_id])
        await self._withdraw([plan_id for plan_id in self._running if plan_id not in plans])
        self._blocks.read_by(list(plans.values()))
        self._changed.set()
        self.applied = Applied(generation=state.generation, faults=tuple(faults))
        _log.info("desired state applied", generation=state.generation, plans=len(plans), faults=len(faults))

    async def work_ahead(self) -> None:
        """Let every plan work while no parent can be reached; until cancelled."""
        working: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            while True:
                self._changed.clear()
                for plan_id in working.keys() - self._running.keys():
                    working.pop(plan_id).cancel()
                for plan_id in self._running.keys() - working.keys():
                    lane = self._running[plan_id]
                    working[plan_id] = group.create_task(lane.ahead.run(), name=f"work ahead for {plan_id}")
                await self._changed.wait()

    def _lane(self, plan_id: str, plan: Plan) -> PlanLane:
        return PlanLane(
            plan_id,
            plan,
            journal=self._journal,
            blocks=self._blocks,
            row_steps={**sql_row_steps(plan), **self._operators.row_steps(plan_id, plan)},
            clock=self._clock,
            lags=self._live_first.lags,
        )

    def _declare(self, plans: dict[str, Plan]) -> None:
        """Make the streams known to the journal; where plans differ about one, the more generous holds."""
        for name in {spec.name for plan in plans.values() for spec in plan.streams}:
            specs = [spec for plan in plans.values() for spec in plan.streams if spec.name == name]
            self._journal.declare(
                name,
                policy=specs[-1].full,
                quota_bytes=max(spec.quota_bytes for spec in specs),
                look_back_us=max(spec.identity.within_us if spec.identity else 0 for spec in specs),
            )

    async def _withdraw(self, plan_ids: list[str]) -> None:
        for plan_id in plan_ids:
            self._lanes.remove(plan_id)
            del self._running[plan_id]
            self._operators.withdraw(plan_id)
            await self._journal.forget(plan_id)
            _log.info("plan withdrawn", plan=plan_id)


class LiveFirst:
    """Asks for a new epoch when a live origin lags, so that today's messages go before the backlog
    (``live_after``).
    """

    def __init__(self, journal: Journal, *, after_us: int, clock: Clock) -> None:
        self._journal: Final = journal
        self._after_us: Final = after_us
        self._clock: Final = clock
        self._rolled_us = clock.now_us()
        self.wanted = False

    def lags(self, oldest_us: int) -> None:
        """A live origin's oldest waiting message arrived then."""
        now_us = self._clock.now_us()
        if now_us - oldest_us > self._after_us and now_us - self._rolled_us > self._after_us:
            self.wanted = True

    async def roll_if_wanted(self) -> None:
        """Begin a new epoch if a lane has asked for it."""
        if self.wanted:
            self.wanted = False
            self._rolled_us = self._clock.now_us()
            epoch = await self._journal.roll()
            _log.info("backlog drains behind live messages", epoch=epoch.hex()[:8])


def _joined(plan: Plan, streams: dict[str, StreamSpec]) -> dict[str, StreamSpec]:
    """The plan's streams by name. Raises InvalidInput if another plan has one on another topic."""
    for spec in plan.streams:
        other = streams.get(spec.name)
        if other is not None and other.topic != spec.topic:
            raise InvalidInput(
                f"stream {spec.name} is on {spec.topic} here and on {other.topic} in another pipeline",
                hint="give one of the two streams another name",
            )
    return {spec.name: spec for spec in plan.streams}
