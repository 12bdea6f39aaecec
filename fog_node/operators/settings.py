"""What can be set about operators."""

from dataclasses import dataclass
from typing import Final

from fogline.service.units import Seconds, Size

MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorSettings:
    """How the node treats operators."""

    in_flight: int = 4
    """Batches under way to one replica."""
    attempts: int = 3
    """A batch that failed so often by itself is given up. One of several that a replica had when it died is tried alone
    from then on.
    """
    patience: Seconds = 60.0
    """How long a batch is tried before it is given up, while the operator answers no other one either."""
    timeout: Seconds = 5.0
    """A batch must be answered within this, where its pipeline says nothing."""
    greeting_within: Seconds = 30.0
    """A replica that was started must have answered the node's greeting within this."""
    answer_rows: int = 1_000_000
    """Rows of one answer."""
    message_bytes: Size = 32 * MIB
    """One serialised batch or answer."""
    quarantine_files: int = 64
    """Batches kept for inspection; the oldest goes first."""
    quarantine_bytes: Size = 32 * MIB
    """Disk for them."""
