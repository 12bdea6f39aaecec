"""What the model's world is made of: values, so that equal worlds are one world."""

from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cache
from typing import NamedTuple

from aggregator.merge.lane import MergeLane
from fogline.intake.judgement import Settlement
from fogline.intake.marks import Mark
from fogline.intake.rounds import Rounds
from fogline.model.frozen import FrozenMap
from fogline.model.gap import Gap
from fogline.model.part import Origin, Part
from fogline.uplink.cursor import Cursor

CLOUD = "cloud"


class Reading(NamedTuple):
    """What a message yields. The serial tells apart what took the same place after a disk was lost."""

    node: str
    epoch: int
    offset: int
    serial: int


State = tuple[Reading, ...]
"""A state names every reading in it, so that one counted twice is seen."""


class Joining:
    """The model's merger."""

    def merge(self, a: State, b: State) -> State:
        return tuple(sorted(a + b))

    def mergeable(self, a: State, b: State) -> bool:
        return True

    def size(self, state: State) -> int:
        return len(state)

    def pane_us(self, state: State) -> int:
        return 0


@cache
def origin(node: str, epoch: int) -> Origin:
    return Origin(tenant="main", node=node, stream="air", epoch=bytes([epoch]))


class Fault(Enum):
    """What can go wrong, or is decided from outside; each costs one of the world's remaining faults."""

    CUT = auto()
    """A stream breaks; what was under way may still arrive."""
    NODE_CRASH = auto()
    AGGREGATOR_CRASH = auto()
    CLOUD_CRASH = auto()
    COMMIT_WITHOUT_ANSWER = auto()
    """The cloud dies after some of its transactions and before the answer."""
    LOSS = auto()
    """A receiver loses a message inside a living stream."""
    REPEAT = auto()
    """A receiver handles a message twice."""
    DISK_LOSS = auto()
    """A node comes back with an empty journal."""
    ROLL = auto()
    """A node opens a new epoch in mid-run."""
    EXPIRE = auto()
    """The oldest message is dropped, for every plan that still needs it."""
    DETACH = auto()
    """The first plan gives up what it has not committed."""
    BACKUP = auto()
    RESTORE = auto()
    """The cloud's store goes back to the backup and begins a new life."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """A journal of one writer run. ``contents`` are serials from offset 0 on, also of what was truncated."""

    number: int
    contents: tuple[int, ...] = ()
    synced: int = 0
    base: int = 0
    closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node: on disk `epochs`, `starts` and `gaps`; in memory the cursors, one a plan."""

    name: str
    epochs: tuple[Epoch, ...] = ()
    starts: FrozenMap[int, int] = field(default_factory=FrozenMap)
    gaps: FrozenMap[tuple[int, int], tuple[Gap, ...]] = field(default_factory=FrozenMap)
    """By plan and epoch."""
    cursors: tuple[Cursor, ...] = ()
    arrived: int = 0
    runs: int = 0
    """Epochs ever opened; stands for the randomness of their names."""
    idled: bool = False
    """An idle origin's watermark was sent in this round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregator:
    """An aggregator: a lane a plan. ``memory`` is for broken rules that remember more."""

    name: str
    lanes: tuple[MergeLane[State], ...]
    memory: FrozenMap[Origin, int] = field(default_factory=FrozenMap)


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What the cloud's store holds of one plan."""

    offsets: FrozenMap[Origin, int] = field(default_factory=FrozenMap)
    starts: FrozenMap[Origin, int] = field(default_factory=FrozenMap)
    marks: FrozenMap[Origin, Mark] = field(default_factory=FrozenMap)
    counted: State = ()
    gaps: tuple[tuple[Origin, int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """The cloud's store."""

    books: tuple[Books, ...]
    life: int = 0
    backup: tuple[Books, ...] | None = None

    @property
    def incarnation(self) -> bytes:
        return bytes([self.life])


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """A part on its way up; the first of a round also opens it."""

    round: int
    part: Part[State]


@dataclass(frozen=True, slots=True, kw_only=True)
class Down:
    """An ack or a refusal on its way down."""

    round: int
    refused: bool
    offsets: FrozenMap[Origin, int]
    incarnation: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipe:
    """One plan's lane within a stream, with what is under way."""

    up: tuple[Up, ...] = ()
    down: tuple[Down, ...] = ()
    sending: int = 0
    """The sender's round."""
    rounds: Rounds | None = None
    """The receiver's view; None until the first part has come."""
    pending: Settlement | None = None
    """What a cloud process without a lock has read and not yet written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A Push stream. A zombie is one whose child has left; the parent does not know yet."""

    child: str
    parent: str
    number: int
    zombie: bool = False
    pipes: tuple[Pipe, ...] = ()


class World(NamedTuple):
    """Everything, at one instant."""

    nodes: tuple[Node, ...]
    aggregators: tuple[Aggregator, ...]
    streams: tuple[Stream, ...]
    cloud: Cloud
    faults: int
