"""Small files that are always whole."""

import os
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file; a power cut leaves the old one or the new one, whole. Blocks on the disk."""
    written = path.with_name(path.name + ".new")
    with written.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    written.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
