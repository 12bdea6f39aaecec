"""Folders as archives: the same files make the same bytes, whoever packs them and when."""

import gzip
import io
import tarfile
from collections.abc import Iterable
from pathlib import Path

MODE = 0o644


def tar_of(files: Iterable[tuple[str, Path | bytes]]) -> bytes:
    """An archive of these files by path, in this order."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, what in files:
            data = what if isinstance(what, bytes) else what.read_bytes()
            member = tarfile.TarInfo(name)
            member.size = len(data)
            member.mode = MODE
            archive.addfile(member, io.BytesIO(data))
    return content.getvalue()


def folder_files(folder: Path, below: str) -> list[tuple[str, Path | bytes]]:
    """Every file of a folder, by its path below another one, in an order that never changes."""
    return [
        (f"{below}/{path.relative_to(folder).as_posix()}", path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]


def packed(content: bytes) -> bytes:
    """Compressed."""
    return gzip.compress(content, compresslevel=6, mtime=0)
