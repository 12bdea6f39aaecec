"""An aggregator of the model: the shipped lanes, with what they say handed on at once."""

from dataclasses import dataclass

from aggregator.merge import lane as merge
from aggregator.merge.lane import ChildRound
from aggregator.merge.values import TellChild
from fogline.model.part import Part
from tests.model.rules import NOW, Merged, Rules, with_lane
from tests.model.setup import Setup
from tests.model.values import Aggregator, Down, Joining, State

Happened = tuple[Aggregator, tuple[TellChild, ...], tuple[Part[State], ...]]
"""The aggregator, what it tells its children, and what it sends up."""


@dataclass(frozen=True, slots=True)
class AggregatorSteps:
    """What aggregators do, under some rules."""

    setup: Setup
    rules: Rules

    def first(self, name: str) -> Aggregator:
        return Aggregator(name=name, lanes=tuple(merge.MergeLane() for _ in range(self.setup.plans)))

    def child_opened(self, aggregator: Aggregator, plan: int, key: ChildRound) -> Aggregator:
        return with_lane(aggregator, plan, merge.child_opened(aggregator.lanes[plan], key)[0])

    def child_closed(self, aggregator: Aggregator, key: ChildRound) -> Aggregator:
        for plan in range(self.setup.plans):
            aggregator = with_lane(aggregator, plan, merge.child_closed(aggregator.lanes[plan], key)[0])
        return aggregator

    def delivered(self, aggregator: Aggregator, plan: int, key: ChildRound, part: Part[State]) -> Happened:
        return _handed_on(self.rules.delivered(aggregator, plan, key, part, self.setup.limits), plan)

    def heard(self, aggregator: Aggregator, plan: int, down: Down, round_: int) -> Happened:
        """An ack or a refusal from above; after a refusal of this round the next is open at once."""
        ends = down.refused and self.rules.rounds.obeys(round_, down.round)
        rule = self.rules.refused if ends else self.rules.answered
        after, actions = rule(aggregator, plan, down.offsets, down.incarnation, self.setup.limits)
        if ends:
            after = with_lane(after, plan, merge.upstream_opened(after.lanes[plan]))
        return _handed_on((after, actions), plan)

    def flushed(self, aggregator: Aggregator, plan: int) -> Happened:
        rules = merge.Rules(merger=Joining(), limits=self.setup.limits)
        lane, actions = merge.flush(aggregator.lanes[plan], rules=rules, now=NOW)
        return _handed_on((with_lane(aggregator, plan, lane), actions), plan)

    def can_flush(self, aggregator: Aggregator, plan: int) -> bool:
        return merge.next_deadline(aggregator.lanes[plan], self.setup.limits) is not None

    def connected(self, aggregator: Aggregator, plan: int) -> Happened:
        lane = merge.upstream_opened(aggregator.lanes[plan])
        return _handed_on((with_lane(aggregator, plan, lane), ()), plan)

    def disconnected(self, aggregator: Aggregator) -> Aggregator:
        for plan in range(self.setup.plans):
            aggregator = with_lane(aggregator, plan, merge.upstream_broken(aggregator.lanes[plan]))
        return aggregator


def _handed_on(merged: Merged, plan: int) -> Happened:
    aggregator, actions = merged
    lane = aggregator.lanes[plan]
    parts: list[Part[State]] = []
    while True:
        lane, part = merge.next_part(lane)
        if part is None:
            break
        parts.append(part)
    told = tuple(action for action in actions if isinstance(action, TellChild))
    return with_lane(aggregator, plan, lane), told, tuple(parts)
