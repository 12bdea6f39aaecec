"""What the event loop orders from the writer's thread, and what the thread tells of it."""

from asyncio import Future
from dataclasses import dataclass
from pathlib import Path

from fog_node.journal.block import Weighed
from fog_node.journal.header import Header
from fog_node.journal.values import Counters
from fog_node.messages import Block
from fogline.model.part import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Messages to be written and synced."""

    stream: str
    number: int
    """Counts up: the order in which batches came."""
    weighed: Weighed
    size: int
    aside: Counters
    """What the epoch counted besides journaled messages, until now."""
    segment_bytes: int
    waiter: Future[None]
    tries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Save:
    """Write the ledger; only if that is on disk remove some files and then folders."""

    document: bytes
    done: Future[None]
    remove: tuple[Path, ...] = ()
    remove_folders: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Roll:
    """Write the ledger, then begin a new epoch in every stream."""

    document: bytes
    epoch: bytes
    sequence: int
    done: Future[None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Write this stream again; until then its batches come back after a failure, so that none overtakes."""

    stream: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Keep what was made out of a closed segment, if that can be done."""

    path: Path
    """The segment's."""
    end: int
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Write nothing any more."""


Order = Batch | Save | Roll | Resume | Note | Stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A block that is on disk."""

    header: Header
    position: int
    path: Path
    block: Block


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """These batches are on disk, and so is every folder entry that leads to them."""

    stream: str
    origin: Origin
    batches: tuple[Batch, ...]
    blocks: tuple[Stored, ...]
    counters: Counters


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounced:
    """These batches are not on disk. The stream is held until it is resumed."""

    stream: str
    batches: tuple[Batch, ...]
    error: OSError
    distrusted: bool
    """Its file may or may not hold them: the epoch must be closed at the end that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """An order was carried out, or failed."""

    order: Save | Roll
    error: OSError | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Died:
    """The writer's thread ended by a mistake in it."""

    error: Exception


Outcome = Committed | Bounced | Done | Died
