"""From `append` to the disk and back: admission, waiting for room, what to do when a write failed.

Belongs to the event loop; never blocks. The writer's thread keeps the order in which batches came, and a
stream that failed is held there until it is resumed from here, so that no batch overtakes another.
"""

import errno
from asyncio import Future, get_running_loop
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from itertools import count

from structlog import get_logger

from fog_node.journal.block import weigh
from fog_node.journal.catalog import Catalog, OriginRow, Segment, StreamRow
from fog_node.journal.epochs import Epochs
from fog_node.journal.errors import JournalClosed, JournalFull
from fog_node.journal.index import BlockIndex
from fog_node.journal.memory import RecentBlocks
from fog_node.journal.orders import Batch, Bounced, Committed, Order, Resume, Stored
from fog_node.journal.records import Records
from fog_node.journal.room import Drop, fits, make_some, room_for
from fog_node.journal.settings import JournalSettings
from fog_node.journal.values import DISK_ERROR, FULL, Counters
from fog_node.messages import Messages
from fogline.model.clock import Clock

_log = get_logger(__name__)
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


class Appending:
    """Takes batches, and tells their senders what became of them."""

    def __init__(
        self,
        *,
        settings: JournalSettings,
        catalog: Catalog,
        records: Records,
        memory: RecentBlocks,
        clock: Clock,
        order: Callable[[Order], None],
        epochs: Epochs,
    ) -> None:
        self._settings, self._catalog, self._records = settings, catalog, records
        self._memory, self._clock, self._order, self._epochs = memory, clock, order, epochs
        self._numbers = count()
        self._held: set[str] = set()
        self._blocked: set[str] = set()
        """Streams that wait for room to be made, or for the next try."""
        self._in_flight: dict[int, Batch] = {}
        self._closed: JournalClosed | None = None

    async def append(self, row: StreamRow, messages: Messages) -> None:
        """Return when the messages are on disk. Raises JournalFull, JournalClosed, InvalidInput."""
        if self._closed is not None:
            raise self._closed
        weighed = weigh(messages)
        if not weighed.count:
            return
        batch = Batch(
            stream=row.name,
            number=next(self._numbers),
            weighed=weighed,
            size=weighed.size,
            aside=Counters(),
            segment_bytes=self._segment_bytes(row),
            waiter=get_running_loop().create_future(),
        )
        row.parked.append(batch)
        self.go_on(row)
        await batch.waiter

    def go_on(self, row: StreamRow) -> None:
        """Send off what waits, in order, as far as there is room."""
        if row.name in self._blocked:
            return
        if row.parked and row.name in self._held and not (row.open.sealed or self._epochs.rolling):
            self._held.discard(row.name)
            self._order(Resume(stream=row.name))
        while row.parked and row.name not in self._held:
            batch = row.parked[0]
            if not batch.waiter.done() and not self._admit(row, batch):
                return
            row.parked.popleft()

    def go_on_all(self) -> None:
        """As :meth:`go_on`, for every stream."""
        for row in self._catalog.streams.values():
            if row.declared and row.parked:
                self.go_on(row)

    def try_again(self) -> None:
        """Try what failed before: there may be room now."""
        self._blocked.clear()
        self.go_on_all()

    def committed(self, outcome: Committed) -> None:
        """Take over blocks that are on disk and tell their senders."""
        stream = self._catalog.streams[outcome.stream]
        row = stream.origin(outcome.origin)
        assert row is not None
        for stored in outcome.blocks:
            _note(row, stored)
            self._memory.keep(stored.block, stored.header.size)
        counted = sum(b.weighed.count for b in outcome.batches)
        journaled = sum(s.header.count for s in outcome.blocks)
        row.counters = row.counters.plus(Counters(received=counted, journaled=journaled))
        for batch in outcome.batches:
            self._landed(stream, batch)
            if not batch.waiter.done():
                batch.waiter.set_result(None)
        row.grew()

    def bounced(self, outcome: Bounced) -> None:
        """Refuse, or keep for another try, what could not be written."""
        row = self._catalog.streams[outcome.stream]
        if row.name not in self._held:
            _log.warning("journal cannot write", stream=row.name, error=outcome.error)
        self._held.add(row.name)
        for batch in outcome.batches:
            self._landed(row, batch)
        if outcome.distrusted:
            row.open.sealed = True
            self._epochs.roll()
        left = [b for b in outcome.batches if not b.waiter.done()]
        again = [b for b in left if self._may_try_again(row, b)]
        no_room = outcome.error.errno in _NO_ROOM
        if again and no_room and row.policy == "expire":
            again = again if self._make_some(row, sum(b.size for b in again)) else []
        for batch in left:
            if batch not in again:
                self._refuse(row, batch, FULL if no_room else DISK_ERROR, str(outcome.error))
        if again:
            self._blocked.add(row.name)
            tried = [replace(b, tries=b.tries + 1) for b in again]
            row.parked = deque(sorted([*tried, *row.parked], key=lambda b: b.number))

    def rolled(self, error: OSError | None) -> None:
        """Without a new epoch a stream that failed can only wait or refuse."""
        if error is None:
            self._blocked.clear()
            return
        for row in self._catalog.streams.values():
            if row.declared and row.open.sealed and row.policy != "wait":
                while row.parked:
                    batch = row.parked.popleft()
                    if not batch.waiter.done():
                        self._refuse(row, batch, DISK_ERROR, str(error))

    def close(self, error: JournalClosed) -> None:
        """Refuse everything that is not on disk, and everything that comes."""
        self._closed = error
        for row in self._catalog.streams.values():
            while row.parked:
                batch = row.parked.popleft()
                if not batch.waiter.done():
                    batch.waiter.set_exception(error)

    def abandon(self) -> None:
        """Tell the senders of batches on their way that nobody will write them."""
        for batch in self._in_flight.values():
            if not batch.waiter.done() and self._closed is not None:
                batch.waiter.set_exception(self._closed)

    def _admit(self, row: StreamRow, batch: Batch) -> bool:
        """Send the batch off, or refuse it; False if it has to wait."""
        limit = self._settings.limit_bytes
        if fits(self._catalog, row, batch.size, limit_bytes=limit):
            self._send(row, batch)
            return True
        drops = room_for(self._catalog, row, batch.size, limit_bytes=limit, now_us=self._clock.now_us())
        if drops:
            self._make_room(row, drops)
            return False
        if drops is not None or self._may_wait(row, batch):
            return False
        self._refuse(row, batch, FULL, "the stream's quota or the node's limit is reached")
        return True

    def _send(self, row: StreamRow, batch: Batch) -> None:
        # Behind a roll that was ordered the epoch is a new one, and has counted nothing yet.
        aside = Counters() if self._epochs.rolling else row.open.counters
        sent = replace(batch, aside=aside)
        row.in_flight_bytes += batch.size
        self._in_flight[batch.number] = sent
        self._order(sent)

    def _may_wait(self, row: StreamRow, batch: Batch) -> bool:
        """Whether room can come: by a commit above (`wait`), or by what is being written or removed now."""
        if batch.size > min(row.quota_bytes, self._settings.limit_bytes):
            return False
        if row.policy == "wait":
            return True
        if row.policy == "refuse":
            return False
        moving = any(s.dropping for o in row.origins for s in o.segments)
        return moving or self._catalog.in_flight_bytes() > 0

    def _may_try_again(self, row: StreamRow, batch: Batch) -> bool:
        if self._closed is not None:
            return False
        return row.policy == "wait" or (row.policy == "expire" and batch.tries == 0)

    def _make_some(self, row: StreamRow, need: int) -> bool:
        """The disk is full though the quota is not: give up something of this stream, if there is
        anything.
        """
        drops = make_some(row, need, now_us=self._clock.now_us())
        if drops:
            self._make_room(row, drops)
        return bool(drops)

    def _make_room(self, row: StreamRow, drops: list[Drop]) -> None:
        """Nothing of the stream is written until the removal is on disk, gap records first."""
        self._blocked.add(row.name)
        self._records.order_save(drops).add_done_callback(lambda done: self._room_made(row, done))

    def _room_made(self, row: StreamRow, done: Future[None]) -> None:
        if done.cancelled() or done.exception() is None:
            self._blocked.discard(row.name)
            self.go_on(row)
            return
        # The disk does not even take a gap record: waiting may help, the next tidying tries again.
        while row.policy != "wait" and row.parked:
            batch = row.parked.popleft()
            if not batch.waiter.done():
                self._refuse(row, batch, DISK_ERROR, str(done.exception()))

    def _landed(self, row: StreamRow, batch: Batch) -> None:
        row.in_flight_bytes -= batch.size
        del self._in_flight[batch.number]

    def _refuse(self, row: StreamRow, batch: Batch, reason: str, why: str) -> None:
        refused = {reason: batch.weighed.count}
        row.open.counters = row.open.counters.plus(Counters(received=batch.weighed.count, refused=refused))
        full = JournalFull(
            f"{row.name} cannot be journaled: {why}", hint="give it more disk, or another policy"
        )
        batch.waiter.set_exception(full)

    def _segment_bytes(self, row: StreamRow) -> int:
        """Small enough that a full stream gives up an eighth of its messages, not all."""
        return max(min(self._settings.segment_bytes, row.quota_bytes // 8), 1)


def _note(row: OriginRow, stored: Stored) -> None:
    """Enter a block into the catalog."""
    header = stored.header
    segment = row.segments[-1] if row.segments else None
    if segment is None or segment.path != stored.path:
        if segment is not None:
            segment.index = None  # a day of small blocks would fill the memory; a lane that lags looks again
        segment = Segment(
            path=stored.path,
            first=header.first,
            end=header.first,
            size=0,
            earliest_us=header.earliest_us,
            latest_us=header.latest_us,
            index=BlockIndex(),
            messages=0,
        )
        row.segments.append(segment)
    assert segment.index is not None
    assert segment.messages is not None
    segment.index.add(header, stored.position)
    segment.end = row.end = header.end
    segment.size += header.size
    segment.messages += header.count
    segment.latest_us = max(segment.latest_us, header.latest_us)
