"""What a node keeps of a broker on disk: what it asked for, and what the broker dropped."""

import asyncio
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from fog_node.ingest.broker.drops import Drops
from fogline.service.files import write_whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One broker's file. All of it may be lost: then what the broker lost meanwhile is not noticed."""

    version: int = 1
    session: bool = False
    """Whether the broker once had a session of this client."""
    subscriptions: tuple[str, ...] = ()
    """Filters that the session may hold."""
    drops: Drops = field(default_factory=Drops)


class KeptBroker:
    """The newest state together with its file."""

    def __init__(self, folder: Path, broker: str, client: str) -> None:
        name = hashlib.sha256(f"{broker}\n{client}".encode()).hexdigest()[:16]
        self._path: Final = folder / f"{name}.json"
        self._written = Kept()
        self._turn: Final = asyncio.Lock()
        self.state = Kept()

    async def load(self) -> None:
        """Take up what was kept; a file that cannot be read counts as none."""
        self.state = self._written = await asyncio.to_thread(_read, self._path)

    async def save(self) -> None:
        """Write the state if it has changed. Raises OSError when the disk does not take it."""
        async with self._turn:
            if self.state != self._written:
                state = self.state
                await asyncio.to_thread(_write, self._path, state)
                self._written = state


def _read(path: Path) -> Kept:
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=Kept)
    except (OSError, msgspec.DecodeError):
        return Kept()
    return kept if kept.version == 1 else Kept()


def _write(path: Path, state: Kept) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, msgspec.json.encode(state))
