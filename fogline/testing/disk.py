"""A disk in memory that forgets: what was not synced is gone after a power cut.

A file's bytes survive only up to its last ``sync``; a new, removed or renamed entry only if its folder
was synced. A cut may spare some of the rest, as real ones do: then a part of the unsynced bytes and a
first few of a folder's unsynced changes survive. It also fills up, fails on demand, and can be copied in
the middle of anything.
"""

import errno
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import RLock


@dataclass(slots=True)
class _File:
    data: bytearray = field(default_factory=bytearray)
    synced: bytes = b""
    owned: int = 0
    """Disk that was allocated to it, beyond its data."""


@dataclass(slots=True)
class _Folder:
    entries: dict[str, "_File | _Folder"] = field(default_factory=dict)
    synced: dict[str, "_File | _Folder"] = field(default_factory=dict)
    changes: list[dict[str, "_File | _Folder"]] = field(default_factory=list)
    """What the entries were after each change since the last sync."""

    def changed(self) -> None:
        self.changes.append(dict(self.entries))


Fault = Callable[[str, Path], OSError | None]


class ForgetfulDisk:
    """A folder tree of which one can cut the power. Safe to use from several threads."""

    def __init__(self, *, capacity: int = 1 << 40) -> None:
        self.capacity = capacity
        self.fault: Fault | None = None
        """Asked before each operation; what it gives is raised."""
        self.watcher: Callable[[str], None] | None = None
        """Told of each operation that changes something, before it happens."""
        self._root = _Folder()
        self._locks: set[Path] = set()
        self._turn = RLock()

    def cut_power(self, rng: Random | None = None) -> "ForgetfulDisk":
        """Give the disk as it is found after a power cut now; with ``rng`` some unsynced things survive."""
        with self._turn:
            found = ForgetfulDisk(capacity=self.capacity)
            found._root = _after_cut(self._root, rng)
            return found

    def copy(self) -> "ForgetfulDisk":
        """Give the disk as another process finds it now: nothing is forgotten yet."""
        with self._turn:
            found = ForgetfulDisk(capacity=self.capacity)
            found._root = deepcopy(self._root)
            return found

    def kill(self) -> None:
        """Let the process die: nothing is forgotten, only locks are gone."""
        self._locks.clear()

    def files(self) -> list[Path]:
        """Every file's path."""
        return [path for path, node in _walk(self._root, Path("/")) if isinstance(node, _File)]

    def flip(self, path: Path, position: int, mask: int = 0xFF) -> None:
        """Damage one byte, on the disk and in the cache."""
        file = self._file(path)
        file.data[position] ^= mask
        file.synced = bytes(file.data)

    def put(self, path: Path, data: bytes) -> None:
        """Place a file, synced, whatever is there."""
        folder = self._folder(path.parent, make=True)
        folder.entries[path.name] = folder.synced[path.name] = _File(bytearray(data), data)

    def make_folder(self, folder: Path) -> bool:
        with self._turn:
            self._step("make_folder", folder)
            above = self._folder(folder.parent, make=True)
            if folder.name in above.entries:
                return False
            above.entries[folder.name] = _Folder()
            above.changed()
            return True

    def sync_folder(self, folder: Path) -> None:
        with self._turn:
            self._step("sync_folder", folder)
            node = self._folder(folder)
            node.synced = dict(node.entries)
            node.changes.clear()

    def names(self, folder: Path) -> list[str]:
        with self._turn:
            try:
                return sorted(self._folder(folder).entries)
            except (FileNotFoundError, NotADirectoryError):
                return []

    def create(self, path: Path) -> "ForgetfulOutput":
        with self._turn:
            self._step("create", path)
            folder = self._folder(path.parent)
            file = folder.entries.get(path.name)
            if isinstance(file, _File):
                file.data.clear()
            else:
                file = folder.entries[path.name] = _File()
                folder.changed()
            return ForgetfulOutput(self, path, file)

    def reopen(self, path: Path) -> "ForgetfulOutput":
        return ForgetfulOutput(self, path, self._file(path))

    def size(self, path: Path) -> int:
        return len(self._file(path).data)

    def read(self, path: Path, position: int, length: int) -> bytes:
        with self._turn:
            self._ask("read", path)
            return bytes(self._file(path).data[position : position + length])

    def rename(self, path: Path, to: Path) -> None:
        with self._turn:
            self._step("rename", path)
            folder = self._folder(path.parent)
            folder.entries[to.name] = folder.entries.pop(path.name)
            folder.changed()

    def remove(self, path: Path) -> None:
        self._remove(path)

    def remove_folder(self, folder: Path) -> bool:
        return self._remove(folder)

    def allocate(self, path: Path, size: int) -> None:
        with self._turn:
            self._step("allocate", path)
            if self.used() + size > self.capacity:
                raise OSError(errno.ENOSPC, "no space left")
            folder = self._folder(path.parent)
            folder.entries[path.name] = _File(owned=size)
            folder.changed()

    def free_bytes(self, folder: Path) -> int:
        self._ask("free_bytes", folder)
        return max(self.capacity - self.used(), 0)

    def lock(self, path: Path) -> int | None:
        if path in self._locks:
            return None
        self._locks.add(path)
        return hash(path)

    def unlock(self, handle: int) -> None:
        self._locks = {path for path in self._locks if hash(path) != handle}

    def used(self) -> int:
        """Bytes that files take."""
        nodes = (node for _, node in _walk(self._root, Path("/")))
        return sum(len(n.data) + n.owned for n in nodes if isinstance(n, _File))

    def write(self, path: Path, file: _File, pieces: Sequence[bytes]) -> None:
        """Append; what still fits is written before a full disk is told."""
        with self._turn:
            self._step("write", path)
            data = b"".join(pieces)
            room = max(self.capacity - self.used(), 0)
            file.data += data[:room]
            if room < len(data):
                raise OSError(errno.ENOSPC, "no space left")

    def sync(self, path: Path, file: _File) -> None:
        """Make a file's bytes survive."""
        with self._turn:
            self._step("sync", path)
            file.synced = bytes(file.data)

    def cut(self, path: Path, file: _File, size: int) -> None:
        """Shorten a file."""
        with self._turn:
            self._step("cut", path)
            del file.data[size:]

    def _remove(self, path: Path) -> bool:
        with self._turn:
            self._step("remove", path)
            if path.name in self.names(path.parent):
                folder = self._folder(path.parent)
                del folder.entries[path.name]
                folder.changed()
                return True
            return False

    def _step(self, operation: str, path: Path) -> None:
        if self.watcher is not None:
            self.watcher(operation)
        self._ask(operation, path)

    def _ask(self, operation: str, path: Path) -> None:
        error = self.fault(operation, path) if self.fault is not None else None
        if error is not None:
            raise error

    def _folder(self, path: Path, *, make: bool = False) -> _Folder:
        node = self._root
        for name in path.parts[1:]:
            below = node.entries.get(name)
            if below is None and make:
                below = node.entries[name] = node.synced[name] = _Folder()
            if below is None:
                raise FileNotFoundError(errno.ENOENT, "no such folder", str(path))
            if isinstance(below, _File):
                raise NotADirectoryError(errno.ENOTDIR, "not a folder", str(path))
            node = below
        return node

    def _file(self, path: Path) -> _File:
        node = self._folder(path.parent).entries.get(path.name)
        if not isinstance(node, _File):
            raise FileNotFoundError(errno.ENOENT, "no such file", str(path))
        return node


