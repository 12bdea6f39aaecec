"""A node's lane: what of each origin is committed, what was sent, what comes next (rules N3 to N6).

A plan reads several origins: one a stream, and older epochs that still drain. A crash, a broken stream and
a refusal are one event: forget what is uncommitted, start the next round at the committed offset. Functions
take a cursor and return the next one, with actions where the shell has something to do.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from fogline.model.clock import NEVER
from fogline.model.frozen import FrozenMap
from fogline.model.gap import CLOUD_ROLLBACK, Gap, gap_at, uncovered
from fogline.model.part import Contribution, Origin
from fogline.uplink.incarnation import News, StoreLife, heard


class Probe(Enum):
    """How far the first exchange of a round has come, for one origin."""

    DUE = "due"
    ASKED = "asked"
    TOLD = "told"
    """The cloud has named its offset in this round: sending may begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a plan stands in one origin. All offsets in messages."""

    start: int
    """Offset at which the plan began; durable on the node."""
    base: int
    """First offset that the journal still holds."""
    end: int
    """One past the last fsynced message (N2)."""
    closed: bool = False
    """The writer of this epoch has ended, after its last sync: ``end`` will not grow."""
    gaps: tuple[Gap, ...] = ()
    """Gap records on disk that are not known to be committed."""
    committed: int
    """Told by the cloud's store, or as good as one can know without it (N3)."""
    next: int
    """First offset that was not sent in this round."""
    probe: Probe = Probe.DUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """A plan's lane on a node."""

    places: FrozenMap[Origin, Place] = field(default_factory=FrozenMap)
    life: StoreLife = field(default_factory=StoreLife)
    sending: bool = False
    """A round is open: parts may be sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """The committed offset of an origin has changed: the journal decides by it what it may truncate.

    It goes down when the store was restored from a backup.
    """

    origin: Origin
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclareGap:
    """Fsync this gap record, then call :func:`journal_changed` with it: nothing is sent before that."""

    origin: Origin
    gap: Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskRolledBack:
    """The cloud holds more of this origin than the journal: the disk lost fsynced messages (alarm of N1)."""

    origin: Origin
    messages: int


Action = Committed | DeclareGap | DiskRolledBack


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What may be sent next of one origin: messages [first, end), or less, cut at a block's border."""

    origin: Origin
    first: int
    end: int
    gap: str = ""
    """Empty for data. A gap goes up whole, in a part of its own with no state."""


def track(
    cursor: Cursor,
    origin: Origin,
    *,
    start: int,
    base: int,
    end: int,
    closed: bool = False,
    gaps: Iterable[Gap] = (),
) -> Cursor:
    """Begin with an origin that the journal holds (N3).

    ``start`` was written durably before. The committed offset is unknown until the probe is answered; until
    then it is the oldest thing kept.
    """
    gaps = tuple(gaps)
    floor = _oldest_kept(start, base, gaps)
    place = Place(start=start, base=base, end=end, closed=closed, gaps=gaps, committed=floor, next=floor)
    return replace(cursor, places=cursor.places.including({origin: place}))


def forget(cursor: Cursor, origin: Origin) -> Cursor:
    """Leave out an origin of which nothing is left to send."""
    return replace(cursor, places=cursor.places.without([origin]))


def journal_changed(
    cursor: Cursor, origin: Origin, *, base: int, end: int, closed: bool = False, gaps: Iterable[Gap] = ()
) -> Cursor:
    """Take over what the journal holds now: it grew, was truncated, wrote a gap record or closed the epoch.

    Gap records below the committed offset may be left out.
    """
    place = replace(cursor.places[origin], base=base, end=end, closed=closed, gaps=tuple(gaps))
    return replace(cursor, places=cursor.places.including({origin: place}))


def opened(cursor: Cursor) -> Cursor:
    """A round begins on whatever stream, for whatever reason: forget what is uncommitted."""
    places = {o: replace(p, next=p.committed, probe=Probe.DUE) for o, p in cursor.places.items()}
    return replace(cursor, places=FrozenMap(places), sending=True)


def closed(cursor: Cursor) -> Cursor:
    """The stream broke: nothing may be sent until the next round is opened."""
    return replace(cursor, sending=False)


def probe(cursor: Cursor) -> tuple[Contribution, ...]:
    """The contributions of the empty part that asks for the offsets of all origins not asked in this round.

    It is the first part of a round: some tens of bytes teach the true offsets before anything is computed. It
    carries no watermark: that of the committed offset is not known any more.
    """
    if not cursor.sending:
        return ()
    return tuple(
        Contribution(origin=o, start=p.start, first=p.next, end=p.next, closed=p.closed and p.next == p.end)
        for o, p in sorted(cursor.places.items(), key=lambda item: item[0])
        if p.probe is Probe.DUE
    )


def wanted(cursor: Cursor) -> tuple[Wanted, ...]:
    """What can be sent now, one entry an origin; empty while no round is open or nothing is told yet."""
    if not cursor.sending:
        return ()
    found = (_wanted(o, p) for o, p in cursor.places.items() if p.probe is Probe.TOLD)
    return tuple(w for w in found if w is not None)


def unasked(cursor: Cursor, origin: Origin, position: int) -> int:
    """One past the last message that may be worked on from ``position`` before the store has named its offset.

    It is ``position`` itself if there is none. What comes of it is sent only if it turns out to be what is wanted.
    """
    place = cursor.places[origin]
    if position < place.base or gap_at(position, place.gaps) is not None:
        return position
    ends = (gap.first for gap in place.gaps if gap.first > position)
    return max(position, min(ends, default=place.end))


