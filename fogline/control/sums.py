"""What nodes count, added up over many of them: in any order and grouping, the same. Pure.

A sum of a group is good only together with whom it sums up (:class:`Roster`): whoever adds sums of groups adds each
node once.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from fogline.v1 import control_pb2

MOST: Final = 2**63
"""No figure is greater: it stays there."""
MAX_FIGURES: Final = 10_000
"""Figures of one group; a child that says more is not gone by."""


class Key(NamedTuple):
    """What is counted, and of what; what does not matter is empty."""

    of: str
    plan: str = ""
    name: str = ""
    """Stream, step or container."""
    reason: str = ""


class Figure(NamedTuple):
    """One number of many nodes."""

    total: int
    most: int
    """Of the node that has most."""
    nodes: int
    """Nodes that count it."""

    def plus(self, other: "Figure") -> "Figure":
        """Both together; of different nodes."""
        total = min(MOST, self.total + other.total)
        return Figure(total, max(self.most, other.most), self.nodes + other.nodes)


Sums = Mapping[Key, Figure]
NOTHING: Final[Sums] = {}


def added(many: Iterable[Sums]) -> dict[Key, Figure]:
    """Sums of different nodes together."""
    all_: dict[Key, Figure] = {}
    for sums in many:
        for key, figure in sums.items():
            before = all_.get(key)
            all_[key] = figure if before is None else before.plus(figure)
    return all_


def sums_of(report: control_pb2.NodeReport) -> dict[Key, Figure]:
    """What one node counts."""
    counts: dict[Key, int] = {}
    for key, count in _counts(report):
        counts[key] = counts.get(key, 0) + count
    return {key: Figure(min(MOST, n), min(MOST, n), 1) for key, n in counts.items()}


def _counts(report: control_pb2.NodeReport) -> Iterator[tuple[Key, int]]:
    """Each number of a report by its key; those of several origins have the same one."""
    yield Key("clients"), report.clients
    yield Key("unrouted"), report.unrouted
    yield Key("journal.bytes"), report.journal_bytes
    yield Key("faults"), len(report.faults)
    for journal in report.journals:
        yield from _journal_counts(journal)
    for lane in report.lanes:
        yield from _lane_counts(lane)
    for step in report.steps:
        yield from ((Key(f"step.{of}", step.plan, step.step), getattr(step, of)) for of in STEP_FIGURES)
    for box in report.containers:
        yield from (
            (Key(f"container.{of}", box.plan, box.name), getattr(box, of)) for of in CONTAINER_FIGURES
        )
    for broker in report.brokers:
        yield from ((Key(f"broker.{of}"), getattr(broker, of)) for of in BROKER_FIGURES)


def _journal_counts(journal: control_pb2.JournalReport) -> Iterator[tuple[Key, int]]:
    stream = journal.origin.stream
    for of in JOURNAL_FIGURES:
        yield Key(f"journal.{of}", name=stream), getattr(journal, of)
    for reason, count in journal.refused.items():
        yield Key("journal.refused", name=stream, reason=reason), count


def _lane_counts(lane: control_pb2.LaneReport) -> Iterator[tuple[Key, int]]:
    where = (lane.plan, lane.origin.stream)
    for of in LANE_FIGURES:
        yield Key(f"lane.{of}", *where), getattr(lane, of)
    for reason, count in lane.gaps.items():
        yield Key("lane.gap", *where, reason), count


JOURNAL_FIGURES: Final = ("received", "journaled", "redelivered", "retained")
LANE_FIGURES: Final = ("committed", "pending")
STEP_FIGURES: Final = (
    "batches",
    "rows_in",
    "rows_out",
    "busy_us",
    "queued",
    "replays",
    "quarantined_messages",
)
CONTAINER_FIGURES: Final = ("cpu_us", "memory_bytes", "throttled_us", "restarts")
BROKER_FIGURES: Final = ("messages", "reconnects", "dropped")


def sums_to_wire(sums: Sums) -> list[control_pb2.Figure]:
    """As messages, in the order of their keys."""
    return [
        control_pb2.Figure(**key._asdict(), total=figure.total, most=figure.most, nodes=figure.nodes)
        for key, figure in sorted(sums.items())
    ]


def sums_from_wire(figures: Iterable[control_pb2.Figure]) -> dict[Key, Figure]:
    """From messages; nothing is greater than :data:`MOST`."""
    return {
        Key(f.of, f.plan, f.name, f.reason): Figure(min(MOST, f.total), min(MOST, f.most), f.nodes)
        for f in figures
    }


class Roster:
    """Whom a sum is of, in 12 bytes: how many nodes, and the exclusive or of hashes of their names."""

    __slots__ = ("names", "nodes")

    def __init__(self, nodes: int = 0, names: int = 0) -> None:
        self.nodes = nodes
        self.names = names

    def add(self, node: str) -> None:
        """One more, which was not there."""
        self.nodes += 1
        self.names ^= _hash(node)

    def remove(self, node: str) -> None:
        """One less, which was there."""
        self.nodes -= 1
        self.names ^= _hash(node)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Roster) and (self.nodes, self.names) == (other.nodes, other.names)

    def __hash__(self) -> int:
        return hash((self.nodes, self.names))


def roster_of(nodes: Iterable[str]) -> Roster:
    """The roster of nodes, each named once."""
    roster = Roster()
    for node in nodes:
        roster.add(node)
    return roster


@lru_cache(maxsize=20_000)
def _hash(node: str) -> int:
    return int.from_bytes(hashlib.sha256(node.encode()).digest()[:8], "little")
