"""The node's own record of the containers it made: what is not in it is not the node's to touch.

A file for each container, named as the container is, written before the container is made and removed after it is.
"""

import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import structlog

from fog_node.runtimes.runtime import ContainerSpec
from fogline.service.files import write_whole

VERSION: Final = 1
SUFFIX: Final = ".json"

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One container that was made or was about to be."""

    version: int = VERSION
    made_us: int
    spec: ContainerSpec


class Record:
    """A folder of entries. Blocks on the disk."""

    def __init__(self, folder: Path) -> None:
        """Read what there is; an entry that cannot be read is set aside and said."""
        self._folder: Final = folder
        self._entries: Final[dict[str, Entry]] = {}
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.identity: Final = _identity(folder / "identity")
        """Random, and the same for as long as the folder lives: two nodes of one name keep apart by it."""
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            try:
                entry = msgspec.json.decode(path.read_bytes(), type=Entry)
                if entry.version != VERSION:
                    raise msgspec.ValidationError(f"version {entry.version} is not known here")
            except msgspec.MsgspecError as error:
                _log.error(
                    "record of a container cannot be read; it is left alone", path=str(path), error=error
                )
            else:
                self._entries[path.name.removesuffix(SUFFIX)] = entry

    @property
    def entries(self) -> Mapping[str, Entry]:
        """By the container's name."""
        return self._entries.copy()

    def get(self, container: str) -> Entry | None:
        """The entry of a container, if it is the node's."""
        return self._entries.get(container)

    def write(self, container: str, entry: Entry) -> None:
        """Remember a container; on disk when this returns. Raises :class:`OSError`."""
        write_whole(self._folder / f"{container}{SUFFIX}", msgspec.json.encode(entry))
        self._entries[container] = entry

    def forget(self, container: str) -> None:
        """The container is gone."""
        (self._folder / f"{container}{SUFFIX}").unlink(missing_ok=True)
        self._entries.pop(container, None)


def _identity(path: Path) -> str:
    with suppress(FileNotFoundError):
        return path.read_text(encoding="ascii")
    made = secrets.token_hex(8)
    write_whole(path, made.encode())
    return made
