"""A file system of its own that can be filled to the brim: what ENOSPC does is not for a stand-in to say."""

import errno
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PAGE = 4096


class CannotMount(Exception):
    """This user, or this machine, may not mount anything."""


class SmallDisk:
    """A mounted tmpfs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self) -> None:
        """Take every page that is left."""
        with self._ballast.open("ab", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(bytes(PAGE))
            except OSError as full:
                if full.errno != errno.ENOSPC:
                    raise

    def clear(self) -> None:
        """Give it back."""
        self._ballast.unlink()


@contextmanager
def small_disk(size_mib: int) -> Iterator[SmallDisk]:
    """Mount one that every user may reach. Raises :class:`CannotMount`."""
    folder = Path(tempfile.mkdtemp(prefix="fogline-disk-"))
    folder.chmod(0o755)
    options = f"size={size_mib}m,mode=0755"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, text=True, check=False)
        if mounted.returncode:
            raise CannotMount(mounted.stderr.strip())
        try:
            yield SmallDisk(folder)
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
