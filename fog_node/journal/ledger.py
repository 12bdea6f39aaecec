"""The ledger: small facts that must outlive a crash, in one file that is replaced in one step.

A first line with format, checksum and length, then JSON. It is written whole: there are few facts, and half a
ledger is worth nothing. If it is ever unreadable the journal goes on with what its blocks tell, and says so.
"""

import errno
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from fog_node.journal.errors import JournalUnreadable
from fog_node.journal.files import Files
from fog_node.journal.layout import LEDGER, RESERVE
from fogline.model.errors import DataLoss

FORMAT: Final = 1


class GapFact(msgspec.Struct, array_like=True, frozen=True):
    """Messages [first, end) that are given up."""

    first: int
    end: int
    reason: str


class CounterFact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Counters of an epoch, or of all that were removed."""

    received: int = 0
    journaled: int = 0
    refused: dict[str, int] = {}
    redelivered: int = 0
    retained: int = 0


class PlanFact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One plan on one origin."""

    start: int
    committed: int
    started: bool = True
    gaps: list[GapFact] = []


class EpochFact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One origin. ``end`` is there once the epoch is closed."""

    stream: str
    epoch: str
    sequence: int
    base: int = 0
    end: int | None = None
    holes: list[GapFact] = []
    counters: CounterFact = CounterFact()
    plans: dict[str, PlanFact] = {}


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """Everything in the ledger."""

    tenant: str = "main"
    epochs: list[EpochFact] = []
    reads: dict[str, dict[str, int]] = {}
    """Plan -> stream -> sequence of the writer's run after which it reads every epoch from 0."""
    carried: dict[str, CounterFact] = {}
    """Stream -> counters of its removed epochs."""
    removed: list[str] = []
    """Epochs that are in ``carried``, in case their folders are still there."""


_DECODER: Final = msgspec.json.Decoder(Document)


def encode(document: Document) -> bytes:
    """Give the file's bytes."""
    body = msgspec.json.encode(document)
    return b"fogline-ledger %d %08x %d\n" % (FORMAT, zlib.crc32(body), len(body)) + body


def decode(data: bytes) -> Document:
    """Read the file's bytes. Raises DataLoss if they are damaged, JournalUnreadable if they are newer."""
    line, _, body = data.partition(b"\n")
    words = line.split(b" ")
    if len(words) != 4 or words[0] != b"fogline-ledger":
        raise DataLoss("the ledger has no first line")
    if words[2:] != [b"%08x" % zlib.crc32(body), b"%d" % len(body)]:
        raise DataLoss("the ledger fails its checksum")
    if words[1] != b"%d" % FORMAT:
        # Its number speaks for the whole folder: an older release must not take newer blocks for torn ones.
        raise JournalUnreadable(
            f"the journal has format {words[1][:8].decode(errors='replace')}, this release reads {FORMAT}",
            hint="start the newer release again",
        )
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataLoss(f"the ledger cannot be read: {error}") from error


class LedgerFile:
    """The file and the disk that is kept for it. Every method blocks and raises OSError."""

    def __init__(self, files: Files, folder: Path, reserve_bytes: int) -> None:
        self._files, self._folder, self._reserve_bytes = files, folder, reserve_bytes
        self._reserved = False

    def load(self) -> Document | None:
        """Read the facts; None if there are none yet. Raises DataLoss if the file is damaged."""
        if LEDGER not in self._files.names(self._folder):
            return None
        path = self._folder / LEDGER
        return decode(self._files.read(path, 0, self._files.size(path)))

    def set_aside(self) -> str:
        """Keep a damaged ledger for inspection; gives its new name."""
        self._files.rename(self._folder / LEDGER, self._folder / "ledger.damaged")
        return "ledger.damaged"

    def save(self, data: bytes) -> None:
        """Replace the file; returns when the new one is on disk."""
        try:
            self._replace(data)
        except OSError as error:
            if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
                raise
            # This is what the reserve is for; it is taken again when there is room.
            self._files.remove(self._folder / RESERVE)
            self._reserved = False
            self._replace(data)
        self.reserve()

    def reserve(self) -> None:
        """Own the reserve's disk, if there is room for it."""
        if self._reserved or not self._reserve_bytes:
            return
        with suppress(OSError):
            self._files.allocate(self._folder / RESERVE, self._reserve_bytes)
            self._reserved = True

    def _replace(self, data: bytes) -> None:
        fresh = self._folder / "ledger.new"
        file = self._files.create(fresh)
        try:
            file.write([data])
            file.sync()
        finally:
            file.close()
        self._files.rename(fresh, self._folder / LEDGER)
        self._files.sync_folder(self._folder)
