"""From Push streams to the store: parts that wait together are committed together."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from cloud.catalog import Catalog
from cloud.store.rows import difference
from cloud.store.settlement import Answer, Submission
from cloud.store.store import Store
from fogline.engine.state import PartState
from fogline.intake.sink import ChildLane
from fogline.model.clock import Clock
from fogline.model.errors import FogError, MalformedPart, NotFound, StoreBusy
from fogline.model.part import Part
from fogline.service.histogram import Histogram

MAX_CONTRIBUTIONS: Final = 4_000
"""Contributions in one transaction: what waits longer goes into the next."""
MAX_OFFSET: Final = 2**62
MAX_READINGS: Final = 2**48

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@dataclass(slots=True)
class CommitCounters:
    """What was committed since the process began. Counts only up."""

    transactions: int = 0
    parts: int = 0
    contributions: int = 0
    refusals: int = 0
    failures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Waiting:
    submission: Submission
    answer: asyncio.Future[Answer]


class Committer:
    """The cloud's :class:`fogline.intake.sink.PartSink`. Answers after COMMIT returned or never (C6)."""

    def __init__(
        self, store: Store, catalog: Catalog, clock: Clock, committed: Callable[[str, str], None]
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._clock = clock
        self._committed = committed
        self._queue: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()
        self.counters: Final = CommitCounters()
        self.durations: Final = Histogram()
        """Of transactions that commit parts, failed ones included. Unit: seconds."""

    @property
    def waiting(self) -> int:
        """Parts that wait for the next transaction."""
        return len(self._queue)

    async def open_lane(self, lane: ChildLane) -> None:
        """A round begins."""
        # Another process may just have deployed the plan, and the child have heard of it there.
        await self._catalog.know(self._store, lane.caller.tenant, [lane.plan])
        if self._catalog.plan(lane.caller.tenant, lane.plan) is None:
            raise NotFound(
                f"there is no plan {lane.plan}", hint="the node's desired state comes from another store"
            )

    async def take(self, lane: ChildLane, part: Part[PartState]) -> None:
        """Commit a part with whatever waits beside it, and answer."""
        submission = Submission(tenant=lane.caller.tenant, plan=lane.plan, part=part)
        self._check(submission)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(submission=submission, answer=answer))
        self._arrived.set()
        try:
            told = await answer
        except StoreBusy as error:
            lane.fail(str(error))
            return
        if told.refused:
            lane.refuse(told.offsets, told.incarnation)
        else:
            lane.ack(told.offsets, told.incarnation)

    async def close_lane(self, lane: ChildLane) -> None:
        """A round is over; what of it still waits was cancelled with it."""

    async def run(self) -> None:
        """Commit until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while batch := self._batch():
                await self._commit(batch)

    def _batch(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        room = MAX_CONTRIBUTIONS
        while self._queue and (not batch or room >= len(self._queue[0].submission.part.contributions)):
            waiting = self._queue.popleft()
            # Its round may have ended while it waited: nobody would hear the answer, and it will come again.
            if not waiting.answer.done():
                batch.append(waiting)
                room -= len(waiting.submission.part.contributions)
        return batch

    async def _commit(self, batch: Sequence[_Waiting]) -> None:
        began = self._clock.monotonic()
        try:
            answers = await self._store.commit([w.submission for w in batch], self._clock.now_us())
        except FogError as error:
            if len(batch) > 1 and not error.retryable:
                # One of them cannot be committed; the others shall not suffer from it.
                for waiting in batch:
                    await self._commit([waiting])
                return
            self._failed(batch, error)
            return
        finally:
            self.durations.observe(self._clock.monotonic() - began)
        self.counters.transactions += 1
        for waiting, answer in zip(batch, answers, strict=True):
            self.counters.parts += 1
            self.counters.contributions += len(waiting.submission.part.contributions)
            self.counters.refusals += answer.refused
            if not waiting.answer.done():
                waiting.answer.set_result(answer)
        for tenant, plan in sorted({(w.submission.tenant, w.submission.plan) for w in batch}):
            self._committed(tenant, plan)

    def _failed(self, batch: Sequence[_Waiting], error: FogError) -> None:
        self.counters.failures += 1
        _log.warning("not committed", error=error, parts=len(batch))
        for waiting in batch:
            if not waiting.answer.done():
                waiting.answer.set_exception(error)

    def _check(self, submission: Submission) -> None:
        """Refuse what contradicts the plan: it would not merge, now or later."""
        contributions = submission.part.contributions
        if any(c.origin.tenant != submission.tenant for c in contributions):
            raise MalformedPart("a part with an origin of another tenant")
        if len({c.origin for c in contributions}) != len(contributions):
            raise MalformedPart("a part with two contributions of one origin")
        if any(c.end > MAX_OFFSET for c in contributions):
            raise MalformedPart("a part with an offset that no journal reaches")
        state = submission.part.state
        if any(not 0 <= readings <= MAX_READINGS for readings in state.counts.values()):
            raise MalformedPart("a part with an impossible count of readings")
        layouts = self._catalog.layouts(submission.tenant, submission.plan)
        steps = [table.step for table in state.tables]
        if len(set(steps)) != len(steps):
            raise MalformedPart("a part with two tables of one step")
        for table in state.tables:
            layout = layouts.get(table.step)
            if layout is None:
                raise MalformedPart(f"plan {submission.plan} has no window step {table.step}")
            if wrong := difference(layout, table):
                raise MalformedPart(f"step {table.step}: {wrong}")
