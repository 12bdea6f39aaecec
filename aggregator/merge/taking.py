"""How parts of children become merged parts (rules A1 to A3)."""

from dataclasses import dataclass, replace
from typing import Generic

from aggregator.merge.values import (
    FOR_EVER,
    Action,
    Cause,
    Child,
    ChildRound,
    Delivery,
    Limits,
    MergeLane,
    Merger,
    Open,
    Proven,
    Released,
    S,
    Sealed,
)
from fogline.model.clock import NEVER
from fogline.model.frozen import FrozenMap
from fogline.model.part import Contribution, Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules(Generic[S]):
    """What taking depends on beside the lane's state."""

    merger: Merger[S]
    limits: Limits


def settled(lane: MergeLane[S], rules: Rules[S], now: int) -> tuple[MergeLane[S], tuple[Action[S], ...]]:
    """Take and seal until nothing more can be done at this instant (microseconds)."""
    actions: list[Action[S]] = []
    while True:
        cause = _due(lane, rules.limits, now)
        if cause is not None and has_room(lane, rules.limits):
            lane, done = seal(lane, cause)
        else:
            lane, done = _take_one(lane, rules, now)
        if not done:
            return lane, tuple(actions)
        actions += done


def has_room(lane: MergeLane[S], limits: Limits) -> bool:
    """Whether one more part may wait for its ack."""
    return len(lane.inflight) < limits.in_flight


def seal(lane: MergeLane[S], cause: Cause) -> tuple[MergeLane[S], tuple[Action[S], ...]]:
    """Close the open part and queue it upwards; there must be one, and room."""
    if lane.open is None:
        raise ValueError("there is no open part to seal")
    part = Part(contributions=tuple(lane.open.contributions.values()), state=lane.open.state)
    return replace(lane, open=None, inflight=(*lane.inflight, part)), (Sealed(part=part, cause=cause),)


def _due(lane: MergeLane[S], limits: Limits, now: int) -> Cause | None:
    if lane.open is None:
        return None
    if lane.open.pane_ended:
        return Cause.PANE
    if len(lane.open.contributions) >= limits.part_contributions:
        return Cause.SIZE
    if now - lane.open.since >= limits.seal_after_us:
        return Cause.TIME
    return None


def _take_one(lane: MergeLane[S], rules: Rules[S], now: int) -> tuple[MergeLane[S], tuple[Action[S], ...]]:
    """Move on by one delivery, the oldest that can; no action says that none can."""
    stuck: set[ChildRound] = set()
    for delivery in lane.waiting:
        if delivery.child in stuck:
            continue
        after, actions = _take(lane, delivery, rules, now)
        if actions:
            return after, actions
        stuck.add(delivery.child)
    return lane, ()


def _take(
    lane: MergeLane[S], delivery: Delivery[S], rules: Rules[S], now: int
) -> tuple[MergeLane[S], tuple[Action[S], ...]]:
    child = lane.children[delivery.child]
    if child.proven is Proven.WAITING:
        return lane, ()
    trusted = child.proven is Proven.YES or _proves(lane, child, delivery.part)
    if not trusted or delivery.part.is_gap:
        return _pass_alone(lane, delivery, rules, trusted=trusted)
    cause = _obstacle(lane.open, delivery.part, rules)
    if cause is not None:
        return seal(lane, cause) if has_room(lane, rules.limits) else (lane, ())
    joined = _joined(lane.open, delivery.part, rules.merger, now)
    lane = _taken(lane, delivery, child, proven=Proven.YES, open_part=joined)
    lane = _note_pane_end(lane, child, delivery.part, rules.merger)
    return lane, (Released(child=delivery.child, parts=1),)


def _proves(lane: MergeLane[S], child: Child, part: Part[S]) -> bool:
    """Whether this part begins exactly where the cloud is, with nothing of its origins still under way here.

    An ack that covers the round's first part is not enough: a commit of an older path can cover it while the
    child has already sent on behind it.
    """
    if child.proven is not Proven.TOLD:
        return False
    if not all(child.told.get(c.origin) == c.first for c in part.contributions):
        return False
    mine = {c.origin for c in part.contributions}
    if lane.open is not None and any(origin in lane.open.contributions for origin in mine):
        return False
    return all(c.origin not in mine for sealed in lane.inflight for c in sealed.contributions)


def _pass_alone(
    lane: MergeLane[S], delivery: Delivery[S], rules: Rules[S], *, trusted: bool
) -> tuple[MergeLane[S], tuple[Action[S], ...]]:
    if not has_room(lane, rules.limits):
        return lane, ()
    if lane.open is not None:
        return seal(lane, Cause.APART)
    part, child = delivery.part, lane.children[delivery.child]
    if not trusted:
        child = replace(child, alone=part.contributions)
    proven = Proven.YES if trusted else Proven.WAITING
    lane = replace(lane, inflight=(*lane.inflight, part))
    lane = _taken(lane, delivery, child, proven=proven, open_part=None)
    return lane, (Sealed(part=part, cause=Cause.APART), Released(child=delivery.child, parts=1))


