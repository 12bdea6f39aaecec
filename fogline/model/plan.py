"""The plan: what a node executes and the cloud finishes. Immutable, named by its hash."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Scalar = bool | int | float | str | None

FOR_EVER: Final = -1
"""``late.keep`` without an end."""

FieldType = Literal["float", "int"]
OutputType = Literal["text", "float", "int", "bool"]
PayloadFormat = Literal["json", "number", "senml"]
TimeUnit = Literal["auto", "s", "ms", "us", "ns", "iso"]
FullPolicy = Literal["expire", "refuse", "wait"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeField:
    """Where a reading's event time stands in the payload, and its unit."""

    path: tuple[str, ...]
    unit: TimeUnit = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSpec:
    """A string of a reading: from the payload, or with an empty path the topic level of that name."""

    name: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSpec:
    """A number of a reading."""

    name: str
    path: tuple[str, ...]
    type: FieldType = "float"
    resolution: float | None = None
    """The sensor's grid. Sums of such a field are kept as integers of this step: exact under any split."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Labels and fields that name a reading; a repeat within ``within_us`` of arrival is dead{duplicate}."""

    names: tuple[str, ...]
    within_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSpec:
    """A named source of readings."""

    name: str
    topic: str
    format: PayloadFormat
    time: TimeField | None
    labels: tuple[LabelSpec, ...]
    fields: tuple[FieldSpec, ...]
    identity: Identity | None = None
    full: FullPolicy = "expire"
    quota_bytes: int = 0
    """Disk of this stream's journal; 0 takes the node's default."""


@dataclass(frozen=True, slots=True)
class Column:
    """The value of a column, by name."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant."""

    value: Scalar


@dataclass(frozen=True, slots=True)
class Call:
    """An operation on arguments; names are the engine's (``fogline.engine.expression``)."""

    operation: str
    arguments: tuple["Expression", ...]


Expression = Column | Constant | Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """An expression with the name of its output column."""

    name: str
    expression: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSpec:
    """One state of a window query: how it merges (kind) and how readings enter it (function, argument)."""

    name: str
    kind: str
    function: str
    argument: Expression | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowQuery:
    """SELECT columns WHERE: yields rows."""

    columns: tuple[Named, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowQuery:
    """GROUP BY keys and one TUMBLE: yields states for each pane and key; outputs are computed when finishing."""

    keys: tuple[Named, ...]
    width_us: int
    states: tuple[StateSpec, ...]
    outputs: tuple[Named, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputColumn:
    """A column of the rows that an operator answers with."""

    name: str
    type: OutputType
    resolution: float | None = None
    """The grid of a float's values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorQuery:
    """A container that answers each batch with rows. Which image it is says the release, not the plan."""

    columns: tuple[OutputColumn, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSpec:
    """A vertex of the pipeline."""

    name: str
    source: str
    """Name of the stream or step that it reads."""
    stream: str
    """Name of the stream at the end of its sources."""
    where: Expression | None
    query: RowQuery | WindowQuery | OperatorQuery


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A pipeline's SQL, streams and state layout."""

    tenant: str
    pipeline: str
    streams: tuple[StreamSpec, ...]
    steps: tuple[StepSpec, ...]
    disorder_us: int
    wait_us: int
    keep_us: int
    emit_every_us: int
    max_keys: int
