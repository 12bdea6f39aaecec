"""What an aggregator's lane is made of. All of it is volatile: kill it and nothing is lost."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Generic, Protocol, TypeVar

from fogline.model.clock import NEVER, SECOND
from fogline.model.frozen import FrozenMap
from fogline.model.part import Contribution, Origin, Part
from fogline.uplink.incarnation import StoreLife

S = TypeVar("S")

FOR_EVER: Final = 2**63 - 1
"""The watermark of an origin that is closed."""


class Merger(Protocol[S]):
    """What a lane must know of states. Merging is commutative and associative."""

    def merge(self, a: S, b: S) -> S:
        """The state of both."""
        ...

    def mergeable(self, a: S, b: S) -> bool:
        """False if their kinds or parameters differ, or are not known here."""
        ...

    def size(self, state: S) -> int:
        """Bytes when encoded."""
        ...

    def pane_us(self, state: S) -> int:
        """Width of its narrowest pane in microseconds; 0 if it has none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When an open part is sealed, and how many may wait for their ack."""

    part_bytes: int = 1 << 20
    part_contributions: int = 1000
    seal_after_us: int = SECOND
    in_flight: int = 4


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class ChildRound:
    """One round of one stream of one child; what it delivered is judged as one run."""

    child: str
    stream: int
    """The receiver's number for the stream; only has to differ between streams of one child."""
    round: int


class Proven(Enum):
    """How far a child's round is trusted to continue at the cloud's offset (A2)."""

    NO = "no"
    WAITING = "waiting"
    """A part of it went up alone; nothing more is read until an ack covers it."""
    TOLD = "told"
    """The ack has come; the next part that begins there proves the round."""
    YES = "yes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """What is known of a child's round."""

    proven: Proven = Proven.NO
    seen: FrozenMap[Origin, int] = field(default_factory=FrozenMap)
    """Origins that it has delivered, with their latest watermark (microseconds)."""
    told: FrozenMap[Origin, int] = field(default_factory=FrozenMap)
    """Offsets told by the cloud since the round began."""
    alone: tuple[Contribution, ...] = ()
    """Contributions of the part for which it waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(Generic[S]):
    """A child's part that there was no room for yet; its bytes are not credited back."""

    child: ChildRound
    part: Part[S]


@dataclass(frozen=True, slots=True, kw_only=True)
class Open(Generic[S]):
    """The part that is being merged."""

    contributions: FrozenMap[Origin, Contribution]
    state: S
    since: int
    """When it was begun; microseconds."""
    pane_ended: bool = False
    """Every live child has passed a pane's end: do not keep it waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeLane(Generic[S]):
    """One plan's lane through an aggregator."""

    children: FrozenMap[ChildRound, Child] = field(default_factory=FrozenMap)
    waiting: tuple[Delivery[S], ...] = ()
    """In order of arrival: who has waited longest gets the next room."""
    open: Open[S] | None = None
    inflight: tuple[Part[S], ...] = ()
    """Sealed, oldest first, until an ack covers them."""
    sent: int = 0
    """How many of ``inflight`` the present upstream round has been given."""
    up: bool = False
    """An upstream round is open."""
    life: StoreLife = field(default_factory=StoreLife)
    passed_us: int = NEVER
    """Event time that every live child had passed when a pane's end was last pushed."""
    behind: ChildRound | None = None
    """A child that had not passed the next pane's end when it was last looked for one."""

    def held(self) -> Iterator[Contribution]:
        """Contributions of everything that is neither committed nor given up."""
        for part in self.inflight:
            yield from part.contributions
        if self.open is not None:
            yield from self.open.contributions.values()


@dataclass(frozen=True, slots=True, kw_only=True)
class TellChild:
    """Send a child an ack or a refusal. A refusal ends its round, which is already forgotten here."""

    child: ChildRound
    refused: bool
    offsets: FrozenMap[Origin, int]
    incarnation: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """The oldest ``parts`` deliveries of this child need no memory of their own now: credit their bytes."""

    child: ChildRound
    parts: int


class Cause(Enum):
    """Why a part was sealed."""

    TIME = "time"
    SIZE = "size"
    """Bytes or contributions: the next part would not have fitted."""
    PANE = "pane"
    APART = "apart"
    """The next part must not be merged with it: a gap, a hole, an overlap, another kind, a round's first."""
    FLUSH = "flush"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed(Generic[S]):
    """A part is complete; :func:`next_part` hands it out. For counters, and to wake the sender."""

    part: Part[S]
    cause: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Discarded:
    """A refusal made everything held worthless; its messages come again from their nodes. For counters."""

    parts: int


Action = TellChild | Released | Sealed[S] | Discarded
