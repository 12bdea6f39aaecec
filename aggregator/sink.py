"""Where the intake's parts go: a plan's lane each, made when the first child opens it."""

from typing import Final

from aggregator.gathered import GatheredMerger
from aggregator.lane import MergeCounters, PlanLane
from aggregator.merge.lane import Rules
from aggregator.merge.values import ChildRound, Limits
from fogline.engine.state import PartState
from fogline.intake.sink import ChildLane
from fogline.model.clock import Clock
from fogline.model.part import Part
from fogline.uplink.lanes import LaneSet


class MergeSink:
    """A :class:`fogline.intake.sink.PartSink` that merges and hands on."""

    def __init__(self, lanes: LaneSet, *, limits: Limits, clock: Clock) -> None:
        self._lanes: Final = lanes
        self._rules: Final = Rules(merger=GatheredMerger(limits.part_bytes), limits=limits)
        self._clock: Final = clock
        self._plans: Final[dict[str, PlanLane]] = {}
        self._rounds: Final[dict[int, tuple[PlanLane, ChildRound]]] = {}
        self._opened = 0
        self.counters: Final = MergeCounters()

    @property
    def held_bytes(self) -> int:
        """Bytes of all states held now, about."""
        return sum(plan.held_bytes for plan in self._plans.values())

    @property
    def lanes(self) -> tuple[PlanLane, ...]:
        """The lanes of all plans that children send."""
        return tuple(self._plans.values())

    def flush(self) -> None:
        """Seal what is open in every lane that has room."""
        for plan in list(self._plans.values()):
            plan.flush()

    async def open_lane(self, lane: ChildLane) -> None:
        """A child begins a round of a plan's lane."""
        self._opened += 1
        key = ChildRound(child=lane.child, stream=self._opened, round=lane.round)
        plan = self._plans.get(lane.plan)
        if plan is None:
            plan = PlanLane(
                lane.plan,
                rules=self._rules,
                clock=self._clock,
                counters=self.counters,
                emptied=self._remove,
            )
            self._plans[lane.plan] = plan
            self._lanes.add(plan)
        self._rounds[id(lane)] = (plan, key)
        plan.child_opened(key, lane)

    async def take(self, lane: ChildLane, part: Part[PartState]) -> None:
        """Take one part of a round."""
        plan, key = self._rounds[id(lane)]
        await plan.take(key, part)

    async def close_lane(self, lane: ChildLane) -> None:
        """A child's round has ended."""
        plan, key = self._rounds.pop(id(lane))
        plan.child_closed(key)

    def _remove(self, plan: PlanLane) -> None:
        if self._plans.get(plan.plan) is plan:
            del self._plans[plan.plan]
            self._lanes.remove(plan.plan)
