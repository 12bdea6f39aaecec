"""A plan's lane through an aggregator: merges what children send, carries the answers back (A1 to A8).

Events come in as function calls and return the next state with actions. An aggregator never judges offsets
and never makes one up: the only judge is the cloud. One above another works the same; its children's parts
happen to have several contributions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from aggregator.merge.taking import Rules, has_room, seal, settled
from aggregator.merge.values import (
    Action,
    Cause,
    Child,
    ChildRound,
    Delivery,
    Discarded,
    Limits,
    MergeLane,
    Merger,
    Proven,
    Released,
    S,
    TellChild,
)
from fogline.model.frozen import FrozenMap
from fogline.model.part import Origin, Part
from fogline.uplink.incarnation import News, heard

__all__ = [
    "Action",
    "Cause",
    "ChildRound",
    "Limits",
    "MergeLane",
    "Merger",
    "Rules",
    "answered",
    "child_closed",
    "child_opened",
    "delivered",
    "flush",
    "held_bytes",
    "next_deadline",
    "next_part",
    "refused",
    "tick",
    "upstream_broken",
    "upstream_opened",
]

Step = tuple[MergeLane[S], tuple[Action[S], ...]]


def child_opened(lane: MergeLane[S], key: ChildRound) -> Step[S]:
    """A child opens the lane or its next round; older rounds and streams of that child are dropped (A7)."""
    older = [known for known in lane.children if known.child == key.child]
    lane, actions = _dropped(lane, older)
    return replace(lane, children=lane.children.including({key: Child()})), actions


def child_closed(lane: MergeLane[S], key: ChildRound) -> Step[S]:
    """A child's stream broke (A7): what was merged stays, what still waits is dropped."""
    return _dropped(lane, [key])


def delivered(lane: MergeLane[S], key: ChildRound, part: Part[S], *, rules: Rules[S], now: int) -> Step[S]:
    """A child's part has come. :class:`Released` tells when its bytes may be credited back.

    A part of a round that is not open here (ended, or of an older stream) is dropped.
    """
    if key not in lane.children:
        return lane, (Released(child=key, parts=1),)
    lane = replace(lane, waiting=(*lane.waiting, Delivery(child=key, part=part)))
    return settled(lane, rules, now)


def tick(lane: MergeLane[S], *, rules: Rules[S], now: int) -> Step[S]:
    """Time has passed: seal what has waited long enough. Due at :func:`next_deadline`."""
    return settled(lane, rules, now)


def next_deadline(lane: MergeLane[S], limits: Limits) -> int | None:
    """When :func:`tick` has something to do (microseconds); None if nothing is open or there is no room."""
    if lane.open is None or not has_room(lane, limits):
        return None
    return lane.open.since + limits.seal_after_us


def flush(lane: MergeLane[S], *, rules: Rules[S], now: int) -> Step[S]:
    """Seal now if there is something to seal and room for it, for example before stopping."""
    if lane.open is None or not has_room(lane, rules.limits):
        return lane, ()
    lane, sealed = seal(lane, Cause.FLUSH)
    lane, actions = settled(lane, rules, now)
    return lane, (*sealed, *actions)


def upstream_opened(lane: MergeLane[S]) -> MergeLane[S]:
    """A round begins upstream, on whatever stream: what is in flight is handed out again, in order (A6)."""
    return replace(lane, up=True, sent=0)


def upstream_broken(lane: MergeLane[S]) -> MergeLane[S]:
    """The upstream ended without a refusal: keep everything (A6)."""
    return replace(lane, up=False, sent=0)


def next_part(lane: MergeLane[S]) -> tuple[MergeLane[S], Part[S] | None]:
    """The next part to send upstream, or None for now; it stays in flight until an ack covers it."""
    if not lane.up or lane.sent == len(lane.inflight):
        return lane, None
    return replace(lane, sent=lane.sent + 1), lane.inflight[lane.sent]