def is_told(cursor: Cursor, origin: Origin) -> bool:
    """Whether the store has named its offset in the round that is open."""
    return cursor.sending and cursor.places[origin].probe is Probe.TOLD


def contribution(cursor: Cursor, wanted: Wanted, *, watermark: int = NEVER) -> Contribution:
    """The contribution for a range that was read; ``watermark`` (microseconds) must be true at its end."""
    place = cursor.places[wanted.origin]
    return Contribution(
        origin=wanted.origin,
        start=place.start,
        first=wanted.first,
        end=wanted.end,
        gap=wanted.gap,
        watermark=watermark,
        closed=place.closed and wanted.end == place.end,
    )


def idle(cursor: Cursor, origin: Origin, *, watermark: int) -> Contribution | None:
    """The empty contribution that moves the watermark of an origin with nothing left to send; else None."""
    place = cursor.places[origin]
    if not cursor.sending or place.probe is not Probe.TOLD or place.next < place.end:
        return None
    here = Wanted(origin=origin, first=place.next, end=place.next)
    return contribution(cursor, here, watermark=watermark)


def sent(cursor: Cursor, contributions: Iterable[Contribution]) -> Cursor:
    """A part with these contributions was handed to the stream (N4).

    Raises :class:`ValueError` if one does not begin where the last one ended: the shell has lost its place.
    """
    places: dict[Origin, Place] = {}
    for c in contributions:
        place = cursor.places[c.origin]
        if not cursor.sending or c.first != place.next or c.end > max(place.end, place.next):
            raise ValueError(f"[{c.first}, {c.end}) of {c.origin} is not what comes next after {place.next}")
        asked = Probe.ASKED if place.probe is Probe.DUE else place.probe
        places[c.origin] = replace(place, next=c.end, probe=asked)
    return replace(cursor, places=cursor.places.including(places))


def answered(
    cursor: Cursor, offsets: Mapping[Origin, int], incarnation: bytes
) -> tuple[Cursor, tuple[Action, ...]]:
    """An ack: the store holds these offsets (N5)."""
    life, news = heard(cursor.life, incarnation)
    if news is News.FIRST and any(_below(cursor, o, told) for o, told in offsets.items()):
        # Either an old answer that overtook a restart of ours, or a restored store; the refusal will tell.
        life = cursor.life
    return _told(cursor, offsets, life=life, literal=news is News.CHANGED, ignored=news is News.PAST)


def refused(
    cursor: Cursor, offsets: Mapping[Origin, int], incarnation: bytes
) -> tuple[Cursor, tuple[Action, ...]]:
    """A refusal: the same content as an ack, and the round has ended. Go on with :func:`opened`."""
    life, news = heard(cursor.life, incarnation)
    literal = news in (News.FIRST, News.CHANGED)
    after, actions = _told(cursor, offsets, life=life, literal=literal, ignored=news is News.PAST)
    return closed(after), actions


def awaits_answer(cursor: Cursor) -> bool:
    """Whether something was sent that no answer has covered; if this lasts, end the stream (N8)."""
    return cursor.sending and any(
        p.next > p.committed or p.probe is Probe.ASKED for p in cursor.places.values()
    )


def _oldest_kept(start: int, base: int, gaps: Iterable[Gap]) -> int:
    return max(start, min((base, *(gap.first for gap in gaps))))


def _below(cursor: Cursor, origin: Origin, told: int) -> bool:
    place = cursor.places.get(origin)
    return place is not None and told < place.committed


def _wanted(origin: Origin, place: Place) -> Wanted | None:
    gap = gap_at(place.next, place.gaps)
    if gap is not None:
        return Wanted(origin=origin, first=place.next, end=gap.end, gap=gap.reason)
    if place.next < place.base or place.next >= place.end:
        return None  # a gap record is being written, or everything was sent
    end = min((gap.first for gap in place.gaps if gap.first > place.next), default=place.end)
    return Wanted(origin=origin, first=place.next, end=min(end, place.end))


def _told(
    cursor: Cursor, offsets: Mapping[Origin, int], *, life: StoreLife, literal: bool, ignored: bool
) -> tuple[Cursor, tuple[Action, ...]]:
    if ignored:
        return cursor, ()
    places: dict[Origin, Place] = {}
    actions: list[Action] = []
    for origin, place in cursor.places.items():
        after = _place_told(place, offsets.get(origin), literal=literal)
        if after != place:
            places[origin] = after
            actions += _consequences(origin, place, after)
    return replace(cursor, places=cursor.places.including(places), life=life), tuple(actions)


def _place_told(place: Place, told: int | None, *, literal: bool) -> Place:
    if told is None:
        if not literal:
            return place
        # Told by a store that is no more: as good as unknown, so nothing may be truncated by it.
        return replace(
            place, committed=min(place.committed, _oldest_kept(place.start, place.base, place.gaps))
        )
    if literal:
        return replace(place, committed=told, next=max(place.next, told), probe=Probe.TOLD)
    committed = max(place.committed, told)
    return replace(place, committed=committed, next=max(place.next, committed), probe=Probe.TOLD)


def _consequences(origin: Origin, before: Place, after: Place) -> list[Action]:
    actions: list[Action] = []
    if after.committed != before.committed:
        actions.append(Committed(origin=origin, offset=after.committed))
    for first, end in uncovered(max(after.committed, after.start), after.base, after.gaps):
        actions.append(DeclareGap(origin=origin, gap=Gap(first=first, end=end, reason=CLOUD_ROLLBACK)))
    if after.committed > after.end:
        actions.append(DiskRolledBack(origin=origin, messages=after.committed - after.end))
    return actions