class ForgetfulOutput:
    """A file that grows at its end."""

    def __init__(self, disk: ForgetfulDisk, path: Path, file: _File) -> None:
        self._disk, self._path, self._file = disk, path, file

    def write(self, pieces: Sequence[bytes]) -> None:
        self._disk.write(self._path, self._file, pieces)

    def cut(self, size: int) -> None:
        self._disk.cut(self._path, self._file, size)

    def sync(self) -> None:
        self._disk.sync(self._path, self._file)

    def close(self) -> None:
        pass


def _after_cut(folder: _Folder, rng: Random | None) -> _Folder:
    entries = folder.synced
    if rng is not None and folder.changes:
        entries = rng.choice([folder.synced, *folder.changes])
    found: dict[str, _File | _Folder] = {}
    for name, node in entries.items():
        if isinstance(node, _Folder):
            found[name] = _after_cut(node, rng)
        else:
            data = _survivors(node, rng)
            found[name] = _File(bytearray(data), data, node.owned)
    return _Folder(found, dict(found))


def _survivors(file: _File, rng: Random | None) -> bytes:
    """The synced bytes; with luck some of the rest too, perhaps with a page in between that was never
    written.
    """
    if rng is None or bytes(file.data) == file.synced or rng.random() < 0.3:
        return file.synced
    if len(file.data) < len(file.synced):
        return bytes(file.data)
    data = bytearray(file.data[: rng.randint(len(file.synced), len(file.data))])
    if len(data) > len(file.synced) and rng.random() < 0.5:
        hole = rng.randint(len(file.synced), len(data) - 1)
        end = min(hole + rng.randint(1, 4096), len(data))
        data[hole:end] = bytes(end - hole)
    return bytes(data)


def _walk(folder: _Folder, at: Path) -> "list[tuple[Path, _File | _Folder]]":
    found: list[tuple[Path, _File | _Folder]] = []
    for name, node in folder.entries.items():
        found.append((at / name, node))
        if isinstance(node, _Folder):
            found.extend(_walk(node, at / name))
    return found
