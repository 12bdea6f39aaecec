"""Operator bundles for tests."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path


def make_bundle(folder: Path, files: Mapping[str, str], *, name: str = "test") -> str:
    """Put a bundle of these files where a node looks for it; its reference."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return put_bundle(folder, gzip.compress(content.getvalue(), mtime=0), name=name)


def put_bundle(folder: Path, packed: bytes, *, name: str = "test") -> str:
    """Put an archive where a node looks for it; its reference."""
    digest = hashlib.sha256(packed).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{digest}.tar.gz").write_bytes(packed)
    return f"process:{name}@sha256:{digest}"
