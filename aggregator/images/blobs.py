"""Pieces of images on the disk, each under its digest. What stands here whole was checked; the rest is partial.

``sha256/HEX`` is a piece, ``partial/HEX`` one on its way: it is renamed once it is complete, checked and on the disk.
A file's time of change says when it was last used. Blocks on the disk.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Collection, Generator, Mapping
from pathlib import Path
from typing import Final, Protocol

import structlog

from fogline.model.errors import DataLoss

CHUNK: Final = 256 * 1024
PREFIX: Final = "sha256:"

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Hash(Protocol):
    """A digest that grows."""

    def update(self, data: bytes, /) -> None:
        """Take more."""
        ...

    def hexdigest(self) -> str:
        """Of all so far."""
        ...


class Blobs:
    """A folder of pieces."""

    def __init__(self, folder: Path) -> None:
        self._whole: Final = folder / "sha256"
        self._partial: Final = folder / "partial"
        self._sizes: Final[dict[str, int]] = {}

    def open(self) -> None:
        """Look at what earlier lives have left. Raises :class:`OSError`."""
        for made in (self._whole, self._partial):
            made.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._sizes.update({path.name: path.stat().st_size for path in self._whole.iterdir()})

    @property
    def sizes(self) -> Mapping[str, int]:
        """Bytes of every whole piece, by digest."""
        return {f"{PREFIX}{name}": size for name, size in self._sizes.copy().items()}

    @property
    def held_bytes(self) -> int:
        """Of whole pieces."""
        return sum(self._sizes.copy().values())

    @property
    def free_bytes(self) -> int:
        """What is left of the disk."""
        return shutil.disk_usage(self._whole).free

    def size(self, digest: str) -> int | None:
        """Bytes of a whole piece; None if it is not here."""
        return self._sizes.get(_name(digest))

    def read(self, digest: str) -> Generator[bytes, None, None]:
        """A piece in chunks, of which the last is given only if all are what the digest names.

        Raises :class:`DataLoss` if they are not: the piece is gone then.
        """
        name = _name(digest)
        path, found = self._whole / name, hashlib.sha256()
        try:
            with path.open("rb") as file:
                _use(file.fileno())
                last = b""
                while chunk := file.read(CHUNK):
                    found.update(chunk)
                    if last:
                        yield last
                    last = chunk
        except FileNotFoundError:
            self._sizes.pop(name, None)
            raise DataLoss(f"{digest} was removed from the cache's folder") from None
        if found.hexdigest() != name:
            _log.error("cached piece of an image is not what it was; it goes", digest=digest)
            self.remove(digest)
            raise DataLoss(f"{digest} has changed on the disk of the cache", hint="it is fetched anew")
        yield last

    def content(self, digest: str) -> bytes:
        """A small piece. Raises :class:`DataLoss`."""
        return b"".join(self.read(digest))

    def last_used(self) -> Mapping[str, float]:
        """When each whole piece was used last, by digest."""
        return {f"{PREFIX}{name}": (self._whole / name).stat().st_mtime for name in self._sizes.copy()}

    def remove(self, digest: str) -> None:
        """Let go of a piece. Whoever reads it reads on."""
        name = _name(digest)
        (self._whole / name).unlink(missing_ok=True)
        self._sizes.pop(name, None)

    def begin(self, digest: str, *, most: int) -> "Partial":
        """Go on with a piece of at most so many bytes where an earlier try, or life, has ended."""
        return Partial(self._partial / _name(digest), most=most)

    def keep(self, digest: str, partial: "Partial") -> None:
        """A piece is complete and checked: it is whole from now on, also after a power cut."""
        name = _name(digest)
        partial.sync()
        _use(partial.path)
        partial.path.replace(self._whole / name)
        folder = os.open(self._whole, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._sizes[name] = partial.size

    def sweep(self, but: Collection[str]) -> int:
        """Remove what is partial and none of these; the bytes of what is left."""
        for path in self._partial.iterdir():
            if f"{PREFIX}{path.name}" not in but:
                path.unlink()
        return self.partly(but)

    def partly(self, digests: Collection[str]) -> int:
        """Bytes that are here of pieces that are not complete."""
        paths = (self._partial / _name(digest) for digest in digests)
        return sum(path.stat().st_size for path in paths if path.exists())


class Broken(Exception):
    """What comes is not what was asked for, or nobody wants it any more."""


class Partial:
    """A piece on its way to the disk."""

    def __init__(self, path: Path, *, most: int) -> None:
        self.path: Final = path
        self._most: Final = most
        self._file: Final = path.open("a+b", buffering=0)
        self._hash: Hash = hashlib.sha256()
        self.size = 0
        """Bytes that are here."""
        self.written = 0
        """Bytes that came since this was opened."""
        self.stopped = False
        """Set from any thread: whoever writes shall end."""
        self._file.seek(0)
        while chunk := self._file.read(CHUNK):
            self._take(chunk)
        if self.size >= most:
            self.begins(0)  # an end that was never looked at

    def begins(self, at: int) -> None:
        """What comes begins at this byte: at the end of what is here, or at 0."""
        if at != self.size:
            self._file.truncate(0)
            self._hash, self.size = hashlib.sha256(), 0

    def write(self, chunk: bytes) -> None:
        """More of it. Raises :class:`OSError` and :class:`Broken`."""
        if self.stopped:
            raise Broken("the aggregator stops")
        if self.size + len(chunk) > self._most:
            raise Broken(f"more than {self._most} bytes come")
        view = memoryview(chunk)
        while view:
            view = view[self._file.write(view) :]
        self._take(chunk)
        self.written += len(chunk)

    def is_whole(self, digest: str) -> bool:
        """Whether all that is here is what a digest names."""
        return self._hash.hexdigest() == _name(digest)

    def sync(self) -> None:
        """Have it on the disk."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Leave it as it is, for another try."""
        self._file.close()

    def discard(self) -> None:
        """Leave nothing of it."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def _take(self, chunk: bytes) -> None:
        self._hash.update(chunk)
        self.size += len(chunk)


def _use(file: int | Path) -> None:
    # The kernel's own clock of files ticks every few milliseconds.
    now = time.time_ns()
    os.utime(file, ns=(now, now))


def _name(digest: str) -> str:
    return digest.removeprefix(PREFIX)
