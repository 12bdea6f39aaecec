"""What may be removed, and what is removed first. Pure decisions over the catalog.

Messages that every plan has in the store (rule N7) go first, oldest first; they stay for ``keep`` while
there is room, and always as far as ``identity`` looks back. Only a stream with the policy ``expire``
loses messages that are still needed, and those become gap records before anything is removed.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from fog_node.journal.catalog import Catalog, OriginRow, Record, Segment, StreamRow
from fog_node.journal.facts import planned_base
from fogline.model.gap import EXPIRED, Gap, past_gaps, uncovered


class Drop(NamedTuple):
    """A segment that goes."""

    row: OriginRow
    segment: Segment


def fits(catalog: Catalog, stream: StreamRow, need: int, *, limit_bytes: int) -> bool:
    """Whether ``need`` more bytes of the stream may be written now."""
    return _over_quota(stream, need) <= 0 and _over_limit(catalog, need, limit_bytes) <= 0


def room_for(
    catalog: Catalog, stream: StreamRow, need: int, *, limit_bytes: int, now_us: int
) -> list[Drop] | None:
    """What to remove so that ``need`` more bytes fit; None if they can't be made to fit.

    Nothing to remove means that enough is being removed already.
    """
    over = _over_quota(stream, need) - stream.dropping_bytes()
    own = _taken(over, _released(stream, now_us))
    if over > _bytes(own):
        if stream.policy != "expire":
            return None
        own = _taken(over, _in_turn(_released(stream, now_us), _removable(stream)))
        if over > _bytes(own):
            return None
    rest = _over_limit(catalog, need, limit_bytes) - catalog.dropping_bytes() - _bytes(own)
    if rest <= 0:
        return own
    return _room_on_node(catalog, own, rest, now_us)


def make_some(stream: StreamRow, need: int, *, now_us: int) -> list[Drop]:
    """What the stream itself can give up when the disk is full before the quota is."""
    released = _released(stream, now_us)
    if stream.policy != "expire":
        return _taken(need, released)
    return _taken(need, _in_turn(released, _removable(stream)))


def outdated(catalog: Catalog, *, keep_us: int, keep_bytes: int, now_us: int) -> list[Drop]:
    """Released segments that are older than ``keep``, or more than ``keep_bytes`` of a stream."""
    drops: list[Drop] = []
    for stream in catalog.streams.values():
        released = _released(stream, now_us)
        spare = _bytes(released) - keep_bytes
        for drop in released:
            if spare <= 0 and drop.segment.latest_us > now_us - keep_us:
                break
            drops.append(drop)
            spare -= drop.segment.size
    return drops


def done_with(catalog: Catalog) -> tuple[OriginRow, ...]:
    """Closed epochs of which nothing is kept and everything was confirmed."""
    return tuple(
        row
        for _, row in catalog.origins()
        if row.closed and not row.leaving and not row.segments and all(p.finished for p in row.plans.values())
    )


def mark(drops: Iterable[Drop]) -> None:
    """Order the removal: note a gap for every plan that still needed something of it."""
    rows: dict[int, OriginRow] = {}
    for row, segment in drops:
        segment.dropping = True
        rows[id(row)] = row
    for row in rows.values():
        base = planned_base(row)
        for plan, needs in row.plans.items():
            gaps = row.gaps(plan, durable_only=False)
            first = past_gaps(max(needs.start, needs.committed), gaps)
            needs.gaps.extend(
                Record(gap=Gap(first=a, end=b, reason=EXPIRED), durable=False)
                for a, b in uncovered(first, base, gaps)
            )


def _over_quota(stream: StreamRow, need: int) -> int:
    return stream.used_bytes() + stream.in_flight_bytes + need - stream.quota_bytes


def _over_limit(catalog: Catalog, need: int, limit_bytes: int) -> int:
    return catalog.used_bytes() + catalog.in_flight_bytes() + need - limit_bytes


def _room_on_node(catalog: Catalog, own: list[Drop], rest: int, now_us: int) -> list[Drop] | None:
    """Released segments of any stream, then the oldest of whoever uses most and may lose some."""
    streams = sorted(catalog.streams.values(), key=StreamRow.used_bytes, reverse=True)
    released = sorted((d for s in streams for d in _released(s, now_us)), key=lambda d: d.segment.latest_us)
    expiring = (d for s in streams if s.policy == "expire" for d in _removable(s))
    chosen = {id(d.segment) for d in own}
    more = _taken(rest, [d for d in _in_turn(released, expiring) if id(d.segment) not in chosen])
    return [*own, *more] if rest <= _bytes(more) else None


def _released(stream: StreamRow, now_us: int) -> list[Drop]:
    """Segments, oldest first, that nobody needs."""
    floors = [(row, row.floor()) for row in stream.origins]
    wanted_from = min((_arrival(row, floor, now_us) for row, floor in floors), default=now_us)
    oldest = wanted_from - stream.look_back_us
    drops = []
    for row, floor in floors:
        for drop in _removable_of(stream, row):
            if drop.segment.end > floor or (stream.look_back_us and drop.segment.latest_us >= oldest):
                break
            drops.append(drop)
    return drops


def _arrival(row: OriginRow, floor: int, now_us: int) -> int:
    """When the first message that is still needed arrived, or a little before; now if none is."""
    needed = (s.earliest_us for s in row.segments if s.end > floor)
    return min(next(needed, now_us), now_us)


def _removable(stream: StreamRow) -> list[Drop]:
    return [drop for row in stream.origins for drop in _removable_of(stream, row)]


def _removable_of(stream: StreamRow, row: OriginRow) -> list[Drop]:
    """Its segments, oldest first. The one being written only while nothing is on its way into it."""
    last = row.segments[-1] if row.segments and not row.closed and stream.in_flight_bytes else None
    return [Drop(row, s) for s in row.segments if not s.dropping and s is not last]


def _in_turn(first: Sequence[Drop], then: Iterable[Drop]) -> list[Drop]:
    known = {id(d.segment) for d in first}
    return [*first, *(d for d in then if id(d.segment) not in known)]


def _taken(need: int, drops: Sequence[Drop]) -> list[Drop]:
    chosen: list[Drop] = []
    for drop in drops:
        if need <= 0:
            break
        chosen.append(drop)
        need -= drop.segment.size
    return chosen


def _bytes(drops: Iterable[Drop]) -> int:
    return sum(d.segment.size for d in drops)
