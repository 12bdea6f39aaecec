"""How much a container has written, by the size of its log; the Engine turns that over when it is full."""

from pathlib import Path

from fog_node.runtimes.docker.creation import LOG_BYTES


class LogSize:
    """The log of one container: a file, and beside it the full one before it. Blocks on the disk."""

    def __init__(self, path: Path) -> None:
        self._current = path
        self._former = path.with_name(f"{path.name}.1")
        self._size = 0
        self._turned_ns = 0
        self._looked = False
        self._written = 0

    def written(self) -> int:
        """Bytes written since the first look, at least: of several files filled between two looks one is counted.

        Only root may look there; 0 for everybody else.
        """
        try:
            size = self._current.stat().st_size
        except OSError:
            return self._written
        # Not the inode: the Engine removes a file and makes another, which may get the number of the removed one.
        try:
            turned_ns = self._former.stat().st_mtime_ns
        except FileNotFoundError:
            turned_ns = 0
        if self._looked:
            before = self._size - LOG_BYTES if turned_ns != self._turned_ns else self._size
            self._written += max(size - before, 0)
        self._size, self._turned_ns, self._looked = size, turned_ns, True
        return self._written
