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
    """False: this plan was the newest already, and so was what runs its operators and services."""
    release: int = 0
    """Number of the plan's release: of what runs its operators and services; 0: it never had any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningImage:
    """What runs an operator step or a service."""

    kind: str
    """operator or service"""
    name: str
    """Of the step, or of the service."""
    image: str
    """With its digest."""
    cpu_millis: int
    """Thousandths of a core; 0: the node's default."""
    memory_bytes: int
    """0: the node's default."""
    min_replicas: int
    max_replicas: int
    """On each node; services have one."""


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
    release: int = 0
    """Number of the public plan's release; 0: it is SQL alone."""
    images: tuple[RunningImage, ...] = ()
    """What the release runs: operators, then services."""
    spec: str | None = None
    """The public plan's spec as it was deployed, YAML; None where a list of pipelines leaves it out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRelease:
    """One release of one plan of a pipeline, as it was deployed."""

    plan: str
    release: int
    """Number within the plan; 0: it began without operators and services."""
    deployed: datetime
    stage: str
    """How the plan stands: candidate, public, replaced or retired."""
    newest: bool
    """Whether this was deployed last."""
    images: tuple[RunningImage, ...] = ()
    """What the release runs: operators, then services."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A stream as the public plan of its pipeline reads it, and how it goes."""

    pipeline: str
    name: str
    topic: str
    """MQTT topic template."""
    format: str
    """Payload format."""
    time: str
    """Name or path of the time field; empty: the time of arrival."""
    labels: tuple[str, ...]
    fields: tuple[str, ...]
    journaled: int
    """Messages that the nodes have journaled, over all nodes and epochs."""
    pending: int
    """Messages that no commit holds yet."""
    nodes: tuple[str, ...]
    """Nodes that have journaled any."""


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
class Window:
    """How one window of a step stands, over all its keys."""

    start: datetime
    end: datetime
    """One past the window."""
    status: WindowStatus
    have: int
    """Nodes that have passed the window."""
    expected: int
    """Nodes that were to pass it."""
    missing: tuple[str, ...]
    """Nodes that have not passed it yet."""
    revision: int
    keys: int
    readings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """A step's newest windows, oldest first, and the results of some of their keys."""

    windows: tuple[Window, ...]
    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """As whom the cloud knows the caller."""

    id: str
    """Of the API token; empty where none is asked for."""
    name: str
    tenant: str
    rights: tuple[str, ...]
