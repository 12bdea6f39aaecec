"""What can be set about the journal."""

from dataclasses import dataclass
from typing import Final

from fogline.model.clock import HOUR, MILLISECOND, SECOND

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalSettings:
    """What the journal may use. Defaults suit a Raspberry Pi with an SD card."""

    limit_bytes: int = 2 * GIB
    """Disk for all streams together."""
    quota_bytes: int = 512 * MIB
    """Disk for one stream that names no quota of its own."""
    reserve_bytes: int = MIB
    """Kept free for small facts (start, gap records, control); never used by messages."""
    keep_us: int = 24 * HOUR
    """Committed blocks stay this long, so that a restored store can catch up."""
    keep_bytes: int = 256 * MIB
    """Committed blocks of one stream never use more than this."""
    commit_every_us: int = 100 * MILLISECOND
    """Small commits are on average at least this far apart."""
    commit_burst: int = 500
    """After a rest so many small commits may follow each other at once."""
    minimum_block_bytes: int = 16 * KIB
    """With so much waiting a commit does not wait for ``commit_every_us``."""
    block_bytes: int = MIB
    """A block is closed when it has grown to this."""
    segment_bytes: int = 8 * MIB
    """A file is closed when it has grown to this; disk is freed by whole files."""
    memory_bytes: int = 8 * MIB
    """Newest blocks that are served without reading the disk."""
    tidy_every_us: int = SECOND
    """How often released blocks are looked for, and what could not be written is tried again."""
