"""Origins, contributions, parts: the words of the protocol as values (docs/protocol.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from fogline.model.clock import NEVER

S = TypeVar("S")


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Origin:
    """One run of one node's journal writer on one stream."""

    tenant: str
    node: str
    stream: str
    epoch: bytes
    """16 random bytes, new at every start of the writer."""

    def __str__(self) -> str:
        return f"{self.tenant}/{self.node}/{self.stream}/{self.epoch.hex()[:8]}"


Offsets = Mapping[Origin, int]
"""Committed offsets, in messages, as told by the cloud's store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """Messages [first, end) of one origin, for which some state stands."""

    origin: Origin
    start: int
    """Offset at which the plan began on this origin."""
    first: int
    end: int
    gap: str = ""
    """Empty for data; else the reason why these messages were dropped."""
    watermark: int = NEVER
    """Event time up to which the origin believes it has seen everything, at ``end``; microseconds."""
    closed: bool = False
    """No message will ever come at or after ``end``."""

    @property
    def is_gap(self) -> bool:
        """Whether this range was dropped by decision."""
        return bool(self.gap)

    @property
    def messages(self) -> int:
        """How many messages the range holds."""
        return self.end - self.first


@dataclass(frozen=True, slots=True, kw_only=True)
class Part(Generic[S]):
    """The unit of commit: a state with exactly the messages it stands for, one contribution an origin."""

    contributions: tuple[Contribution, ...]
    state: S

    @property
    def is_empty(self) -> bool:
        """Whether it stands for no message: a probe, or an idle origin's watermark."""
        return all(c.first == c.end for c in self.contributions)

    @property
    def is_gap(self) -> bool:
        """Whether it declares dropped messages; such a part has one contribution and no state."""
        return any(c.is_gap for c in self.contributions)