def _obstacle(open_part: Open[S] | None, part: Part[S], rules: Rules[S]) -> Cause | None:
    """Why this part cannot become a piece of the open one, or None.

    Limits are checked before merging: no part can be split afterwards.
    """
    if open_part is None:
        return None
    if not _continues(open_part, part) or not rules.merger.mergeable(open_part.state, part.state):
        return Cause.APART
    size = rules.merger.size(open_part.state) + rules.merger.size(part.state)
    new = [c for c in part.contributions if c.origin not in open_part.contributions]
    count = len(open_part.contributions) + len(new)
    if size > rules.limits.part_bytes or count > rules.limits.part_contributions:
        return Cause.SIZE
    return None


def _continues(open_part: Open[S], part: Part[S]) -> bool:
    """Whether every origin in common goes on where it stopped: never over a hole or an overlap."""
    for contribution in part.contributions:
        before = open_part.contributions.get(contribution.origin)
        if before is not None and before.end != contribution.first:
            return False
    return True


def _joined(open_part: Open[S] | None, part: Part[S], merger: Merger[S], now: int) -> Open[S]:
    if open_part is None:
        return Open(
            contributions=FrozenMap({c.origin: c for c in part.contributions}), state=part.state, since=now
        )
    joined = {c.origin: _extended(open_part.contributions.get(c.origin), c) for c in part.contributions}
    return Open(
        contributions=open_part.contributions.including(joined),
        state=merger.merge(open_part.state, part.state),
        since=open_part.since,
        pane_ended=open_part.pane_ended,
    )


def _extended(before: Contribution | None, after: Contribution) -> Contribution:
    if before is None:
        return after
    return replace(
        before,
        end=after.end,
        watermark=max(before.watermark, after.watermark),
        closed=before.closed or after.closed,
    )


def _taken(
    lane: MergeLane[S], delivery: Delivery[S], child: Child, *, proven: Proven, open_part: Open[S] | None
) -> MergeLane[S]:
    """The lane without this delivery and with this open part, its child having been seen with these origins."""
    seen = child.seen.including({c.origin: _mark(child, c) for c in delivery.part.contributions})
    # Spelt out: `replace` costs three times as much, and every part passes here.
    child = Child(proven=proven, seen=seen, told=child.told, alone=child.alone)
    return MergeLane(
        children=lane.children.including({delivery.child: child}),
        waiting=tuple([waiting for waiting in lane.waiting if waiting is not delivery]),
        open=open_part,
        inflight=lane.inflight,
        sent=lane.sent,
        up=lane.up,
        life=lane.life,
        passed_us=lane.passed_us,
        behind=lane.behind,
    )


def _mark(child: Child, contribution: Contribution) -> int:
    if contribution.closed:
        return FOR_EVER
    return max(child.seen.get(contribution.origin, NEVER), contribution.watermark)


def _note_pane_end(lane: MergeLane[S], before: Child, part: Part[S], merger: Merger[S]) -> MergeLane[S]:
    """Mark the open part if this one was the last that had not passed a pane's end yet."""
    if lane.open is None:
        return lane
    pane = merger.pane_us(lane.open.state)
    if not pane or not _passes_an_end(before, part, pane):
        return lane
    # Only a child that passed a pane's end itself can be the last one; and not while another is known to be behind.
    passed = lane.passed_us // pane
    known = lane.children.get(lane.behind) if lane.behind is not None else None
    if known is not None and _is_behind(known, pane, passed):
        return lane
    # Children report in much the same order pane after pane: the last of them will stay behind longest.
    behind = next(
        (key for key, child in reversed(lane.children.items()) if _is_behind(child, pane, passed)), None
    )
    if behind is not None:
        return replace(lane, behind=behind)
    low = min((mark for child in lane.children.values() for mark in child.seen.values()), default=NEVER)
    if low // pane <= passed:
        return lane
    return replace(lane, open=replace(lane.open, pane_ended=True), passed_us=low, behind=None)


def _passes_an_end(before: Child, part: Part[S], pane_us: int) -> bool:
    for contribution in part.contributions:
        seen = before.seen.get(contribution.origin, NEVER)
        mark = FOR_EVER if contribution.closed else contribution.watermark
        if mark // pane_us > seen // pane_us:
            return True
    return False


def _is_behind(child: Child, pane_us: int, passed: int) -> bool:
    end = (passed + 1) * pane_us
    return bool(child.seen) and min(child.seen.values()) < end
