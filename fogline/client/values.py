"""What the SDK hands out: frozen values with aware UTC datetimes and plain Python numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from fogline.model.plan import Scalar


class WindowStatus(Enum):
    """How complete a result is: ``open``, then ``complete`` or ``partial``, ``revised`` if late data came."""

    OPEN = "open"
    COMPLETE = "complete"
    PARTIAL = "partial"
    REVISED = "revised"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What became of a spec that was deployed."""

    pipeline: str
    plan: str
    """Name of the plan: hash of its content."""
    generation: int
    """Generation of desired state that carries the plan; a node that reports it runs the plan."""
    changed: bool
    """False: this plan was the newest already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """A pipeline that is deployed."""

    name: str
    plan: str
    """Plan whose results bear the public name."""
    deployed: datetime
    running: tuple[str, ...]
    """Plans that run, the public one among them."""
    steps: tuple[str, ...]
    """Window steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one window of one key says."""

    pipeline: str
    step: str
    window_start: datetime
    window_end: datetime
    """One past the window: a reading of this instant belongs to the next one."""
    key: Mapping[str, str | None]
    values: Mapping[str, Scalar]
    status: WindowStatus
    have: int
    """Nodes that have passed the window."""
    expected: int
    """Nodes that were to pass it."""
    missing: tuple[str, ...]
    """Nodes that have not passed it yet."""
    revision: int
    """How often the result changed after it was first called complete or partial."""
    change: int
    """Counts up with every change of any result of the plan."""
    readings: int
    """Readings that the row stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message or reading that could not be used, from the bounded sample that a node keeps."""

    stream: str
    reason: str
    topic: str
    payload: bytes
    """At most 256 bytes of it."""
    detail: str
    arrival: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A fog node as its newest report says."""

    name: str
    parent: str
    alive: bool
    """False: nothing was heard for some seconds."""
    seen: datetime
    """When the cloud had the newest report."""
    generation: int
    """Highest generation of desired state that the node has applied."""
    faults: tuple[str, ...]
    """What it could not apply, and why."""
    listener: str
    """Where devices publish, as a URL."""
    clients: int
    """Connected devices."""
    journaled: int
    """Messages in the origins that it still reports."""
    pending: int
    """Messages that are journaled and not committed yet, summed over its plans."""
    unrouted: int
    """Messages that belong to no stream, since the node's start."""
    journal_bytes: int
    journal_limit_bytes: int
    version: str
    dead_letters: tuple[DeadLetter, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregator:
    """An aggregator as its newest report says."""

    name: str
    parent: str
    alive: bool
    seen: datetime
    generation: int
    children: tuple[str, ...]
    parts_in: int
    parts_out: int
    held_bytes: int
    """Merged states held now, in bytes."""
    refusals: int
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The state of the installation."""

    version: str
    """Release of Fogline that the cloud runs."""
    at: datetime
    generation: int
    """Generation of desired state."""
    readings: int
    """Readings counted into states since the store was created."""
    incarnation: bytes
    """The store's life: 16 bytes, new when it is created or restored."""
    nodes: tuple[Node, ...]
    aggregators: tuple[Aggregator, ...]
    pipelines: tuple[Pipeline, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLedger:
    """Readings of committed messages in one step: ``decoded = counted + filtered + dead + too_late``."""

    step: str
    decoded: int
    counted: int
    filtered: int
    dead: Mapping[str, int]
    too_late: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLedger:
    """Where every message of one stream went under one plan, summed over nodes and epochs.

    ``received = journaled + refused`` and ``journaled = before_start + committed + pending + gap``.
    """

    pipeline: str
    plan: str
    stream: str
    received: int
    journaled: int
    refused: Mapping[str, int]
    before_start: int
    """Messages that were journaled before the plan began."""
    committed: int
    pending: int
    gap: Mapping[str, int]
    redelivered: int
    retained: int
    steps: tuple[StepLedger, ...]
    adds_up: bool
    differences: tuple[str, ...]
    """Which equation does not hold, in words."""
