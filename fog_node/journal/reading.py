"""Reading blocks back: from memory, or from disk in a thread of its own."""

import errno
from asyncio import get_running_loop
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from structlog import get_logger

from fog_node.journal.catalog import Catalog, OriginRow, Record, Segment
from fog_node.journal.files import Files
from fog_node.journal.index import BlockIndex, Place
from fog_node.journal.memory import RecentBlocks
from fog_node.journal.plans import known
from fog_node.journal.records import Records
from fog_node.journal.scan import load_run, scan
from fog_node.journal.values import CORRUPT, RELEASED, Finding
from fog_node.messages import Block
from fogline.model.errors import DataLoss
from fogline.model.gap import Gap, gap_at, uncovered
from fogline.model.part import Origin

_log = get_logger(__name__)
_INDEXES: Final = 16
"""Segments that were looked into and stay indexed."""
_RUN_BYTES: Final = 64 * 1024
"""Who reads on from where it stopped is given so much in one go: a turn in the thread costs as much as a hundred
small blocks.
"""
_AHEAD_BYTES: Final = 1024 * 1024
"""Blocks that were read and not asked for yet, of all who read on."""
_READERS: Final = 64
"""Places that somebody may read on from."""

T = TypeVar("T")


class Reading:
    """Belongs to the event loop; files are read in one thread."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        files: Files,
        memory: RecentBlocks,
        records: Records,
        findings: list[Finding],
    ) -> None:
        self._catalog, self._files, self._memory = catalog, files, memory
        self._records, self._findings = records, findings
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal reader")
        self._indexed: deque[Segment] = deque()
        self._ahead = RecentBlocks(_AHEAD_BYTES)
        self._read_to: deque[tuple[Origin, int]] = deque(maxlen=_READERS)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run something that blocks."""
        return await get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        """Take no more work; what runs ends by itself."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def read(self, origin: Origin, first: int, plan: str) -> Block | Gap | None:
        """Give the block or gap at ``first``, or None. Raises NotFound, JournalFailed, OSError."""
        row = known(self._catalog, origin)
        while True:
            gap = gap_at(first, row.gaps(plan))
            if gap is not None:
                return Gap(first=first, end=gap.end, reason=gap.reason)
            if first >= row.end:
                return None
            if first < row.base:
                return Gap(first=first, end=row.base, reason=RELEASED)
            block = self._memory.get(origin, first) or self._ahead.get(origin, first)
            block = block or await self._from_disk(row, first)
            if block is not None:
                self._read_to.append((origin, block.end))
                return block

    async def pending(self, origin: Origin, offset: int, end: int) -> int:
        """Count the messages [offset, end) of all readable blocks."""
        row = known(self._catalog, origin)
        counted = 0
        for segment in tuple(row.segments):
            if segment.end <= offset or segment.first >= end or segment.dropping:
                continue
            if segment.messages is None or segment.first < offset or segment.end > end:
                index = await self._index(row, segment)
                counted += _readable(index, row, offset, end)
            else:
                counted += segment.messages
        return counted

    def arrival(self, origin: Origin, offset: int) -> int | None:
        """When the newest message of its block arrived; of a segment that was not looked into, its oldest."""
        row = self._catalog.row(origin)
        segment = _segment_at(row, offset) if row is not None else None
        if segment is None:
            return None
        place = segment.index.at(offset) if segment.index is not None else None
        return place.latest_us if place is not None else segment.earliest_us

    async def _from_disk(self, row: OriginRow, first: int) -> Block | None:
        """Read one block; a place that can't be read becomes a gap for every plan, on record."""
        segment = _segment_at(row, first)
        if segment is None:
            await self._lose(row, None, first, _next_first(row, first), "no file holds them")
            return None
        place = None
        try:
            index = await self._index(row, segment)
            reads_on = (row.origin, first) in self._read_to
            run = index.run_at(first, _RUN_BYTES if reads_on else 0)
            if run:
                place = run[0]
                block, *ahead = await self.in_thread(partial(self._load, segment, run, row.origin))
                for following, there in zip(ahead, run[1:], strict=False):  # it may end at a damaged one
                    self._ahead.keep(following, there.size)
                return block.since(first)
            end = min((f for f in index.firsts if f > first), default=segment.end)
            await self._lose(row, segment, first, end, "their block is damaged")
        except DataLoss as error:
            assert place is not None
            await self._lose(row, segment, place.first, place.end, error.message)
        except FileNotFoundError:
            if segment.dropping:
                await self._records.save()  # comes after the removal that is under way
            elif any(s is segment for s in row.segments):
                await self._lose(row, segment, first, segment.end, "their file is gone")
        return None

    def _load(self, segment: Segment, run: Sequence[Place], origin: Origin) -> list[Block]:
        try:
            return load_run(self._files, segment.path, run, origin)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            if len(run) > 1:  # the bad place may be in one that was not asked for
                return self._load(segment, run[:1], origin)
            raise DataLoss(f"the disk cannot read it: {error}") from error

    async def _index(self, row: OriginRow, segment: Segment) -> BlockIndex:
        if segment.index is not None:
            return segment.index
        found = await self.in_thread(
            partial(
                scan,
                self._files,
                segment.path,
                row.origin.epoch,
                first=segment.first,
                end=segment.end,
                bodies=False,
            )
        )
        segment.index = found.index
        segment.messages = _readable(found.index, row, segment.first, segment.end)
        for damage in found.damages:
            detail = f"bytes [{damage.position}, {damage.end}): {damage.why}"
            self._say(Finding(path=str(segment.path), what=CORRUPT, detail=detail))
        self._indexed.append(segment)
        if len(self._indexed) > _INDEXES:
            self._indexed.popleft().index = None
        return found.index

    async def _lose(self, row: OriginRow, segment: Segment | None, first: int, end: int, why: str) -> None:
        for a, b in uncovered(first, end, row.gaps("", durable_only=False)):
            detail = f"messages [{a}, {b}) of {row.origin} are lost: {why}"
            self._say(Finding(path=str(segment.path if segment else row.folder), what=CORRUPT, detail=detail))
            row.holes.append(Record(gap=Gap(first=a, end=b, reason=CORRUPT), durable=False))
        if segment is not None and segment.index is not None:
            segment.messages = _readable(segment.index, row, segment.first, segment.end)
        await self._records.save()

    def _say(self, finding: Finding) -> None:
        _log.error("journal is damaged", path=finding.path, detail=finding.detail)
        self._findings.append(finding)


def _segment_at(row: OriginRow, offset: int) -> Segment | None:
    number = bisect_right(row.segments, offset, key=lambda s: s.first) - 1
    return row.segments[number] if number >= 0 and offset < row.segments[number].end else None


def _next_first(row: OriginRow, offset: int) -> int:
    return min((s.first for s in row.segments if s.first > offset), default=row.end)


def _readable(index: BlockIndex, row: OriginRow, offset: int, end: int) -> int:
    """Messages in blocks that are not known to be damaged."""
    lost = [r.gap for r in row.holes]
    if not lost:
        return index.messages_between(offset, end)
    places = (index.place(n) for n in range(len(index)))
    return sum(
        max(min(p.end, end) - max(p.first, offset), 0) for p in places if gap_at(p.first, lost) is None
    )
