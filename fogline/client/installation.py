"""The installation as the SDK says it: nodes, aggregators, and the state of all."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fogline.client.values import Pipeline
from fogline.model.clock import SECOND


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
class Broker:
    """A broker that a node subscribes to. Counters count up from the node's start."""

    url: str
    """Without user and password."""
    client_id: str
    share: str
    """Group of the shared subscription; empty: the node gets every message by itself."""
    connected: bool
    fault: str
    """What is wrong now, in words; empty: nothing."""
    messages: int
    reconnects: int
    sessions_lost: int
    """Sessions that the broker had lost when the node came back, with what it had queued in them."""
    dropped: int | None
    """Messages that the broker says it dropped, for any subscriber; None: it does not say."""
    warnings: tuple[str, ...]
    """What the broker's configuration puts at risk, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """The journal of one stream and epoch on a node, in messages. Counts up from the epoch's start."""

    stream: str
    epoch: bytes
    received: int
    journaled: int
    refused: Mapping[str, int]
    """By reason."""
    redelivered: int
    retained: int
    base: int
    """Oldest offset that is still kept."""
    closed: bool
    """True: a former epoch, read only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One plan on one stream and epoch of a node, in messages."""

    plan: str
    stream: str
    epoch: bytes
    start: int
    """Offset at which the plan began here."""
    committed: int
    """Offset that the cloud's store is known to hold."""
    pending: int
    """Messages at or after `committed` that the journal holds."""
    gaps: Mapping[str, int]
    """Messages dropped for this plan, by reason."""
    watermark: datetime | None
    """Event time up to which everything is believed seen; null: nothing was yet."""


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
    brokers: tuple[Broker, ...]
    journals: tuple[Journal, ...]
    lanes: tuple[Lane, ...]


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
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Commits:
    """What the answering process has committed since it began. Counts only up."""

    transactions: int
    parts: int
    contributions: int
    refusals: int
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number of all nodes that are there."""

    of: str
    """What is counted: ``step.rows_in``, ``journal.received``, ...; docs/control.md has the list."""
    plan: str
    name: str
    """Stream, step or container; empty where it does not matter, as ``plan`` and ``reason``."""
    reason: str
    total: int
    """Sum over nodes."""
    most: int
    """Of the node that has most."""
    nodes: int
    """Nodes that count it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorFigures:
    """How an operator step goes on all nodes that are there; counts are from each node's start."""

    plan: str
    step: str
    nodes: int
    """Nodes that run it."""
    batches: int
    rows_in: int
    rows_out: int
    busy_seconds: float
    """Time in which replicas worked."""
    queued: int
    """Batches that wait or are under way now."""
    replays: int
    """Batches that were given to a replica again, because one ended or did not answer in time."""
    quarantined_messages: int
    """Messages of batches that were given up."""


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
    store: str
    """``sqlite`` or ``postgresql``."""
    commits: Commits
    nodes: tuple[Node, ...]
    aggregators: tuple[Aggregator, ...]
    pipelines: tuple[Pipeline, ...]
    figures: tuple[Figure, ...] = ()
    """What the nodes that are there come to together."""

    @property
    def operators(self) -> tuple[OperatorFigures, ...]:
        """How each operator step goes, by plan and step."""
        steps: dict[tuple[str, str], dict[str, Figure]] = {}
        for figure in self.figures:
            kind, _, what = figure.of.partition(".")
            if kind == "step":
                steps.setdefault((figure.plan, figure.name), {})[what] = figure
        return tuple(_operator(plan, step, steps[plan, step]) for plan, step in sorted(steps))


def _operator(plan: str, step: str, said: Mapping[str, Figure]) -> OperatorFigures:
    def total(what: str) -> int:
        return said[what].total if what in said else 0

    return OperatorFigures(
        plan=plan,
        step=step,
        nodes=max(figure.nodes for figure in said.values()),
        batches=total("batches"),
        rows_in=total("rows_in"),
        rows_out=total("rows_out"),
        busy_seconds=total("busy_us") / SECOND,
        queued=total("queued"),
        replays=total("replays"),
        quarantined_messages=total("quarantined_messages"),
    )
