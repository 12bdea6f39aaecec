"""Who ran what in which container, and when: a file in the node's folder, for its owner."""

import os
from pathlib import Path
from typing import Any, Final

import msgspec

MOST_BYTES: Final = 1024**2
"""Of one file; a full one is kept beside the new one, in place of the one before."""


class Audit:
    """Appends a JSON object a line. Blocks on the disk."""

    def __init__(self, path: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self._path: Final = path
        self._most: Final = most_bytes

    def note(self, **what: Any) -> None:
        """Write a line; on the disk when this returns. Raises :class:`OSError`."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        line = msgspec.json.encode(what) + b"\n"
        with self._path.open("ab") as file:
            if file.tell() + len(line) <= self._most or file.tell() == 0:
                self._append(file, line)
                return
        self._path.replace(self._path.with_suffix(".1"))
        with self._path.open("ab") as file:
            self._append(file, line)

    @staticmethod
    def _append(file: Any, line: bytes) -> None:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
