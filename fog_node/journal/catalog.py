"""What the journal holds, as the event loop sees it. Only synced messages are in it."""

from asyncio import Future
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fog_node.journal.index import BlockIndex
from fog_node.journal.orders import Batch
from fog_node.journal.release import PlanHold, releasable
from fog_node.journal.values import Counters
from fogline.model.gap import Gap
from fogline.model.part import Origin
from fogline.model.plan import FullPolicy


@dataclass(slots=True, kw_only=True)
class Segment:
    """One file of blocks."""

    path: Path
    first: int
    end: int
    """One past the last message that belongs here, whether or not its block can still be read."""
    size: int
    earliest_us: int
    latest_us: int
    index: BlockIndex | None = None
    """None: not looked into since the start."""
    messages: int | None = None
    """Counted from the blocks; None: not counted since the start."""
    dropping: bool = False
    """Its removal was ordered."""


@dataclass(slots=True, kw_only=True)
class Record:
    """A gap, and whether a crash could forget it."""

    gap: Gap
    durable: bool


@dataclass(slots=True, kw_only=True)
class PlanRow:
    """One plan on one origin."""

    start: int
    committed: int
    started: bool = False
    """Somebody was told the start: this origin is known above."""
    gaps: list[Record] = field(default_factory=list)
    finished: bool = False
    """The store confirmed everything, and that the origin is closed, in this run."""


@dataclass(slots=True, kw_only=True)
class OriginRow:
    """One epoch of one stream."""

    origin: Origin
    sequence: int
    folder: Path
    base: int = 0
    end: int = 0
    closed: bool = False
    sealed: bool = False
    """It failed: nothing may be added, though no newer epoch is there yet."""
    leaving: bool = False
    """Its removal was ordered."""
    segments: list[Segment] = field(default_factory=list)
    holes: list[Record] = field(default_factory=list)
    """Ranges that cannot be read any more: gaps for every plan."""
    counters: Counters = field(default_factory=Counters)
    plans: dict[str, PlanRow] = field(default_factory=dict)
    waiters: dict[Future[None], int] = field(default_factory=dict)
    """Who waits for the end to go beyond an offset."""

    def gaps(self, plan: str, *, durable_only: bool = True) -> tuple[Gap, ...]:
        """What the plan will never see, ascending, without overlaps, nothing before its start."""
        row = self.plans.get(plan)
        records = [*self.holes, *(row.gaps if row else ())]
        start = row.start if row else 0
        return _without_overlaps(start, sorted(r.gap for r in records if r.durable or not durable_only))

    def floor(self) -> int:
        """Everything below is in the cloud's store for every plan, or given up (rule N7)."""
        holds = (
            PlanHold(start=row.start, committed=row.committed, gaps=self.gaps(plan))
            for plan, row in self.plans.items()
        )
        return releasable(base=self.base, end=self.end, holds=holds)

    def grew(self) -> None:
        """Tell those for whom there is enough now."""
        for waiter in [w for w, offset in self.waiters.items() if offset < self.end]:
            del self.waiters[waiter]
            if not waiter.done():
                waiter.set_result(None)

    def wake(self) -> None:
        """Let everybody who waits look again, for another reason than more messages."""
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(None)
        self.waiters.clear()


@dataclass(slots=True, kw_only=True)
class StreamRow:
    """One stream: what it may use and its epochs, oldest first; the last one is open."""

    name: str
    policy: FullPolicy = "expire"
    quota_bytes: int = 0
    look_back_us: int = 0
    declared: bool = False
    origins: list[OriginRow] = field(default_factory=list)
    carried: Counters = field(default_factory=Counters)
    """Of epochs that were removed."""
    in_flight_bytes: int = 0
    """Accepted but not on disk yet."""
    parked: deque[Batch] = field(default_factory=deque)
    """Waiting for room, in order."""

    @property
    def open(self) -> OriginRow:
        """The epoch that is being written."""
        return self.origins[-1]

    def counters(self) -> Counters:
        """Of all epochs, those that are gone included."""
        total = self.carried
        for origin in self.origins:
            total = total.plus(origin.counters)
        return total

    def used_bytes(self) -> int:
        """Disk that its segments take."""
        return sum(s.size for o in self.origins for s in o.segments)

    def dropping_bytes(self) -> int:
        """Disk of segments whose removal was ordered."""
        return sum(s.size for o in self.origins for s in o.segments if s.dropping)

    def origin(self, origin: Origin) -> OriginRow | None:
        """The row of an origin, if it is still known."""
        return next((o for o in self.origins if o.origin == origin), None)


@dataclass(slots=True, kw_only=True)
class Catalog:
    """All streams of one node's journal."""

    sequence: int
    """Of the writer's present run."""
    streams: dict[str, StreamRow] = field(default_factory=dict)
    reads: dict[str, dict[str, int]] = field(default_factory=dict)
    """Plan -> stream -> sequence from which on it reads every epoch from its beginning."""

    def open_epoch(self, row: StreamRow, origin: Origin, folder: Path) -> None:
        """Begin an epoch; the plans that read the stream begin there at 0."""
        plans = {
            plan: PlanRow(start=0, committed=0) for plan, streams in self.reads.items() if row.name in streams
        }
        row.origins.append(OriginRow(origin=origin, sequence=self.sequence, folder=folder, plans=plans))

    def row(self, origin: Origin) -> OriginRow | None:
        """The row of an origin, if it is still known."""
        stream = self.streams.get(origin.stream)
        return stream.origin(origin) if stream else None

    def origins(self) -> Iterator[tuple[StreamRow, OriginRow]]:
        """Every epoch with its stream."""
        return ((stream, origin) for stream in self.streams.values() for origin in stream.origins)

    def used_bytes(self) -> int:
        """Disk of all segments."""
        return sum(stream.used_bytes() for stream in self.streams.values())

    def dropping_bytes(self) -> int:
        """Disk of segments whose removal was ordered."""
        return sum(stream.dropping_bytes() for stream in self.streams.values())

    def in_flight_bytes(self) -> int:
        """Accepted but not on disk yet."""
        return sum(stream.in_flight_bytes for stream in self.streams.values())


def _without_overlaps(start: int, gaps: list[Gap]) -> tuple[Gap, ...]:
    kept: list[Gap] = []
    for gap in gaps:
        first = max(gap.first, kept[-1].end if kept else start)
        if first >= gap.end:
            continue
        if kept and kept[-1].end == first and kept[-1].reason == gap.reason:
            first = kept.pop().first
        kept.append(Gap(first=first, end=gap.end, reason=gap.reason))
    return tuple(kept)
