"""What needs somebody's attention, from what the tiers report."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from cloud.dashboard.live.snapshot import Snapshot
from cloud.dashboard.live.topics import LEDGER
from cloud.dashboard.view.links import ledger_link, node_link
from fogline.client.accounts import StreamLedger
from fogline.client.installation import Aggregator, Node, Status
from fogline.model.clock import from_datetime

FILLING = 0.8
"""A journal that is fuller than this share of its limit is worth a word."""


class Level(IntEnum):
    """How bad it is; the worst counts."""

    GOOD = 0
    WARNING = 1
    BAD = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """One thing that is not as it should be."""

    level: Level
    where: str
    what: str
    link: str = ""


def concerns(snapshot: Snapshot) -> list[Concern]:
    """Everything that is wrong, the worst first."""
    found: list[Concern] = []
    if snapshot.lost:
        found.append(Concern(level=Level.BAD, where="cloud", what=snapshot.lost.why))
    if snapshot.status:
        found += _of_status(snapshot.status)
    ledger = snapshot.of(LEDGER)
    for line in ledger.streams if ledger is not None else ():
        found += _of_ledger(line)
    return sorted(found, key=lambda concern: -concern.level)


def worst(found: list[Concern]) -> Level:
    """The level of the installation."""
    return max((concern.level for concern in found), default=Level.GOOD)


def node_concerns(node: Node) -> Iterator[Concern]:
    """What is wrong at one node."""
    link = node_link(node.name)
    if not node.alive:
        yield Concern(level=Level.BAD, where=node.name, what="is away", link=link)
    for fault in node.faults:
        yield Concern(level=Level.BAD, where=node.name, what=fault, link=link)
    if fullness(node) >= FILLING:
        what = f"journal is {fullness(node):.0%} full"
        yield Concern(level=Level.WARNING, where=node.name, what=what, link=link)
    for broker in node.brokers:
        if not broker.connected:
            what = f"broker {broker.url} is away: {broker.fault or 'not connected'}"
            yield Concern(level=Level.BAD, where=node.name, what=what, link=link)
        for warning in broker.warnings:
            what = f"broker {broker.url}: {warning}"
            yield Concern(level=Level.WARNING, where=node.name, what=what, link=link)


def fullness(node: Node) -> float:
    """How much of the journal's limit is used, 0 to 1."""
    return node.journal_bytes / node.journal_limit_bytes if node.journal_limit_bytes else 0.0


def behind_us(node: Node) -> int | None:
    """How far what is committed lies behind the node's newest report, in event time; None: nothing to say."""
    waiting = [lane.watermark for lane in node.lanes if lane.watermark and lane.pending]
    if not any(lane.watermark for lane in node.lanes):
        return None
    return max(0, from_datetime(node.seen) - from_datetime(min(waiting))) if waiting else 0


def level_of(node: Node | Aggregator) -> Level:
    """The level of one machine."""
    if isinstance(node, Node):
        return worst(list(node_concerns(node)))
    return Level.GOOD if node.alive else Level.BAD


def _of_status(status: Status) -> Iterator[Concern]:
    for node in status.nodes:
        yield from node_concerns(node)
    for aggregator in status.aggregators:
        if not aggregator.alive:
            yield Concern(level=Level.BAD, where=aggregator.name, what="is away")
        for fault in aggregator.faults:
            yield Concern(level=Level.BAD, where=aggregator.name, what=fault)


def _of_ledger(line: StreamLedger) -> Iterator[Concern]:
    where = f"{line.pipeline} / {line.stream}"
    if not line.adds_up:
        yield Concern(level=Level.BAD, where=where, what="the ledger does not add up", link=ledger_link())
