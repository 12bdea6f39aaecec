"""The few things that the journal asks of a file system, behind a protocol.

Tests put a layer here that forgets what was not synced, has a full disk, or fails a sync. Every method blocks
and raises OSError; none is called on the event loop.
"""

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC


class OutputFile(Protocol):
    """A file that grows at its end."""

    def write(self, pieces: Sequence[bytes]) -> None:
        """Append all pieces; when it raises, any part of them may have been written."""
        ...

    def cut(self, size: int) -> None:
        """Forget everything after ``size`` bytes."""
        ...

    def sync(self) -> None:
        """Return when the contents are on the disk; after an error what was written since is uncertain."""
        ...

    def close(self) -> None:
        """Give the file back; syncs nothing."""
        ...


class Files(Protocol):
    """A folder tree. A new, removed or renamed entry is on the disk only after its folder was synced."""

    def make_folder(self, folder: Path) -> bool:
        """Make a folder, and those above it that are missing; False if it was there."""
        ...

    def sync_folder(self, folder: Path) -> None:
        """Return when the folder's entries are on the disk."""
        ...

    def names(self, folder: Path) -> list[str]:
        """Names in the folder, sorted; none if there is no such folder."""
        ...

    def create(self, path: Path) -> OutputFile:
        """Make a file, or empty the one that is there."""
        ...

    def reopen(self, path: Path) -> OutputFile:
        """Open an existing file at its end."""
        ...

    def size(self, path: Path) -> int:
        """Bytes in the file."""
        ...

    def read(self, path: Path, position: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``position``; fewer only at the end of the file."""
        ...

    def rename(self, path: Path, to: Path) -> None:
        """Rename, replacing what is there in one step."""
        ...

    def remove(self, path: Path) -> None:
        """Remove a file; nothing happens if there is none."""
        ...

    def remove_folder(self, folder: Path) -> bool:
        """Remove an empty folder; False if there was none."""
        ...

    def allocate(self, path: Path, size: int) -> None:
        """Make a file that owns ``size`` bytes of disk."""
        ...

    def free_bytes(self, folder: Path) -> int:
        """Disk that can still be written."""
        ...

    def lock(self, path: Path) -> int | None:
        """Take the folder for one process until :meth:`unlock`; None if somebody has it."""
        ...

    def unlock(self, handle: int) -> None:
        """Give the folder back."""
        ...


class DiskOutput:
    """A file of the machine's file system."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, pieces: Sequence[bytes]) -> None:
        total = sum(map(len, pieces))
        done = os.writev(self._descriptor, list(pieces))
        if done < total:
            # A short write is how a disk that fills up begins; the next one says why.
            rest = memoryview(b"".join(pieces))[done:]
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]

    def cut(self, size: int) -> None:
        os.ftruncate(self._descriptor, size)

    def sync(self) -> None:
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        os.close(self._descriptor)


class DiskFiles:
    """The machine's file system."""

    def make_folder(self, folder: Path) -> bool:
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            return False
        return True

    def sync_folder(self, folder: Path) -> None:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def names(self, folder: Path) -> list[str]:
        try:
            return sorted(entry.name for entry in folder.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []

    def create(self, path: Path) -> OutputFile:
        return DiskOutput(os.open(path, _NEW, 0o640))

    def reopen(self, path: Path) -> OutputFile:
        return DiskOutput(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC))

    def size(self, path: Path) -> int:
        return path.stat().st_size

    def read(self, path: Path, position: int, length: int) -> bytes:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.pread(descriptor, length, position)
        finally:
            os.close(descriptor)

    def rename(self, path: Path, to: Path) -> None:
        path.replace(to)

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def remove_folder(self, folder: Path) -> bool:
        try:
            folder.rmdir()
        except FileNotFoundError:
            return False
        return True

    def allocate(self, path: Path, size: int) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            os.posix_fallocate(descriptor, 0, size)
        finally:
            os.close(descriptor)

    def free_bytes(self, folder: Path) -> int:
        space = os.statvfs(folder)
        return space.f_bavail * space.f_frsize

    def lock(self, path: Path) -> int | None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def unlock(self, handle: int) -> None:
        os.close(handle)
