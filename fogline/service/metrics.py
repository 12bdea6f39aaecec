"""What a tier counts, on its way to Prometheus: names, kinds, labels and values, without any library.

A source reads counters that are kept anyway, on the event loop, when somebody scrapes: in between nothing is paid.
Labels take values from what is configured and from fixed sets of reasons, never from topics, devices or epochs;
what would still be too much is added up in one series.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from enum import Enum
from types import ModuleType
from typing import Final, Protocol

from fogline.service.histogram import Buckets

MOST_SERIES: Final = 500
"""Series of one metric of one process; what comes on top is added up with every label ``(other)``."""
OTHER: Final = "(other)"


class Kind(Enum):
    """What Prometheus takes a metric for."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric, as it is declared once in the module that reads it."""

    name: str
    """As Prometheus shows it: with unit, and ``_total`` for a counter."""
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    worst: bool = False
    """Of several values with the same labels the greatest counts, and not their sum."""


Value = float | Buckets


class Snapshot:
    """The values of one scrape."""

    def __init__(self, most_series: int = MOST_SERIES) -> None:
        self._most: Final = most_series
        self._values: Final[dict[Metric, dict[tuple[str, ...], Value]]] = {}

    def add(self, metric: Metric, value: Value, *labels: str) -> None:
        """Put a value, in the order of the metric's labels; one with the same labels is added to."""
        if len(labels) != len(metric.labels):
            raise ValueError(f"{metric.name} has the labels {metric.labels}, not {len(labels)} of them")
        series = self._values.setdefault(metric, {})
        if labels not in series and len(series) >= self._most:
            labels = (OTHER,) * len(labels)
        before = series.get(labels)
        series[labels] = value if before is None else _joined(metric, before, value)

    def each(self) -> Iterable[tuple[Metric, Mapping[tuple[str, ...], Value]]]:
        """Every metric with its series."""
        return self._values.items()

    def value(self, metric: Metric, *labels: str) -> Value | None:
        """The value of one series."""
        return self._values.get(metric, {}).get(labels)

    def take(self, other: "Snapshot") -> None:
        """Add everything of another one."""
        for metric, series in other.each():
            for labels, value in series.items():
                self.add(metric, value, *labels)


def _joined(metric: Metric, one: Value, other: Value) -> Value:
    if isinstance(one, Buckets) and isinstance(other, Buckets):
        counts = tuple(a + b for a, b in zip(one.counts, other.counts, strict=True))
        return Buckets(one.bounds, counts, one.total + other.total)
    if isinstance(one, Buckets) or isinstance(other, Buckets):
        raise TypeError(f"{metric.name} has a histogram and a number")
    return max(one, other) if metric.worst else one + other


Source = Callable[[Snapshot], None]
"""Fills a snapshot; called on the event loop, must neither wait nor change anything."""


class MetricGroup:
    """Metrics that are the attributes of one object."""

    @property
    def all(self) -> list[Metric]:
        """Every one of them."""
        return [metric for metric in vars(self).values() if isinstance(metric, Metric)]


def declared(*modules: ModuleType) -> list[Metric]:
    """Every metric that stands in these modules, by name."""
    stands = [value for module in modules for value in vars(module).values()]
    groups = [group.all for group in stands if isinstance(group, MetricGroup)]
    found = {m.name: m for m in (*stands, *(m for group in groups for m in group)) if isinstance(m, Metric)}
    return [found[name] for name in sorted(found)]


class Monotone:
    """Counters out of values that belong to things which come and go: sums that never fall.

    What is there at the first look was counted by an earlier process, and is not counted again.
    """

    def __init__(self) -> None:
        self._last: dict[tuple[str, ...], dict[object, float]] = {}
        self._totals: dict[tuple[str, ...], float] = {}
        self._begun = False

    def look(self, values: Iterable[tuple[tuple[str, ...], object, float]]) -> None:
        """Take values as they are now: labels, whose value it is, and the value."""
        now: dict[tuple[str, ...], dict[object, float]] = {}
        for labels, owner, value in values:
            now.setdefault(labels, {})[owner] = value
        for labels, owners in now.items():
            last = self._last.get(labels, {})
            grown = sum(max(0.0, value - last.get(owner, 0.0)) for owner, value in owners.items())
            self._totals[labels] = self._totals.get(labels, 0.0) + (grown if self._begun else 0.0)
        self._last, self._begun = now, True

    @property
    def totals(self) -> Mapping[tuple[str, ...], float]:
        """The sums by labels."""
        return self._totals


class MetricsPort(Protocol):
    """An open port for scrapes."""

    @property
    def address(self) -> str:
        """Where it listens, as ``host:port``."""
        ...


Admit = Callable[[str, str], Awaitable[bool]]
"""Whether who comes from another machine may read: by the header ``Authorization``, and the address."""


def open_metrics(
    listen: str,
    *,
    insecure: bool,
    identity: tuple[str, str, str],
    sources: Mapping[str, Source],
    admit: Admit | None = None,
) -> AbstractAsyncContextManager[MetricsPort | None]:
    """A context in which ``/metrics`` is served; with an empty address nothing is, and no library is loaded.

    ``identity``: tier, name and version of the process. Raises PortTaken on entering, and InvalidInput for an address
    that others can reach, unless there is ``admit`` to ask about them, or ``insecure``.
    """
    if not listen:
        return nullcontext()
    # Loaded only here: it takes two MiB, which a node that nobody scrapes shall not pay.
    from fogline.service.metrics_server import MetricsServer  # noqa: PLC0415

    return MetricsServer(listen, insecure=insecure, identity=identity, sources=sources, admit=admit)
