"""What a link may be told; one value for uplink and control."""

from dataclasses import dataclass, field

from fogline.service.units import Seconds
from fogline.uplink.backoff import Backoff


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings:
    """How a child treats its parents."""

    answer_within: Seconds = 30.0
    """Longest silence of the parent while parts are in flight (N8); doubles while the parent stays silent."""
    answer_within_cap: Seconds = 300.0
    """Where that doubling ends."""
    greeting_within: Seconds = 5.0
    """Longest wait for a connection with its greeting."""
    settled_after: Seconds = 10.0
    """A stream that lasted this long was of use although nothing was answered: the lanes were idle."""
    tries: int = 3
    """Failures in a row after which the next parent is dialled."""
    return_every: Seconds = 60.0
    """How often a child of another parent looks whether the preferred one serves again."""
    drain_within: Seconds = 2.0
    """At the end: longest wait for the answers to what is in flight."""
    backoff: Backoff = field(default_factory=Backoff)
