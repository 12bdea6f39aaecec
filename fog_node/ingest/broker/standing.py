"""How a node stands with a broker."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerStanding:
    """One broker at one moment. Counts go up from the node's start, if nothing else is said."""

    url: str
    """Without user and password."""
    identity: str
    """What two nodes that read from the same broker agree in."""
    client_id: str
    share: str
    connected: bool
    fault: str
    """What is wrong now, in words; empty: nothing."""
    warnings: tuple[str, ...]
    """What puts messages at risk although everything works, in words."""
    subscriptions: tuple[str, ...]
    """Filters that the broker has granted on this connection, sorted."""
    messages: int
    """Messages taken, whatever became of them."""
    unrouted: int
    """Messages that no stream takes any more."""
    reconnects: int
    """Connections after the first."""
    sessions_lost: int
    """Sessions that the broker had lost when the node came back."""
    ended: Mapping[str, int]
    """Connections, or attempts at one, that ended, by reason."""
    dropped: int
    """Messages that the broker says it dropped since the node first heard it, over restarts of both."""
    dropped_known: bool
    """Whether the broker says it at all."""


class Tally:
    """The counts while they grow."""

    __slots__ = ("ended", "messages", "reconnects", "sessions_lost", "unrouted")

    def __init__(self) -> None:
        self.messages = 0
        self.unrouted = 0
        self.reconnects = 0
        self.sessions_lost = 0
        self.ended: Counter[str] = Counter()
