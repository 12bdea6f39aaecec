"""One plan's lane: reads the journal at the cursor, runs the steps, gives out parts.

The cursor (:mod:`fogline.uplink.cursor`) decides about offsets, the tails hold what is read and not sent,
this shell does the waiting and the reading. Live data goes before the epochs that still drain.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

import structlog

from fog_node.decode.stream import DeadRead
from fog_node.journal.values import OriginState
from fog_node.messages import Block
from fog_node.steps.ahead import AHEAD_BYTES, AheadWork
from fog_node.steps.blocks import DecodedBlocks
from fog_node.steps.graph import RowStep, StreamGraph
from fog_node.steps.reader import StreamReader
from fog_node.steps.tail import Cut, Pace, Tail
from fog_node.steps.waiting import first_of
from fogline.engine.state import EMPTY, PartState
from fogline.model.clock import NEVER, SECOND, Clock
from fogline.model.gap import Gap
from fogline.model.part import Offsets, Origin, Part
from fogline.model.plan import Plan
from fogline.uplink import cursor as cursors

IDLE_SHARE: Final = 4
"""An idle origin says that it is there this many times within the plan's ``late.wait``."""
LIVE_TURNS: Final = 3
"""Turns of live data for one of an epoch that drains, while both wait."""
GATHER_S: Final = 1.0
"""A lane that keeps up reads when something is to be cut: when a pane is about to close, or an open window is due;
and after this time, as small a batch as it may be. One batch of a second costs a third of ten smaller ones.
"""
ENOUGH: Final = 8_192
"""So many messages are read without waiting for more."""
LONGEST_WAIT_S: Final = 1.0
"""The wall clock may be set while a lane waits by it."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class LaneJournal(Protocol):
    """What a lane needs of the journal."""

    def origins(self, stream: str) -> tuple[OriginState, ...]: ...
    async def read(self, origin: Origin, first: int, *, plan: str = "") -> Block | Gap | None: ...
    async def plan_started(self, plan: str, origin: Origin) -> int: ...
    def last_heard(self, plan: str, origin: Origin) -> int: ...
    async def declare_gap(self, plan: str, origin: Origin, gap: Gap) -> None: ...
    def progress(self, plan: str, origin: Origin, committed: int) -> None: ...
    def gaps(self, plan: str, origin: Origin) -> tuple[Gap, ...]: ...
    async def grown(self, origin: Origin, offset: int) -> None: ...


class PlanLane:
    """A lane of the uplink (:class:`fogline.uplink.lanes.Lane`) for one plan."""

    def __init__(
        self,
        plan_id: str,
        plan: Plan,
        *,
        journal: LaneJournal,
        blocks: DecodedBlocks,
        row_steps: Mapping[str, RowStep],
        clock: Clock,
        lags: Callable[[int], None],
    ) -> None:
        """``lags`` is told the arrival (microseconds) of the oldest waiting message of a live origin."""
        self.plan: Final = plan_id
        self.spec: Final = plan
        self._journal: Final = journal
        self._clock: Final = clock
        self._lags: Final = lags
        self._readers: Final = {
            spec.name: StreamReader(
                plan,
                spec,
                StreamGraph(plan, spec.name, row_steps),
                journal=journal,
                blocks=blocks,
                plan_id=plan_id,
            )
            for spec in plan.streams
        }
        self._cursor = cursors.Cursor()
        self._tails: dict[Origin, Tail] = {}
        self._told_closed: set[Origin] = set()
        self._todo: list[cursors.Action] = []
        self._heard = asyncio.Event()
        self._live_turns = 0
        self._reading: Final[set[Origin]] = set()
        """Origins of which a stretch is being read, or was when it was broken off."""
        self.ahead: Final = AheadWork(self._work_ahead, clock)
        """To be run beside the uplink: works while that has no parent."""
        self.read_at = float("-inf")
        """When messages were last read; seconds of the monotonic clock."""
        self._held: dict[Origin, int] = {}
        """The greatest offset that the store was heard to hold."""
        self.committed: Final[Counter[str]] = Counter()
        """By stream: messages that the store took while this process listened."""

    def behind(self) -> int:
        """Messages of live origins that are journaled and not read yet."""
        return sum(
            state.end - tail.position
            for stream in self._readers
            for state in self._journal.origins(stream)
            if not state.closed and (tail := self._tails.get(state.origin)) is not None
        )

    @property
    def places(self) -> Mapping[Origin, cursors.Place]:
        """Where the plan stands in each origin."""
        return self._cursor.places

    def watermark_us(self, origin: Origin) -> int:
        """What is believed of an origin's event time."""
        tail = self._tails.get(origin)
        return tail.watermark_us if tail is not None else NEVER

    def letters(self) -> tuple[DeadRead, ...]:
        """Dead readings of the newest blocks that had some."""
        return tuple(letter for reader in self._readers.values() for letter in reader.letters)

    @property
    def readers(self) -> Mapping[str, StreamReader]:
        """The plan's way through each of its streams."""
        return self._readers

    def opened(self, round_: int) -> None:  # noqa: ARG002  # a node begins every round alike
        """A round begins: what was given out and not committed is forgotten.

        What was only read stays, and goes out if the parent wants to go on just there.
        """
        self.ahead.pause()
        self._cursor = cursors.opened(self._cursor)
        self._told_closed.clear()
        for origin, place in self._cursor.places.items():
            tail = self._tails[origin]
            if tail.is_ahead and origin not in self._reading:
                tail.tell_again()
            else:
                self._rewind(origin, place.next)
        self._reading.clear()
        self._heard.set()

    def closed(self) -> None:
        """The stream is over: no part is asked for until the next one is opened."""
        self._cursor = cursors.closed(self._cursor)
        self.ahead.resume()

    def answered(self, offsets: Offsets, incarnation: bytes) -> None:
        """The cloud's store holds these offsets."""
        self._cursor, actions = cursors.answered(self._cursor, offsets, incarnation)
        self._act(actions)

    def refused(self, offsets: Offsets, incarnation: bytes) -> None:
        """A part was refused and the round is over."""
        self._cursor, actions = cursors.refused(self._cursor, offsets, incarnation)
        self._act(actions)

    async def next_part(self) -> Part[PartState]:
        """Wait until there is something to send, and give it out."""
        while True:
            self._heard.clear()
            await self._follow_journal()
            part = self._probe() or await self._take_turns()
            if part is not None:
                self._cursor = cursors.sent(self._cursor, part.contributions)
                return part
            if not self._has_backlog():
                await self._wait()

    def _probe(self) -> Part[PartState] | None:
        asked = cursors.probe(self._cursor)
        return Part(contributions=asked, state=EMPTY) if asked else None

    def _act(self, actions: Iterable[cursors.Action]) -> None:
        for action in actions:
            match action:
                case cursors.Committed(origin=origin, offset=offset):
                    self._journal.progress(self.plan, origin, offset)
                    # What is heard first was committed before, and counted by a former process.
                    self.committed[origin.stream] += max(0, offset - self._held.get(origin, offset))
                    self._held[origin] = max(offset, self._held.get(origin, 0))
                case cursors.DiskRolledBack(origin=origin, messages=messages):
                    _log.error(
                        "the cloud holds more than this disk: it lost synced messages",
                        origin=str(origin),
                        messages=messages,
                    )
                case cursors.DeclareGap():
                    self._todo.append(action)
        self._heard.set()

    async def _follow_journal(self) -> None:
        """Bring the cursor up to what the journal holds; write gap records that it asked for."""
        while self._todo:
            action = self._todo.pop()
            if isinstance(action, cursors.DeclareGap):
                await self._journal.declare_gap(self.plan, action.origin, action.gap)
        held: set[Origin] = set()
        for stream in self._readers:
            for state in self._journal.origins(stream):
                held.add(state.origin)
                await self._follow(state)
        for origin in [o for o in self._cursor.places if o not in held]:
            self._cursor = cursors.forget(self._cursor, origin)
            self._tails.pop(origin, None)
            self._held.pop(origin, None)
            self._readers[origin.stream].forget(origin)

    async def _follow(self, state: OriginState) -> None:
        origin = state.origin
        gaps = self._journal.gaps(self.plan, origin)
        if origin in self._cursor.places:
            self._cursor = cursors.journal_changed(
                self._cursor, origin, base=state.base, end=state.end, closed=state.closed, gaps=gaps
            )
            return
        start = await self._journal.plan_started(self.plan, origin)
        self._cursor = cursors.track(
            self._cursor, origin, start=start, base=state.base, end=state.end, closed=state.closed, gaps=gaps
        )
        if not state.closed:
            self._held[origin] = start  # of this process's own epoch nothing was committed before
        # The store will say where to go on; until then the best guess is what it was last heard to hold.
        first = max(self._cursor.places[origin].next, self._journal.last_heard(self.plan, origin))
        self._tails[origin] = Tail(origin, first, self._pace(origin.stream), self._clock.now_us())

    def _pace(self, stream: str) -> Pace:
        return Pace(
            disorder_us=self.spec.disorder_us,
            emit_every_us=self.spec.emit_every_us,
            idle_every_us=max(self.spec.wait_us // IDLE_SHARE, SECOND),
            widths_us=tuple(self._readers[stream].graph.widths_us),
        )

    def _rewind(self, origin: Origin, first: int) -> None:
        tail = self._tails.get(origin)
        if tail is not None:
            tail.rewind(first, self._clock.now_us())
            self._readers[origin.stream].forget(origin)

    async def _take_turns(self) -> Part[PartState] | None:
        """One turn of every origin that may send, live ones first."""
        wanted = {w.origin: w for w in cursors.wanted(self._cursor) if self._is_ripe(w)}
        live = [o for o, place in self._cursor.places.items() if not place.closed]
        old = [o for o, place in self._cursor.places.items() if place.closed]
        if self._live_turns < LIVE_TURNS and any(o in wanted for o in live):
            self._live_turns += 1
            turns = live
        else:
            self._live_turns = 0
            turns = [*old, *live]
        for origin in turns:
            part = await self._turn(self._tails[origin], wanted.get(origin))
            if part is not None:
                return part
        return None

    async def _turn(self, tail: Tail, wanted: cursors.Wanted | None) -> Part[PartState] | None:
        origin = tail.origin
        place = self._cursor.places[origin]
        if not cursors.is_told(self._cursor, origin):
            await self._read_ahead(tail)
            return None
        if wanted is not None and wanted.gap and tail.is_ahead:  # it was given up after it had been read
            self._rewind(origin, place.next)
        if tail.unsent != place.next:  # a commit through another path overtook this one (N5)
            self._rewind(origin, place.next)
        if tail.ready:
            return self._part(origin, tail.ready.popleft())
        if wanted is not None and wanted.gap:
            tail.skip(wanted.end)
            return self._part(origin, Cut.empty(wanted.first, wanted.end, tail.watermark_us), gap=wanted.gap)
        if wanted is not None:
            await self._read(tail, wanted.end)
        place = self._cursor.places[origin]
        if not self._cursor.sending or tail.unsent != place.next:
            return None  # told something while reading: the next turn begins anew
        cut = tail.ready.popleft() if tail.ready else self._due(tail, place)
        return self._part(origin, cut) if cut is not None else None

    async def _work_ahead(self) -> None:
        """A step while no stream is open: today's messages first."""
        for origin in self._reading:  # broken off: by the end of a stream, or by a fault
            self._rewind(origin, self._tails[origin].unsent)
        self._reading.clear()
        await self._follow_journal()
        by_age = sorted(self._tails.values(), key=lambda tail: self._cursor.places[tail.origin].closed)
        if not any([await self._read_ahead(tail) for tail in by_age]):
            await self._wait()

    async def _read_ahead(self, tail: Tail) -> bool:
        """Read what will be wanted once a parent is reached; whether there was anything."""
        before = tail.position
        end = cursors.unasked(self._cursor, tail.origin, before)
        rests = self._clock.monotonic() < tail.rest_until and end - before < ENOUGH
        if end == before or rests or tail.ahead_bytes >= AHEAD_BYTES:
            return False
        await self._read(tail, end)
        return tail.position > before  # else the journal has just lost it, and will say so

    async def _read(self, tail: Tail, end: int) -> None:
        """Read a stretch of blocks."""
        first = tail.unsent
        self._reading.add(tail.origin)
        stretch = await self._readers[tail.origin.stream].read(tail.origin, tail.position, end)
        if tail.unsent != first:
            return  # a rewind came in between
        self._reading.discard(tail.origin)
        self.read_at = self._clock.monotonic()
        for read in stretch.reads:
            tail.take(read, self._clock.now_us())
        if stretch.lost is not None:
            self._todo.append(cursors.DeclareGap(origin=tail.origin, gap=stretch.lost))
        tail.rest_until = self.read_at + min(GATHER_S, tail.closes_in_us() / SECOND)
        place = self._cursor.places[tail.origin]
        if place.closed and tail.position >= place.end:
            # Identities are some hundred bytes a message: those of a drained epoch must not wait for its answers.
            self._readers[tail.origin.stream].forget(tail.origin)
        if stretch.reads and not place.closed:
            self._lags(stretch.reads[0].arrived_us[0])

    def _due(self, tail: Tail, place: cursors.Place) -> Cut | None:
        now_us = self._clock.now_us()
        if tail.position < place.end:
            return tail.cut(now_us) if tail.is_due(now_us) else None
        if place.closed:
            drained = tail.position > tail.first or tail.origin not in self._told_closed
            return tail.cut(now_us) if drained else None
        tail.idle(now_us)
        return tail.cut(now_us) if tail.is_due(now_us) else None

    def _part(self, origin: Origin, cut: Cut, *, gap: str = "") -> Part[PartState]:
        wanted = cursors.Wanted(origin=origin, first=cut.first, end=cut.end, gap=gap)
        contribution = cursors.contribution(self._cursor, wanted, watermark=cut.watermark_us)
        if contribution.closed:
            self._told_closed.add(origin)
        return Part(contributions=(contribution,), state=cut.state)

    def _has_backlog(self) -> bool:
        """Whether a turn would read at once."""
        return any(
            self._tails[w.origin].position < w.end and self._is_ripe(w) for w in cursors.wanted(self._cursor)
        )

    def _is_ripe(self, wanted: cursors.Wanted) -> bool:
        """Whether to read what waits in an origin, or to let more of it gather."""
        tail, place = self._tails[wanted.origin], self._cursor.places[wanted.origin]
        return (
            place.closed
            or bool(wanted.gap or tail.ready)
            or wanted.end - tail.position >= ENOUGH
            or self._clock.monotonic() >= tail.rest_until
            or tail.is_due(self._clock.now_us())
        )

    async def _wait(self) -> None:
        """Until the journal grew, something was told, or a tail is due."""
        now_us = self._clock.now_us()
        now = self._clock.monotonic()
        live = {o: place for o, place in self._cursor.places.items() if not place.closed}
        due = [self._tails[o].due_at(now_us) for o, p in live.items() if p.probe is cursors.Probe.TOLD]
        rests = [self._tails[o].rest_until - now for o in live if self._tails[o].rest_until > now]
        wait_s = min([LONGEST_WAIT_S, *rests, *((at - now_us) / SECOND for at in due)])
        await first_of(
            self._heard.wait(),
            self._clock.sleep(max(wait_s, 0.0)),
            *(self._journal.grown(origin, self._enough(origin, now)) for origin in live),
        )

    def _enough(self, origin: Origin, now: float) -> int:
        """The offset beyond which an origin must have grown to be read."""
        tail, end = self._tails[origin], self._cursor.places[origin].end
        return max(end, tail.position + ENOUGH - 1) if tail.rest_until > now else end
