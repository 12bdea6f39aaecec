"""Reports as the cloud takes them: whose they are, when they came, and what of them is kept."""

from dataclasses import dataclass
from typing import Final

from cloud.store.reports import Journal, Report
from fogline.model.clock import SECOND
from fogline.model.errors import MalformedPart
from fogline.model.part import Origin
from fogline.v1 import control_pb2, types_pb2
from fogline.wire.origins import origin_from_wire

ALIVE_US: Final = 5 * SECOND
"""A tier that was not heard for so long is shown as away."""
MAX_COUNT: Final = 2**53
"""No counter of messages is greater; a node that says so is not believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeWord:
    """A node's newest report."""

    tenant: str
    report: control_pb2.NodeReport
    seen_us: int
    alive_us: int = ALIVE_US
    """How long it stands for a node that lives."""
    came_us: int = 0
    """When the report came, where ``seen_us`` is a later sign of life; 0: both are one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregatorWord:
    """An aggregator's newest report."""

    tenant: str
    report: control_pb2.AggregatorReport
    seen_us: int
    alive_us: int = ALIVE_US
    """How long it stands for an aggregator that lives."""


Word = NodeWord | AggregatorWord


def reached(report: control_pb2.NodeReport | control_pb2.AggregatorReport) -> int:
    """A generation that ours must not be below: one that a machine has seen, or that must be gone beyond because the
    machine knows something else by it.
    """
    return max(report.generation, report.contested + 1 if report.contested else 0)


def report_of(word: NodeWord) -> Report:
    """A node's report as the store takes it; journals that no node can have are left out."""
    report = word.report
    return Report(
        tenant=word.tenant,
        node=report.node,
        raw=report.SerializeToString(),
        journals=tuple(
            Journal(
                origin=origin,
                received=bounded(journal.received),
                journaled=bounded(journal.journaled),
                refused={reason: bounded(count) for reason, count in journal.refused.items()},
                redelivered=bounded(journal.redelivered),
                retained=bounded(journal.retained),
                base=bounded(journal.base),
                closed=journal.closed,
            )
            for journal in report.journals
            # A node speaks for itself alone.
            if (origin := origin_of(journal.origin)) is not None
            and (origin.tenant, origin.node) == (word.tenant, report.node)
        ),
    )


def origin_of(message: types_pb2.Origin) -> Origin | None:
    """An origin as a value; None if it names none."""
    try:
        return origin_from_wire(message)
    except MalformedPart:
        return None


def bounded(count: int) -> int:
    """A count of messages that databases and sums can hold."""
    return min(count, MAX_COUNT)


def origins_of(word: Word) -> set[bytes]:
    """Of which journals a node speaks."""
    if isinstance(word, AggregatorWord):
        return set()
    return {journal.origin.SerializeToString() for journal in word.report.journals}
