"""Small files that are always whole."""

import os
from pathlib import Path


def write_whole(path: Path, content: bytes, *, private: bool = False) -> None:
    """Replace a file; a power cut leaves the old one or the new one, whole. Blocks on the disk, raises OSError.

    ``private``: nobody else can read it, not for a moment.
    """
    written = path.with_name(path.name + ".new")
    if private:
        written.unlink(missing_ok=True)  # one with other rights would keep them
    with open(written, "xb" if private else "wb", opener=_private if private else None) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    written.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
