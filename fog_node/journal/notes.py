"""Notes: what somebody made out of a closed segment, kept beside it and gone with it, to be spared reading it again.

A note is a copy of what can be made again. So it is not synced, may be missing or torn, and is believed only whole and
for exactly the messages that the segment has now.
"""

import struct
import zlib
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Final, Protocol, TypeVar

from fog_node.journal.catalog import Catalog, OriginRow, Segment
from fog_node.journal.files import Files
from fog_node.journal.layout import note_path
from fog_node.journal.orders import Note, Order
from fog_node.journal.values import SegmentState

_HEAD: Final = struct.Struct("<IQ")
"""CRC-32 of what follows, one past the segment's last message."""

T = TypeVar("T")


class InThread(Protocol):
    """Runs something that blocks."""

    def __call__(self, work: Callable[[], T]) -> Awaitable[T]: ...


class Notes:
    """Belongs to the event loop. The writer's thread writes notes, since it is the one that removes segments."""

    def __init__(
        self, catalog: Catalog, files: Files, *, in_thread: InThread, order: Callable[[Order], None]
    ) -> None:
        self._catalog, self._files = catalog, files
        self._in_thread, self._order = in_thread, order

    def segments(self, rows: list[OriginRow]) -> tuple[SegmentState, ...]:
        """The segments of these epochs, in order."""
        return tuple(
            SegmentState(
                origin=row.origin,
                first=max(segment.first, row.base),
                end=segment.end,
                closed=row.closed or segment is not row.segments[-1],
            )
            for row in rows
            for segment in row.segments
            if not segment.dropping
        )

    async def read(self, state: SegmentState) -> bytes | None:
        """What was noted of a segment, if all of it can be read as it was then."""
        found = self._closed(state)
        if found is None:
            return None
        return await self._in_thread(partial(read_note, self._files, found.path, found.end))

    def leave(self, state: SegmentState, content: bytes) -> None:
        """Have it written, some time soon, if the segment is still there."""
        found = self._closed(state)
        if found is not None:
            found.size += _HEAD.size + len(content)
            self._order(Note(path=found.path, end=found.end, content=content))

    def _closed(self, state: SegmentState) -> Segment | None:
        row = self._catalog.row(state.origin)
        if row is None or any(hole.first < state.end and hole.end > state.first for hole in row.gaps("")):
            return None
        last = None if row.closed else row.segments[-1]
        return next(
            (s for s in row.segments if s.end == state.end and s is not last and not s.dropping), None
        )


def read_note(files: Files, segment: Path, end: int) -> bytes | None:
    """The note of the segment that has messages up to ``end``; None if there is none that is whole. Blocks."""
    path = note_path(segment)
    try:
        whole = files.read(path, 0, files.size(path))
    except OSError:
        return None
    if len(whole) < _HEAD.size:
        return None
    crc, noted_end = _HEAD.unpack_from(whole)
    content = whole[_HEAD.size :]
    return content if noted_end == end and crc == _crc(end, content) else None


def write_note(files: Files, note: Note) -> None:
    """Write it beside its segment. Blocks, raises OSError."""
    file = files.create(note_path(note.path))
    try:
        file.write((_HEAD.pack(_crc(note.end, note.content), note.end), note.content))
    finally:
        file.close()


def remove_segment(files: Files, path: Path) -> None:
    """Remove a segment and its note, that first: alone it would keep the folder. Blocks, raises OSError."""
    files.remove(note_path(path))
    files.remove(path)


def _crc(end: int, content: bytes) -> int:
    return zlib.crc32(content, zlib.crc32(end.to_bytes(8, "little")))
