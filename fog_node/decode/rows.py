"""What a payload format yields: raw values by column, still untyped, and the messages that yielded nothing
usable.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

MALFORMED: Final = "malformed"
"""The payload is not of its stream's format."""
WRONG_TYPE: Final = "wrong_type"
"""A field holds something else than a number, a label something else than text or a number."""
NOT_FINITE: Final = "not_finite"
"""A number that is NaN or infinite."""
OUT_OF_RANGE: Final = "out_of_range"
"""A number beyond what the column holds."""
NO_TIME: Final = "no_time"
"""The stream names a time field and the reading has none."""
BAD_TIME: Final = "bad_time"
"""The time field holds no instant."""
FROM_THE_FUTURE: Final = "from_the_future"
"""The event time lies further behind the arrival than the stream's disorder allows."""
DUPLICATE: Final = "duplicate"
"""The reading's identity was seen within the time that the stream names."""
TOO_OLD: Final = "too_old"
"""The event time lies more than ``late.keep`` before the arrival (counted as too late, not as dead)."""
DECODER_FAILED: Final = "decoder_failed"
"""The decoder itself broke on this message: a fault of Fogline, told in the log."""

REASONS: Final = (
    "",
    MALFORMED,
    WRONG_TYPE,
    NOT_FINITE,
    OUT_OF_RANGE,
    NO_TIME,
    BAD_TIME,
    FROM_THE_FUTURE,
    DUPLICATE,
    TOO_OLD,
)
"""A row's verdict in columns is an index into this; 0: alive."""

Verdicts = NDArray[np.uint8]


def verdict(reason: str) -> int:
    """The index of a reason in :data:`REASONS`."""
    return REASONS.index(reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadRow:
    """A reading, or a whole message, that could not be used."""

    message: int
    """Index of the message in its block."""
    reason: str
    detail: str


@dataclass(slots=True, kw_only=True)
class RawRows:
    """Raw values of some messages' readings, column by column, in the order of the stream's spec."""

    times: list[Any]
    fields: list[list[Any]]
    """A list a field; ``None`` and NaN stand for null."""
    labels: list[list[Any]]
    """A list a payload label; ``None`` stands for null."""
    messages: Sequence[int]
    """For each row the index of its message."""
    dead: list[DeadRow] = field(default_factory=list)


class PayloadFormat(Protocol):
    """Reads the payloads of one stream."""

    def read(self, payloads: Sequence[bytes]) -> RawRows:
        """Rows of all payloads. Never raises for what a payload holds: it becomes a :class:`DeadRow`."""
        ...
