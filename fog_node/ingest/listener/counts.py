"""What the listener counts for itself; what concerns a stream is counted by the journal."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerCounts:
    """How the listener stands. The mappings go from a reason to how often it happened since the process
    began.
    """

    connections: int
    handshakes: int
    """Connections that have not been let in yet."""
    sessions: int
    bytes_in_hand: int
    """Read, and not yet on disk."""
    admitted: int
    """Devices let in since the process began."""
    refused: Mapping[str, int]
    """Connections turned away before they were let in."""
    ended: Mapping[str, int]
    """Connections that the listener ended."""
    messages: int
    """Messages taken from devices, whatever became of them."""
    unrouted: int
    """Messages whose topic belongs to no stream."""
    undelivered_wills: int
    """Wills that no stream took."""


class Tally:
    """The counts while they grow."""

    __slots__ = ("admitted", "ended", "messages", "refused", "undelivered_wills", "unrouted")

    def __init__(self) -> None:
        self.admitted = 0
        self.refused: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.messages = 0
        self.unrouted = 0
        self.undelivered_wills = 0
