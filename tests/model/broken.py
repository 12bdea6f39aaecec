"""Each plausible misreading of one rule, to be caught. Nothing here is shipped."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from aggregator.merge.lane import ChildRound
from aggregator.merge.values import Limits, TellChild
from fog_node.journal.release import PlanHold
from fogline.intake.judgement import Settlement, Verdict, judge, offsets_after, settle
from fogline.intake.rounds import Rounds
from fogline.model.frozen import FrozenMap
from fogline.model.part import Contribution, Origin, Part
from fogline.uplink import cursor
from fogline.uplink.cursor import Cursor
from tests.model import rules as shipped
from tests.model.rules import Merged, RoundRules, Told
from tests.model.values import Aggregator, Books, Epoch, Node, State

Contributions = Iterable[Contribution]
Offsets = Mapping[Origin, int]


def _at(contribution: Contribution, stored: Offsets) -> int:
    return stored.get(contribution.origin, contribution.start)


def _merged(contributions: tuple[Contribution, ...], stored: Offsets) -> Settlement:
    after = FrozenMap({c.origin: max(c.end, _at(c, stored)) for c in contributions})
    return Settlement(verdict=Verdict.FRESH, write=after, told=after)


# The cloud.


def merges_a_mixture(contributions: Contributions, stored: Offsets) -> Settlement:
    contributions = tuple(contributions)
    each = [judge([c], stored) for c in contributions]
    if Verdict.REFUSED not in each and Verdict.FRESH in each:
        return _merged(contributions, stored)
    return settle(contributions, stored)


def acknowledges_a_mixture(contributions: Contributions, stored: Offsets) -> Settlement:
    contributions = tuple(contributions)
    settlement = settle(contributions, stored)
    if settlement.verdict is Verdict.FRESH or not any(c.end <= _at(c, stored) for c in contributions):
        return settlement
    return Settlement(verdict=Verdict.DONE, write=FrozenMap(), told=_merged(contributions, stored).told)


def merges_an_overlap(contributions: Contributions, stored: Offsets) -> Settlement:
    contributions = tuple(contributions)
    settlement = settle(contributions, stored)
    if settlement.verdict is Verdict.REFUSED and all(c.first <= _at(c, stored) for c in contributions):
        return _merged(contributions, stored)
    return settlement


def merges_over_a_hole(contributions: Contributions, stored: Offsets) -> Settlement:
    contributions = tuple(contributions)
    if all(c.first >= _at(c, stored) for c in contributions):
        return _merged(contributions, stored)
    return settle(contributions, stored)


def begins_a_row_anywhere(contributions: Contributions, stored: Offsets) -> Settlement:
    contributions = tuple(contributions)
    return settle(contributions, {**{c.origin: c.first for c in contributions}, **stored})


def begins_a_row_at_zero(contributions: Contributions, stored: Offsets) -> Settlement:
    contributions = tuple(contributions)
    return settle(contributions, {**{c.origin: 0 for c in contributions}, **stored})


def refuses_without_offsets(contributions: Contributions, stored: Offsets) -> Settlement:
    settlement = settle(contributions, stored)
    return replace(settlement, told=FrozenMap()) if settlement.verdict is Verdict.REFUSED else settlement


def two_transactions(books: Books, part: Part[State], settlement: Settlement) -> tuple[Books, ...]:
    outcome = shipped.one_transaction(books, part, settlement)
    return (shipped.with_state(books, part), *outcome) if settlement.verdict is Verdict.FRESH else outcome


def marks_without_data(books: Books, part: Part[State], settlement: Settlement) -> tuple[Books, ...]:
    return shipped.one_transaction(shipped.with_marks(books, part), part, settlement)


# Rounds.


def reads_on_after_a_refusal(rounds: Rounds, number: int) -> bool:
    return True


# The aggregator.


def acknowledges_on_receipt(
    aggregator: Aggregator, plan: int, key: ChildRound, part: Part[State], limits: Limits
) -> Merged:
    after, actions = shipped.delivered(aggregator, plan, key, part, limits)
    ends = FrozenMap(offsets_after(part.contributions))
    return after, (*actions, TellChild(child=key, refused=False, offsets=ends, incarnation=bytes(1)))


def merges_without_looking(
    aggregator: Aggregator, plan: int, key: ChildRound, part: Part[State], limits: Limits
) -> Merged:
    """As if every part began where the open one ends."""
    now_open = aggregator.lanes[plan].open
    if now_open is not None:
        moved = tuple(
            replace(c, first=now_open.contributions[c.origin].end)
            if c.origin in now_open.contributions
            else c
            for c in part.contributions
        )
        part = replace(part, contributions=moved)
    return shipped.delivered(aggregator, plan, key, part, limits)


def _expecting(
    aggregator: Aggregator, plan: int, key: ChildRound, part: Part[State], limits: Limits, *, told: bool
) -> Merged:
    """An aggregator that remembers where each origin should go on, and refuses what does not fit."""
    memory = aggregator.memory
    if any(memory.get(c.origin, c.first) != c.first for c in part.contributions):
        lane = aggregator.lanes[plan]
        aggregator = shipped.with_lane(aggregator, plan, replace(lane, children=lane.children.without([key])))
        offsets = {c.origin: memory[c.origin] for c in part.contributions if told and c.origin in memory}
        refusal = TellChild(child=key, refused=True, offsets=FrozenMap(offsets), incarnation=bytes(1))
        return aggregator, (refusal,)
    aggregator = replace(aggregator, memory=memory.including(offsets_after(part.contributions)))
    return shipped.delivered(aggregator, plan, key, part, limits)


def refuses_what_it_does_not_expect(
    aggregator: Aggregator, plan: int, key: ChildRound, part: Part[State], limits: Limits
) -> Merged:
    return _expecting(aggregator, plan, key, part, limits, told=False)


def tells_what_it_expects(
    aggregator: Aggregator, plan: int, key: ChildRound, part: Part[State], limits: Limits
) -> Merged:
    return _expecting(aggregator, plan, key, part, limits, told=True)


def tries_the_refused_again(
    aggregator: Aggregator, plan: int, offsets: Offsets, incarnation: bytes, limits: Limits
) -> Merged:
    return aggregator, ()


def rewinds_only_the_guilty(
    aggregator: Aggregator, plan: int, offsets: Offsets, incarnation: bytes, limits: Limits
) -> Merged:
    before = aggregator.lanes[plan]
    begun: dict[Origin, int] = {}
    for c in before.held():
        begun.setdefault(c.origin, c.first)
    after, actions = shipped.refused(aggregator, plan, offsets, incarnation, limits)
    innocent = [
        a.child
        for a in actions
        if isinstance(a, TellChild)
        and all(offsets.get(o, begun.get(o)) == begun.get(o) for o in before.children[a.child].seen)
    ]
    lane = after.lanes[plan]
    children = lane.children.including({key: before.children[key] for key in innocent})
    told = tuple(a for a in actions if not (isinstance(a, TellChild) and a.child in innocent))
    return shipped.with_lane(after, plan, replace(lane, children=children)), told


def refuses_within_the_round(
    aggregator: Aggregator, plan: int, offsets: Offsets, incarnation: bytes, limits: Limits
) -> Merged:
    """Rewind the children, but go on reading what they had sent behind."""
    before = aggregator.lanes[plan].children
    after, actions = shipped.refused(aggregator, plan, offsets, incarnation, limits)
    lane = after.lanes[plan]
    told = {a.child: before[a.child] for a in actions if isinstance(a, TellChild)}
    return shipped.with_lane(after, plan, replace(lane, children=lane.children.including(told))), actions


def makes_up_where_to_go_on(
    aggregator: Aggregator, plan: int, offsets: Offsets, incarnation: bytes, limits: Limits
) -> Merged:
    """Tell each child the offset of its last discarded piece, as if all before it were committed."""
    begun = {c.origin: c.first for c in aggregator.lanes[plan].held()}
    after, actions = shipped.refused(aggregator, plan, offsets, incarnation, limits)
    seen = aggregator.lanes[plan].children
    told = tuple(
        replace(a, offsets=a.offsets.including({o: begun[o] for o in seen[a.child].seen if o in begun}))
        if isinstance(a, TellChild)
        else a
        for a in actions
    )
    return after, told


# The node.


def stays_where_it_was(before: Cursor, offsets: Offsets, incarnation: bytes) -> Told:
    """Take note of what is committed without moving on to it."""
    after, actions = cursor.answered(before, offsets, incarnation)
    places = {o: replace(p, next=before.places[o].next, probe=p.probe) for o, p in after.places.items()}
    return replace(after, places=FrozenMap(places)), actions


def rewinds_within_the_round(before: Cursor) -> Cursor:
    """Go back to the committed offset and send on, as if nothing had been under way."""
    places = {o: replace(p, next=p.committed, probe=cursor.Probe.TOLD) for o, p in before.places.items()}
    return replace(before, places=FrozenMap(places), sending=True)


WITHOUT_ROUNDS = RoundRules(
    accepts=reads_on_after_a_refusal,
    obeys=lambda own, refused: True,
    next_number=lambda own: own,
    begins=rewinds_within_the_round,
)


def takes_the_greatest_for_ever(before: Cursor, offsets: Offsets, incarnation: bytes) -> Told:
    """As if the store had only one life."""
    after, actions = cursor.answered(before, offsets, before.life.current or incarnation)
    return cursor.closed(after), actions


def releases_for_the_fastest(base: int, end: int, holds: Iterable[PlanHold]) -> int:
    return max((hold.first_needed for hold in holds), default=end)


def releases_without_a_record(base: int, end: int, holds: Iterable[PlanHold]) -> int:
    """As if what was sent up were as good as committed."""
    return end


def written_end(epoch: Epoch) -> int:
    return len(epoch.contents)


def epoch_by_the_disk(node: Node) -> int:
    return len(node.epochs)
