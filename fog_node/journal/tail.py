"""The growing end of one stream's epoch. Belongs to the writer's thread."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from fog_node.journal.block import encode
from fog_node.journal.files import Files, OutputFile
from fog_node.journal.layout import segment_name
from fog_node.journal.orders import Batch, Stored
from fog_node.journal.values import Counters
from fogline.model.part import Origin


class Tail:
    """Writes blocks behind each other; what was written counts only after :meth:`sync`."""

    def __init__(self, files: Files, folder: Path, origin: Origin, *, block_bytes: int) -> None:
        self.origin = origin
        self._files, self._folder, self._block_bytes = files, folder, block_bytes
        self._file: OutputFile | None = None
        self._path = folder
        self._next = self._synced_next = 0
        self._size = self._synced_size = 0
        self._counters = Counters()
        self._unsynced_folders: list[Path] = []

    @property
    def counters(self) -> Counters:
        """The epoch's, the last written block included."""
        return self._counters

    @property
    def path(self) -> Path:
        """The file that is being written."""
        return self._path

    def write(self, batches: Sequence[Batch]) -> tuple[Stored, ...]:
        """Write the batches as blocks into one segment. Raises OSError; then :meth:`undo`."""
        if self._file is None or self._synced_size >= batches[0].segment_bytes:
            self._open_segment()
        return tuple(self._write_block(group) for group in self._blocks(batches))

    def sync(self) -> None:
        """Return when everything written is on disk, folder entries too. Raises OSError; then distrust it."""
        if self._file is not None:
            self._file.sync()
        while self._unsynced_folders:
            self._files.sync_folder(self._unsynced_folders[-1])
            self._unsynced_folders.pop()
        self._synced_next, self._synced_size = self._next, self._size

    def undo(self) -> None:
        """Forget what was written since the last sync. Raises OSError; then distrust it."""
        if self._file is not None:
            self._file.cut(self._synced_size)
        self._next, self._size = self._synced_next, self._synced_size

    def close_segment(self) -> None:
        """Close the file; the next block begins a new one."""
        if self._file is not None:
            self._file.close()
        self._file = None
        self._size = self._synced_size = 0

    def _open_segment(self) -> None:
        self.close_segment()
        if not self._synced_next:
            self._make_folders()
        self._path = self._folder / segment_name(self._next)
        self._unsynced_folders.append(self._folder)
        self._file = self._files.create(self._path)

    def _make_folders(self) -> None:
        """Also a folder that is there is synced: whoever made it may have died before that."""
        for folder in (self._folder.parent, self._folder):
            self._files.make_folder(folder)
            self._unsynced_folders.append(folder.parent)

    def _write_block(self, batches: Sequence[Batch]) -> Stored:
        assert self._file is not None
        aside = batches[-1].aside
        messages = sum(b.weighed.count for b in batches)
        counters = Counters(
            received=self._next + messages + sum(aside.refused.values()),
            journaled=self._next + messages,
            refused=aside.refused,
            redelivered=aside.redelivered,
            retained=aside.retained,
        )
        encoded = encode(self.origin, self._next, [b.weighed for b in batches], counters)
        self._file.write(encoded.pieces)
        stored = Stored(header=encoded.header, position=self._size, path=self._path, block=encoded.block)
        self._next, self._size = encoded.header.end, self._size + encoded.header.size
        self._counters = counters
        return stored

    def _blocks(self, batches: Sequence[Batch]) -> Iterator[list[Batch]]:
        """Cut at ``block_bytes``, between batches."""
        group: list[Batch] = []
        size = 0
        for batch in batches:
            if group and size + batch.size > self._block_bytes:
                yield group
                group, size = [], 0
            group.append(batch)
            size += batch.size
        yield group
