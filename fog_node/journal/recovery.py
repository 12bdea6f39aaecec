"""What a start of the writer finds on disk. Blocks; runs in a thread.

Former epochs are closed for ever. The end of one that was not closed in order is its last whole block:
the bytes behind it belong to a commit that nobody was told of. Before it is believed it is synced,
because after a mere kill it may stand in the page cache only.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from fog_node.journal.block import body_is_whole, header_counters
from fog_node.journal.catalog import Catalog, OriginRow, PlanRow, Record, Segment, StreamRow
from fog_node.journal.facts import counters_of, plan_row, records_of
from fog_node.journal.files import Files
from fog_node.journal.header import HEADER, Header, parse_header
from fog_node.journal.layout import (
    STREAMS,
    epoch_folder,
    epoch_of,
    note_path,
    segment_of,
    tenant_folder,
    word_of,
)
from fog_node.journal.ledger import Document, EpochFact, LedgerFile
from fog_node.journal.notes import remove_segment
from fog_node.journal.scan import Scan, read_or_nothing, scan
from fog_node.journal.values import CORRUPT, Counters, Finding
from fogline.model.errors import DataLoss
from fogline.model.gap import Gap
from fogline.model.part import Origin


@dataclass(slots=True, kw_only=True)
class Recovery:
    """One start."""

    folder: Path
    files: Files
    ledger: LedgerFile
    tenant: str
    node: str
    findings: list[Finding] = field(default_factory=list)

    def run(self) -> Catalog:
        """Give the catalog of everything that is on disk. Raises OSError."""
        self._make_folders()
        document = self._load_ledger()
        facts = {(f.stream, f.epoch): f for f in document.epochs}
        removed = frozenset(document.removed)
        catalog = Catalog(sequence=0, reads={p: dict(s) for p, s in document.reads.items()})
        for name, counted in document.carried.items():
            catalog.streams[name] = StreamRow(name=name, carried=counters_of(counted))
        for stream, sequence, epoch, folder in self._epoch_folders():
            if epoch.hex() + stream in removed:
                self._remove(folder)
                continue
            fact = facts.pop((stream, epoch.hex()), None)
            row = self._origin_row(stream, sequence, epoch, folder, fact)
            if fact is None and not row.end:
                self._remove(folder)  # it was cut short before anything was told of it
            else:
                self._add(catalog, row)
        for left in facts.values():
            self._add(catalog, self._without_folder(left))
        known = [o.sequence for _, o in catalog.origins()]
        catalog.sequence = 1 + max((0, *known, *(n for s in catalog.reads.values() for n in s.values())))
        return catalog

    def _make_folders(self) -> None:
        root = self.folder
        for folder in (root.parent, root.parent.parent):
            self.files.sync_folder(folder)
        for folder in (root / STREAMS, tenant_folder(root, self.tenant)):
            self.files.make_folder(folder)
            self.files.sync_folder(folder.parent)

    def _load_ledger(self) -> Document:
        try:
            return self.ledger.load() or Document()
        except DataLoss as error:
            kept = self.ledger.set_aside()
            detail = f"{error.message}; the journal goes on with what its blocks tell"
            self.findings.append(Finding(path=kept, what="ledger", detail=detail))
            return Document()

    def _epoch_folders(self) -> list[tuple[str, int, bytes, Path]]:
        """Every epoch on disk, oldest run first."""
        found = []
        tenant = tenant_folder(self.folder, self.tenant)
        for name in self.files.names(tenant):
            for epoch_name in self.files.names(tenant / name):
                parsed = epoch_of(epoch_name)
                if parsed is not None:
                    found.append((word_of(name), *parsed, tenant / name / epoch_name))
        return sorted(found, key=lambda f: f[1])

    def _add(self, catalog: Catalog, row: OriginRow) -> None:
        stream = catalog.streams.setdefault(row.origin.stream, StreamRow(name=row.origin.stream))
        for plan, streams in catalog.reads.items():
            if streams.get(row.origin.stream, row.sequence) < row.sequence:
                row.plans.setdefault(plan, PlanRow(start=0, committed=0))
        stream.origins.append(row)
        stream.origins.sort(key=lambda o: o.sequence)

    def _without_folder(self, fact: EpochFact) -> OriginRow:
        """An epoch of which nothing is left, or in which nothing ever came."""
        origin = self._origin(fact.stream, bytes.fromhex(fact.epoch))
        row = OriginRow(
            origin=origin,
            sequence=fact.sequence,
            folder=epoch_folder(self.folder, origin, fact.sequence),
            base=fact.base,
            end=fact.base if fact.end is None else fact.end,
            closed=True,
        )
        _take_facts(row, fact)
        if row.base < row.end:
            self._lose(row, row.base, row.end, "its folder is gone")
            row.base = row.end
        return row

    def _origin_row(
        self, stream: str, sequence: int, epoch: bytes, folder: Path, fact: EpochFact | None
    ) -> OriginRow:
        row = OriginRow(origin=self._origin(stream, epoch), sequence=sequence, folder=folder, closed=True)
        names = self.files.names(folder)
        firsts = [f for f in map(segment_of, names) if f is not None]
        base = fact.base if fact else 0
        row.segments = [self._segment(folder, first) for first in firsts]
        for segment, following in zip(row.segments, [*firsts[1:], None], strict=False):
            segment.end = segment.first if following is None else following
            if (note := note_path(segment.path)).name in names:
                segment.size += self.files.size(note)
        if fact:
            _take_facts(row, fact)
        self._find_end(row, fact.end if fact else None)
        self._drop_below(row, base)
        self._find_front(row, base)
        return row

    def _segment(self, folder: Path, first: int) -> Segment:
        path = folder / f"{first:020d}.blocks"
        size = self.files.size(path)
        try:
            header = parse_header(read_or_nothing(self.files, path, 0, HEADER.size))
        except DataLoss:
            return Segment(path=path, first=first, end=first, size=size, earliest_us=0, latest_us=0)
        return Segment(
            path=path,
            first=first,
            end=first,
            size=size,
            earliest_us=header.earliest_us,
            latest_us=header.latest_us,
        )

    def _find_end(self, row: OriginRow, end: int | None) -> None:
        """The recorded end, or that of the last whole block; what lies behind it was never acknowledged."""
        for earlier, later in zip(row.segments, row.segments[1:], strict=False):
            earlier.latest_us = max(earlier.latest_us, later.earliest_us)
        if end is not None:
            self._end_at(row, end)
            return
        while row.segments:
            last = row.segments[-1]
            found = scan(self.files, last.path, row.origin.epoch, first=last.first, bodies=True)
            if found.last is not None:
                self._cut(last, found)
                self._believe(row, last, found.last, found)
                row.end = last.end = found.last.end
                return
            # A file is begun only after the one before it was synced: that one ends where this began.
            row.end = last.first
            self._say_torn(last, found)
            remove_segment(self.files, last.path)
            row.segments.pop()
            if row.segments:
                self._end_at(row, row.end)
                return

    def _end_at(self, row: OriginRow, end: int) -> None:
        """Take over an end that is certain; whatever lies behind it was never acknowledged."""
        row.end = end
        for beyond in [s for s in row.segments if s.first >= end]:
            remove_segment(self.files, beyond.path)
            row.segments.remove(beyond)
        if row.segments:
            last = row.segments[-1]
            last.end = end
            found = scan(self.files, last.path, row.origin.epoch, first=last.first, end=end, bodies=False)
            if found.last is not None:
                self._believe(row, last, found.last, found)

    def _say_torn(self, segment: Segment, found: Scan) -> None:
        if found.whole_bytes < found.size:
            tail = found.size - found.whole_bytes
            detail = f"{tail} bytes at {found.whole_bytes} of a commit that was cut short were removed"
            self.findings.append(Finding(path=str(segment.path), what="torn", detail=detail))

    def _cut(self, segment: Segment, found: Scan) -> None:
        self._say_torn(segment, found)
        file = self.files.reopen(segment.path)
        try:
            if found.whole_bytes < found.size:
                file.cut(found.whole_bytes)
            file.sync()
        finally:
            file.close()
        for folder in (segment.path.parent, segment.path.parent.parent, segment.path.parent.parent.parent):
            self.files.sync_folder(folder)
        segment.size = found.whole_bytes

    def _believe(self, row: OriginRow, segment: Segment, last: Header, found: Scan) -> None:
        segment.latest_us = max(segment.latest_us, *found.index.latest_us)
        place = found.index.place(len(found.index) - 1)
        body = read_or_nothing(self.files, segment.path, place.position + HEADER.size, last.body_bytes)
        with suppress(DataLoss):
            if not body_is_whole(last, body):
                return
            row.counters = _further(row.counters, header_counters(last, body))

    def _drop_below(self, row: OriginRow, base: int) -> None:
        """Finish removals that were decided, and recorded, before the crash."""
        for segment in [s for s in row.segments if s.end <= base and s.first < base]:
            remove_segment(self.files, segment.path)
            row.segments.remove(segment)

    def _find_front(self, row: OriginRow, base: int) -> None:
        row.end = max(row.end, base)
        row.base = row.segments[0].first if row.segments else row.end
        if row.base > base:
            self._lose(row, base, row.base, "files are missing")
        row.base = max(row.base, base)

    def _lose(self, row: OriginRow, first: int, end: int, why: str) -> None:
        detail = f"messages [{first}, {end}) of {row.origin} are lost: {why}"
        self.findings.append(Finding(path=str(row.folder), what=CORRUPT, detail=detail))
        row.holes.append(Record(gap=Gap(first=first, end=end, reason=CORRUPT), durable=False))

    def _remove(self, folder: Path) -> None:
        for name in self.files.names(folder):
            self.files.remove(folder / name)
        self.files.remove_folder(folder)

    def _origin(self, stream: str, epoch: bytes) -> Origin:
        return Origin(tenant=self.tenant, node=self.node, stream=stream, epoch=epoch)


def _take_facts(row: OriginRow, fact: EpochFact) -> None:
    row.holes = records_of(fact.holes)
    row.counters = counters_of(fact.counters)
    row.plans = {plan: plan_row(p) for plan, p in fact.plans.items()}


def _further(left: Counters, right: Counters) -> Counters:
    """Counters only count up: the one that is further is the newer."""
    return max(left, right, key=lambda c: (c.journaled, c.received, c.redelivered, c.retained))
