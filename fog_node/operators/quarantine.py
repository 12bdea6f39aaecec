"""Batches that were given up, kept on the node's disk to be looked at: the newest ones, within a limit.

Two files each: what is known of it as JSON, and the batch as the operator got it
(:func:`fogline.operator.testing.run_kept` reads it).
"""

import asyncio
import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
import structlog

from fogline.service.files import write_whole

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One batch that was given up."""

    plan: str
    step: str
    stream: str
    epoch: str
    """Hexadecimal."""
    first: int
    end: int
    """Journal offsets of its messages, one past the last."""
    rows: int
    failures: int
    reason: str
    at_us: int

    @property
    def name(self) -> str:
        """Of its files, without their ending; sorts by age. Plans and steps may be called anything."""
        what = f"{self.plan}\0{self.step}\0{self.stream}\0{self.epoch}\0{self.first}"
        return f"{self.at_us:020d}-{hashlib.sha256(what.encode()).hexdigest()[:16]}"


class Quarantine:
    """The folder. What is in it is known in memory."""

    def __init__(self, folder: Path, *, files: int, bytes_: int) -> None:
        """Read what former processes kept; a file that cannot be read is left alone, and said."""
        self._folder: Final = folder
        self._files: Final = files
        self._bytes: Final = bytes_
        self._kept: Final[list[Kept]] = self._read()
        self._saving: Final = asyncio.Lock()

    @property
    def kept(self) -> tuple[Kept, ...]:
        """What is kept, oldest first."""
        return tuple(self._kept)

    def holds(self, plan: str, stream: str, epoch: bytes, first: int) -> Kept | None:
        """The batch of the plan's block that begins there, if it was given up before."""
        name = epoch.hex()
        for one in self._kept:
            if (one.plan, one.stream, one.epoch, one.first) == (plan, stream, name, first):
                return one
        return None

    async def keep(self, kept: Kept, batch: bytes) -> None:
        """Keep a batch. It is remembered also when the disk does not take it: that is only said."""
        async with self._saving:
            self._kept.append(kept)
            try:
                await asyncio.to_thread(self._write, kept, batch)
            except OSError as error:
                _log.warning("a batch that was given up cannot be kept", error=str(error))
            while len(self._kept) > self._files:
                self._kept.pop(0)

    def _read(self) -> list[Kept]:
        found = []
        for path in sorted(self._folder.glob("*.json")):
            try:
                found.append(msgspec.json.decode(path.read_bytes(), type=Kept))
            except (OSError, msgspec.DecodeError) as error:
                _log.warning("a file of the quarantine cannot be read", path=str(path), error=str(error))
        return found

    def _write(self, kept: Kept, batch: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        said = msgspec.json.encode(kept)
        if len(batch) + len(said) <= self._bytes:
            write_whole(self._folder / f"{kept.name}.batch", batch)
        write_whole(self._folder / f"{kept.name}.json", said)
        self._make_room()

    def _make_room(self) -> None:
        """Remove the oldest until what is left is within the limits; of a batch both files go."""
        names = sorted({path.stem for path in self._folder.glob("*.json")})
        sizes = {name: self._size(name) for name in names}
        while names and (len(names) > self._files or sum(sizes[name] for name in names) > self._bytes):
            oldest = names.pop(0)
            for ending in ("json", "batch"):
                with suppress(FileNotFoundError):
                    (self._folder / f"{oldest}.{ending}").unlink()

    def _size(self, name: str) -> int:
        paths = [self._folder / f"{name}.{ending}" for ending in ("json", "batch")]
        return sum(path.stat().st_size for path in paths if path.exists())
