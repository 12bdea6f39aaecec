"""The journal's words as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from fogline.model.part import Origin

CORRUPT: Final = "corrupt"
"""A gap: its block cannot be read any more."""
RELEASED: Final = "released"
"""No gap record: these messages were in the store for every plan, and were freed."""

FULL: Final = "full"
DISK_ERROR: Final = "disk_error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """What became of a stream's messages; ``received`` = journaled + the sum of ``refused``.

    ``redelivered`` and ``retained`` deliveries were recognised as no new message and are not in ``received``.
    """

    received: int = 0
    journaled: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    redelivered: int = 0
    retained: int = 0

    def plus(self, other: "Counters") -> "Counters":
        """The sum, reason by reason."""
        reasons = self.refused.keys() | other.refused.keys()
        return Counters(
            received=self.received + other.received,
            journaled=self.journaled + other.journaled,
            refused={r: self.refused.get(r, 0) + other.refused.get(r, 0) for r in sorted(reasons)},
            redelivered=self.redelivered + other.redelivered,
            retained=self.retained + other.retained,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginState:
    """What the journal holds of one origin: messages [base, end), all of them synced to disk."""

    origin: Origin
    base: int
    end: int
    closed: bool
    """No message will ever come at or after ``end``."""
    counters: Counters
    """Since the epoch began."""


class SegmentState(NamedTuple):
    """The messages [first, end) of one origin that lie in one file."""

    origin: Origin
    first: int
    end: int
    closed: bool
    """Nothing will ever be added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Disk used by the journal's blocks and what it may use. Unit: bytes."""

    used: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something wrong that was found in a stored file, and what became of it."""

    path: str
    what: str
    """``torn``, ``corrupt`` or ``ledger``."""
    detail: str