def answered(
    lane: MergeLane[S], offsets: Mapping[Origin, int], incarnation: bytes, *, rules: Rules[S], now: int
) -> Step[S]:
    """An ack from above (A4): let go of what it covers, and tell every child that has seen its origins."""
    life, news = heard(lane.life, incarnation)
    if news is News.PAST:
        return lane, ()
    told: list[Action[S]] = []
    children: dict[ChildRound, Child] = {}
    for key, child in lane.children.items():
        mine = _of(child, offsets)
        if mine or news is News.CHANGED:
            children[key] = _informed(child, mine, forget=news is News.CHANGED)
        if mine:
            told.append(TellChild(child=key, refused=False, offsets=FrozenMap(mine), incarnation=incarnation))
    covered = [_covers(offsets, part) for part in lane.inflight]
    lane = replace(
        lane,
        life=life,
        children=lane.children.including(children),
        inflight=tuple(part for part, done in zip(lane.inflight, covered, strict=True) if not done),
        sent=lane.sent - sum(covered[: lane.sent]),
    )
    lane, actions = settled(lane, rules, now)
    return lane, (*told, *actions)


def refused(
    lane: MergeLane[S], offsets: Mapping[Origin, int], incarnation: bytes, *, rules: Rules[S], now: int
) -> Step[S]:
    """A refusal from above (A5): nothing held can be saved, since a merged part cannot be taken apart.

    Every child that has seen an origin of it starts its next round; the others go on undisturbed. This lane
    starts its own with the next :func:`upstream_opened`.
    """
    life, news = heard(lane.life, incarnation)
    if news is News.PAST:
        offsets = {}
    hit = {c.origin for c in lane.held()} | set(offsets)
    discarded = len(lane.inflight) + (lane.open is not None)
    children = FrozenMap(
        {key: _informed(c, _of(c, offsets), forget=news is News.CHANGED) for key, c in lane.children.items()}
    )
    ended = [key for key, child in children.items() if not hit.isdisjoint(child.seen)]
    told = tuple(
        TellChild(child=key, refused=True, offsets=children[key].told, incarnation=life.current or b"")
        for key in ended
    )
    lane = replace(lane, life=life, children=children, open=None, inflight=(), sent=0, up=False)
    lane, dropped = _dropped(lane, ended)
    lane, actions = settled(lane, rules, now)
    return lane, (Discarded(parts=discarded), *told, *dropped, *actions)


def held_bytes(lane: MergeLane[S], merger: Merger[S]) -> int:
    """Bytes of all states kept: open, in flight and waiting to be taken."""
    states = [part.state for part in lane.inflight] + [delivery.part.state for delivery in lane.waiting]
    if lane.open is not None:
        states.append(lane.open.state)
    return sum(merger.size(state) for state in states)


def _dropped(lane: MergeLane[S], keys: Iterable[ChildRound]) -> Step[S]:
    gone = [key for key in keys if key in lane.children]
    left = tuple(d for d in lane.waiting if d.child not in gone)
    counts = {key: sum(d.child == key for d in lane.waiting) for key in gone}
    released = tuple(Released(child=key, parts=count) for key, count in counts.items() if count)
    return replace(lane, children=lane.children.without(gone), waiting=left), released


def _informed(child: Child, offsets: Mapping[Origin, int], *, forget: bool) -> Child:
    known: FrozenMap[Origin, int] = FrozenMap() if forget else child.told
    told = known.including({o: max(offset, known.get(o, offset)) for o, offset in offsets.items()})
    if child.proven is Proven.WAITING and all(told.get(c.origin, -1) >= c.end for c in child.alone):
        return replace(child, told=told, proven=Proven.TOLD, alone=())
    return replace(child, told=told)


def _of(child: Child, offsets: Mapping[Origin, int]) -> dict[Origin, int]:
    return {origin: offsets[origin] for origin in child.seen if origin in offsets}


def _covers(offsets: Mapping[Origin, int], part: Part[S]) -> bool:
    return all(c.origin in offsets and c.end <= offsets[c.origin] for c in part.contributions)
