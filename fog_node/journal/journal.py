"""The journal: a node's append-only log of messages, the only durable stream data that a node has."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from structlog import get_logger

from fog_node.journal.appending import Appending
from fog_node.journal.catalog import Catalog, StreamRow
from fog_node.journal.epochs import Epochs
from fog_node.journal.errors import JournalClosed, JournalFailed, JournalLocked
from fog_node.journal.files import DiskFiles, Files
from fog_node.journal.layout import LOCK, LONGEST_NAME, name_of
from fog_node.journal.ledger import LedgerFile
from fog_node.journal.memory import RecentBlocks
from fog_node.journal.notes import Notes
from fog_node.journal.orders import Bounced, Committed, Died, Done, Order, Outcome, Roll, Stop
from fog_node.journal.plans import Plans
from fog_node.journal.reading import Reading
from fog_node.journal.records import Records
from fog_node.journal.recovery import Recovery
from fog_node.journal.room import done_with, outdated
from fog_node.journal.settings import JournalSettings
from fog_node.journal.values import Counters, Finding, OriginState, SegmentState, Usage
from fog_node.journal.writer import Writer
from fog_node.messages import Block, Messages
from fogline.model.clock import MINUTE, SECOND, Clock
from fogline.model.errors import InvalidInput, NotFound
from fogline.model.gap import Gap
from fogline.model.part import Origin
from fogline.model.plan import FullPolicy
from fogline.service.histogram import Buckets

_log = get_logger(__name__)


class Journal:
    """An async context manager: entering opens the folder, leaving it ends the writer.

    All methods belong to the event loop and none blocks it: files are written by one thread and read by
    another.
    """

    def __init__(
        self,
        settings: JournalSettings,
        *,
        folder: Path,
        node: str,
        clock: Clock,
        entropy: Callable[[int], bytes],
        tenant: str = "main",
        files: Files | None = None,
    ) -> None:
        """``entropy`` gives so many random bytes; epochs are made of it."""
        self._settings, self._folder = settings, folder
        self._node, self._tenant = node, tenant
        self._clock, self._entropy = clock, entropy
        self._files: Files = files or DiskFiles()
        self._ledger = LedgerFile(self._files, folder, settings.reserve_bytes)
        self._findings: list[Finding] = []
        self._stack = AsyncExitStack()
        self._dead: Exception | None = None
        self._saved_us = clock.now_us()

    async def __aenter__(self) -> Self:
        """Open the folder. Raises JournalLocked if another writer has it, OSError if the disk fails."""
        async with AsyncExitStack() as stack:
            lock = await asyncio.to_thread(self._lock)
            stack.push_async_callback(asyncio.to_thread, self._files.unlock, lock)
            catalog = await asyncio.to_thread(self._recover)
            self._build(catalog)
            stack.callback(self._reading.close)
            self._writer.start()
            stack.push_async_callback(self._shut)
            await self._records.save()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what was accepted, and close."""
        await self._stack.__aexit__(kind, error, trace)

    @property
    def epoch(self) -> bytes:
        """16 random bytes that name this run of the writer."""
        return self._epochs.current

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was wrong in stored files since the start."""
        return tuple(self._findings)

    def declare(
        self, stream: str, *, policy: FullPolicy = "expire", quota_bytes: int = 0, look_back_us: int = 0
    ) -> None:
        """Make a stream known, or change what it may use; ``quota_bytes`` 0 takes the node's default.

        Blocks whose messages arrived less than ``look_back_us`` before the first uncommitted one are kept.
        Raises InvalidInput for a name that no folder can have.
        """
        if len(name_of(stream)) > LONGEST_NAME:
            raise InvalidInput(
                f"the stream's name is too long for a folder: {stream[:40]}", hint="shorten it"
            )
        row = self._catalog.streams.setdefault(stream, StreamRow(name=stream))
        row.policy, row.look_back_us = policy, look_back_us
        row.quota_bytes = quota_bytes or self._settings.quota_bytes
        if not row.declared:
            row.declared = True
            self._epochs.open(row)

    async def append(self, stream: str, messages: Messages) -> None:
        """Return when the messages are on disk: only then may they be acknowledged.

        Raises JournalFull (nothing is kept; counted as refused) and JournalClosed (they may be kept or
        not, as after a cancelled append).
        """
        await self._appending.append(self._declared(stream), messages)

    def count(
        self,
        stream: str,
        *,
        refused: Mapping[str, int] | None = None,
        redelivered: int = 0,
        retained: int = 0,
    ) -> None:
        """Count deliveries that never became messages here; refused ones count as received too."""
        reasons = dict(refused or {})
        row = self._declared(stream).open
        row.counters = row.counters.plus(
            Counters(
                received=sum(reasons.values()), refused=reasons, redelivered=redelivered, retained=retained
            )
        )

    def counters(self, stream: str) -> Counters:
        """Say what became of the stream's messages since the folder was made, across restarts."""
        return self._declared(stream).counters()

    def origins(self, stream: str) -> tuple[OriginState, ...]:
        """List the epochs that still matter, oldest first; the last is the open one."""
        return tuple(
            OriginState(origin=o.origin, base=o.base, end=o.end, closed=o.closed, counters=o.counters)
            for o in self._declared(stream).origins
        )

    def segments(self, stream: str) -> tuple[SegmentState, ...]:
        """List the files that hold the stream's messages, oldest first, declared in this run or not."""
        return self._notes.segments(row.origins) if (row := self._catalog.streams.get(stream)) else ()

    async def note(self, segment: SegmentState) -> bytes | None:
        """Return what was left beside a closed segment; None: nothing, or something that cannot be believed."""
        return await self._notes.read(segment)

    def leave_note(self, segment: SegmentState, content: bytes) -> None:
        """Keep what was made out of a closed segment beside it, where that can be done; it goes with the segment."""
        self._notes.leave(segment, content)

    def streams(self) -> tuple[str, ...]:
        """List every stream that the journal holds something of, declared in this run or not."""
        return tuple(self._catalog.streams)

    async def read(self, origin: Origin, first: int, *, plan: str = "") -> Block | Gap | None:
        """Return the block that holds ``first``, from there on; or the gap that is there; None: not yet.

        With ``plan`` its own gaps count, else only what nobody can read any more. Raises NotFound for an
        origin that is gone.
        """
        return await self._reading.read(origin, first, plan)

    async def grown(self, origin: Origin, offset: int) -> None:
        """Return when the origin's end is beyond ``offset``, or it is closed, or its gaps changed."""
        row = self._catalog.row(origin)
        if row is None or row.end > offset or row.closed:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        row.waiters[waiter] = offset
        try:
            await waiter
        finally:
            row.waiters.pop(waiter, None)

    async def plan_started(self, plan: str, origin: Origin, *, at: Literal["base", "end"] = "base") -> int:
        """Return where the plan begins on the origin: written once, on disk, then always the same.

        From then on the plan reads the stream: every later epoch from 0. Raises NotFound, JournalFailed.
        """
        return await self._plans.started(plan, origin, at)

    def progress(self, plan: str, origin: Origin, committed: int) -> None:
        """Tell what the cloud's store holds for the plan; the only thing that permits truncation."""
        if not self._plans.progress(plan, origin, committed):
            detail = f"the store holds {committed} messages of {origin}, which is more than the journal has"
            _log.error("disk rolled back", detail=detail)
            self._findings.append(Finding(path=str(origin), what="rolled_back", detail=detail))

    def last_heard(self, plan: str, origin: Origin) -> int:
        """Say what the store was last heard to hold, as far as the disk remembers: a guess, the store knows better."""
        return self._plans.last_heard(plan, origin)

    async def forget(self, plan: str) -> None:
        """Note that the plan was withdrawn: it holds nothing back any more. Raises JournalFailed."""
        await self._plans.forget(plan)

    async def detach(self, plan: str) -> int:
        """Give up everything that the plan has not committed: a gap for this plan alone.

        Returns how many messages that are. Raises JournalFailed.
        """
        return await self._plans.detach(plan)

    async def declare_gap(self, plan: str, origin: Origin, gap: Gap) -> None:
        """Put a gap on record that the plan's lane found. Raises NotFound, JournalFailed."""
        await self._plans.declare(plan, origin, gap)

    def gaps(self, plan: str, origin: Origin) -> tuple[Gap, ...]:
        """List the ranges of the origin that the plan will never see, in order, not overlapping."""
        return self._plans.gaps(plan, origin)

    async def pending(self, origin: Origin, offset: int, end: int) -> int:
        """Count the messages [offset, end) that the journal holds, from its blocks."""
        return await self._reading.pending(origin, offset, end)

    async def roll(self) -> bytes:
        """Close the epoch of every stream and open a new one; returns its name. Raises JournalFailed."""
        await asyncio.shield(self._epochs.roll())
        return self.epoch

    def usage(self) -> Usage:
        """Tell the disk used by blocks, and its limit."""
        return Usage(used=self._catalog.used_bytes(), limit=self._settings.limit_bytes)

    def stream_usage(self, stream: str) -> Usage:
        """As :meth:`usage`, of one stream and its quota."""
        row = self._declared(stream)
        return Usage(used=row.used_bytes(), limit=row.quota_bytes)

    def uncommitted_bytes(self, stream: str) -> int:
        """Disk used by a stream's segments that hold what some plan still needs."""
        rows = ((row, row.floor()) for row in self._declared(stream).origins)
        return sum(s.size for row, floor in rows for s in row.segments if s.end > floor)

    def arrival(self, origin: Origin, offset: int) -> int | None:
        """When about a message arrived (microseconds), without a look at the disk; None if it is not there."""
        return self._reading.arrival(origin, offset)

    @property
    def commits(self) -> Buckets:
        """How long group commits took, write and sync, since the start. Unit: seconds."""
        return self._writer.durations.snapshot()

    async def run(self) -> None:
        """Tidy for ever: belongs into the node's task group. Raises JournalClosed if the writer ended."""
        while True:
            await self._clock.sleep(self._settings.tidy_every_us / SECOND)
            await self.tidy()

    async def tidy(self) -> None:
        """Remove what is released and outdated, and try again what waits; :meth:`run` does it every so
        often.
        """
        settings, now = self._settings, self._clock.now_us()
        if self._dead is not None:
            raise JournalClosed("the journal's writer ended") from self._dead
        drops = outdated(self._catalog, keep_us=settings.keep_us, keep_bytes=settings.keep_bytes, now_us=now)
        removed = done_with(self._catalog)
        stale = self._plans.wants_saving(rested=now - self._saved_us >= MINUTE)
        if drops or removed or stale:
            self._plans.saved()
            self._saved_us = now
            try:
                await self._records.order_save(drops, removed)
            except JournalFailed as error:
                _log.warning("released blocks could not be removed", error=error)
        if any(row.declared and row.open.sealed for row in self._catalog.streams.values()):
            self._epochs.roll()
        self._appending.try_again()

    def _lock(self) -> int:
        self._files.make_folder(self._folder)
        lock = self._files.lock(self._folder / LOCK)
        if lock is None:
            raise JournalLocked(
                f"another process writes the journal in {self._folder}",
                hint="stop it, or give this node a folder of its own",
            )
        return lock

    def _recover(self) -> Catalog:
        recovery = Recovery(
            folder=self._folder,
            files=self._files,
            ledger=self._ledger,
            tenant=self._tenant,
            node=self._node,
            findings=self._findings,
        )
        catalog = recovery.run()
        for finding in self._findings:
            _log.warning("journal opened with a finding", path=finding.path, detail=finding.detail)
        return catalog

    def _build(self, catalog: Catalog) -> None:
        memory = RecentBlocks(self._settings.memory_bytes)
        loop = asyncio.get_running_loop()

        def publish(outcomes: Sequence[Outcome]) -> None:
            loop.call_soon_threadsafe(self._settle, outcomes)

        self._catalog = catalog
        self._records = Records(catalog, tenant=self._tenant, order=self._send)
        self._plans = Plans(catalog, self._records)
        self._epochs = Epochs(
            catalog=catalog,
            records=self._records,
            folder=self._folder,
            tenant=self._tenant,
            node=self._node,
            entropy=self._entropy,
        )
        self._reading = Reading(
            catalog=catalog,
            files=self._files,
            memory=memory,
            records=self._records,
            findings=self._findings,
        )
        self._notes = Notes(catalog, self._files, in_thread=self._reading.in_thread, order=self._send)
        self._appending = Appending(
            settings=self._settings,
            catalog=catalog,
            records=self._records,
            memory=memory,
            clock=self._clock,
            order=self._send,
            epochs=self._epochs,
        )
        self._writer = Writer(
            folder=self._folder,
            files=self._files,
            ledger=self._ledger,
            settings=self._settings,
            origin=self._epochs.origin(""),
            sequence=catalog.sequence,
            clock=self._clock,
            publish=publish,
        )

    def _send(self, order: Order) -> None:
        self._writer.order(order)

    def _settle(self, outcomes: Sequence[Outcome]) -> None:
        """Follow what the writer did, in its order."""
        for outcome in outcomes:
            match outcome:
                case Committed():
                    self._appending.committed(outcome)
                case Bounced():
                    self._appending.bounced(outcome)
                case Done(order=order, error=error):
                    self._records.settle(order.done, error)
                    if isinstance(order, Roll):
                        self._epochs.rolled(order, error)
                        self._appending.rolled(error)
                case Died(error=died):
                    self._die(died)
        self._appending.go_on_all()

    def _die(self, error: Exception) -> None:
        self._dead = error
        _log.error("the journal's writer ended by a mistake in it", exc_info=error)
        self._appending.close(JournalClosed(f"the journal's writer ended: {error!r}"))
        self._appending.abandon()
        self._records.abandon()

    async def _shut(self) -> None:
        self._appending.close(JournalClosed("the journal is closed"))
        with suppress(JournalFailed):
            # Behind everything accepted; then the ends are known and can be written down.
            await self._records.save()
            for _, row in self._catalog.origins():
                row.closed = True
            await self._records.save()
        self._send(Stop())
        await self._reading.in_thread(self._writer.join)
        self._appending.abandon()

    def _declared(self, stream: str) -> StreamRow:
        row = self._catalog.streams.get(stream)
        if row is None or not row.declared:
            raise NotFound(f"the journal knows no stream {stream}", hint="declare it first")
        return row
