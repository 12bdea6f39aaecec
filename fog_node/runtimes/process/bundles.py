"""Operator bundles: a folder of Python as one archive, named by what is in it.

``process:NAME@sha256:HEX`` lies on the node as ``HEX.tar.gz``. Unpacked it is a folder with a ``__main__.py``, which
the node's own Python runs. Nothing but plain files and folders is taken from an archive.
"""

import hashlib
import re
import tarfile
from pathlib import Path, PurePosixPath
from typing import Final

from fog_node.runtimes.runtime import ContainerFault

MAIN: Final = "__main__.py"
MAX_BYTES: Final = 256 * 1024**2
"""Of everything in a bundle, unpacked."""
MAX_FILES: Final = 10_000

_REFERENCE: Final = re.compile(r"process:[^@]*@sha256:([0-9a-f]{64})", re.ASCII)


def is_bundle(image: str) -> bool:
    """Whether a reference names a bundle."""
    return _REFERENCE.fullmatch(image) is not None


def find_bundle(folder: Path, image: str) -> Path:
    """The archive that a reference names, its content checked. Blocks on the disk.

    Raises :class:`ContainerFault`: no_bundle, image_missing, bad_digest.
    """
    found = _REFERENCE.fullmatch(image)
    if found is None:
        raise ContainerFault(
            f"{image} is not an operator bundle, and the process runtime runs nothing else",
            reason="wrong_runtime",
            hint="run it with Docker, or deploy what `fogline operator build NAME --process` prints",
        )
    path = folder / f"{found[1]}.tar.gz"
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise ContainerFault(
            f"bundle {image} is not on this node",
            reason="image_missing",
            hint=f"put it into {folder} as {path.name}",
        ) from None
    if digest != found[1]:
        raise ContainerFault(
            f"{path} is not what its name says: its digest is sha256:{digest}",
            reason="bad_digest",
            hint="copy it again",
        )
    return path


def unpack(archive: Path, into: Path) -> None:
    """Unpack a bundle into a new folder. Blocks on the disk. Raises :class:`ContainerFault`: bad_bundle."""
    into.mkdir(parents=True)
    try:
        with tarfile.open(archive, "r:gz") as opened:
            _unpack(opened, into)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ContainerFault(f"{archive.name} cannot be unpacked: {error}", reason="bad_bundle") from error
    if not (into / MAIN).is_file():
        raise ContainerFault(f"{archive.name} has no {MAIN} at its top", reason="bad_bundle")


def _unpack(opened: tarfile.TarFile, into: Path) -> None:
    taken = files = 0
    for member in opened:
        path = PurePosixPath(member.name)
        if path.is_absolute() or ".." in path.parts or not (member.isreg() or member.isdir()):
            raise tarfile.TarError(f"{member.name!r} is not a plain file or folder inside of it")
        taken += member.size
        files += 1
        if taken > MAX_BYTES or files > MAX_FILES:
            raise tarfile.TarError(f"more than {MAX_BYTES} bytes or {MAX_FILES} files")
        target = into / path
        if member.isdir():
            target.mkdir(parents=True, exist_ok=True)
            continue
        source = opened.extractfile(member)
        assert source is not None
        target.parent.mkdir(parents=True, exist_ok=True)
        with source, target.open("xb") as file:
            while chunk := source.read(1024**2):
                file.write(chunk)
