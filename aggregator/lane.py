"""The shell around one plan's merge core: children below, the uplink above, a clock beside."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from aggregator.gathered import Gathered
from aggregator.merge import lane as core
from aggregator.merge.values import ChildRound, Discarded, MergeLane, Released, Sealed, TellChild
from fogline.engine.state import PartState
from fogline.intake.sink import ChildLane
from fogline.model.clock import SECOND, Clock
from fogline.model.part import Offsets, Part


@dataclass(slots=True)
class MergeCounters:
    """What merging did since the start. Counts only up."""

    sealed: Counter[core.Cause] = field(default_factory=Counter)
    """Merged parts, by why they were complete."""
    discarded: int = 0
    refusals: int = 0
    """Refusals passed down to children."""


@dataclass(slots=True)
class _Below:
    """A child's round, and who waits for the memory of its part."""

    lane: ChildLane
    released: asyncio.Future[None] | None = None


class PlanLane:
    """A :class:`fogline.uplink.lanes.Lane` made of the parts of children."""

    def __init__(
        self,
        plan: str,
        *,
        rules: core.Rules[Gathered],
        clock: Clock,
        counters: MergeCounters,
        emptied: Callable[["PlanLane"], None],
    ) -> None:
        """``emptied`` is called when nobody is below and nothing is held."""
        self.plan: Final = plan
        self._rules: Final = rules
        self._clock: Final = clock
        self._counters: Final = counters
        self._emptied: Final = emptied
        self._state: MergeLane[Gathered] = MergeLane()
        self._below: Final[dict[ChildRound, _Below]] = {}
        self._news: Final = asyncio.Event()

    @property
    def held_bytes(self) -> int:
        """Bytes of the states held now, about."""
        return core.held_bytes(self._state, self._rules.merger)

    @property
    def open_s(self) -> float:
        """For how many seconds the part that is being merged is open; 0 if there is none."""
        opened = self._state.open
        return 0.0 if opened is None else (self._now() - opened.since) / SECOND

    # --- above

    def opened(self, round_: int) -> None:  # noqa: ARG002 - the core sends again what is in flight on any
        """A round begins upstream."""
        self._state = core.upstream_opened(self._state)
        self._news.set()

    def closed(self) -> None:
        """The stream to the parent is over; children's parts are merged on, as far as there is room."""

    async def next_part(self) -> Part[PartState]:
        """The next sealed part; sealing on time happens here, since only a sender can use it."""
        while True:
            self._do(core.tick(self._state, rules=self._rules, now=self._now()))
            self._state, part = core.next_part(self._state)
            if part is not None:
                return Part(contributions=part.contributions, state=part.state.merged())
            self._news.clear()
            await self._news_or_deadline()

    def answered(self, offsets: Offsets, incarnation: bytes) -> None:
        """An ack from above."""
        self._do(core.answered(self._state, offsets, incarnation, rules=self._rules, now=self._now()))
        self._look_if_empty()

    def refused(self, offsets: Offsets, incarnation: bytes) -> None:
        """A refusal from above."""
        self._do(core.refused(self._state, offsets, incarnation, rules=self._rules, now=self._now()))
        self._look_if_empty()

    def flush(self) -> None:
        """Seal what is open, if there is room: the process is about to stop."""
        self._do(core.flush(self._state, rules=self._rules, now=self._now()))

    # --- below

    def child_opened(self, key: ChildRound, lane: ChildLane) -> None:
        """A child begins a round."""
        self._below[key] = _Below(lane)
        self._do(core.child_opened(self._state, key))

    def child_closed(self, key: ChildRound) -> None:
        """A child's round has ended."""
        if self._below.pop(key, None) is not None:
            self._do(core.child_closed(self._state, key))
            self._look_if_empty()

    async def take(self, key: ChildRound, part: Part[PartState]) -> None:
        """Take one part of a round; returns when its memory is the merged state's or given up."""
        below = self._below[key]
        released: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        below.released = released
        given = Part(contributions=part.contributions, state=Gathered.of(part.state))
        self._do(core.delivered(self._state, key, given, rules=self._rules, now=self._now()))
        await released

    # --- the core's wishes

    def _do(self, step: core.Step[Gathered]) -> None:
        self._state, actions = step
        if actions:
            self._act(actions)
        self._news.set()

    def _act(self, actions: Iterable[core.Action[Gathered]]) -> None:
        for action in actions:
            match action:
                case TellChild():
                    self._tell(action)
                case Released():
                    self._release(action.child)
                case Sealed():
                    self._counters.sealed[action.cause] += 1
                case Discarded():
                    self._counters.discarded += action.parts

    def _tell(self, told: TellChild) -> None:
        below = self._below.get(told.child)
        if below is None:
            return
        if told.refused:
            self._counters.refusals += 1
            below.lane.refuse(told.offsets, told.incarnation)
        else:
            below.lane.ack(told.offsets, told.incarnation)

    def _release(self, key: ChildRound) -> None:
        below = self._below.get(key)
        if below is not None and below.released is not None and not below.released.done():
            below.released.set_result(None)

    def _look_if_empty(self) -> None:
        state = self._state
        if not (self._below or state.inflight or state.waiting or state.open is not None):
            self._emptied(self)

    # --- time

    def _now(self) -> int:
        return int(self._clock.monotonic() * SECOND)

    async def _news_or_deadline(self) -> None:
        deadline = core.next_deadline(self._state, self._rules.limits)
        if deadline is None:
            await self._news.wait()
            return
        news = asyncio.ensure_future(self._news.wait())
        time = asyncio.ensure_future(self._clock.sleep(max(0, deadline - self._now()) / SECOND))
        try:
            await asyncio.wait((news, time), return_when=asyncio.FIRST_COMPLETED)
        finally:
            news.cancel()
            time.cancel()
