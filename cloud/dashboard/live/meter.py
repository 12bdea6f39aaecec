"""From counters in reports to rates and their history."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cloud.dashboard.live.history import History
from cloud.dashboard.live.rates import Rates, total
from fogline.client.installation import Aggregator, Node, Status
from fogline.model.clock import from_datetime

Rate = float | None
"""A second; None while it is not known yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast one figure moves, and how it went."""

    rate: Rate = None
    trend: tuple[Rate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Every rate that pages show."""

    messages: Pace = Pace()
    """Messages that all nodes journal."""
    readings: Pace = Pace()
    """Readings counted into committed states."""
    commits: Pace = Pace()
    """Parts that the cloud commits."""
    pending: Pace = Pace()
    """Not a rate: messages that no commit holds yet, with its history."""
    nodes: Mapping[str, Pace] = field(default_factory=dict)
    """Messages that each node journals."""
    streams: Mapping[str, Pace] = field(default_factory=dict)
    """The same of each stream."""
    parts_in: Mapping[str, Rate] = field(default_factory=dict)
    parts_out: Mapping[str, Rate] = field(default_factory=dict)


class Meter:
    """Remembers what rates need from one report to the next."""

    def __init__(self) -> None:
        self._rates: Final = Rates()
        self._history: Final = History()

    def read(self, status: Status) -> Measured:
        """Rates after one more report."""
        now_us = from_datetime(status.at)
        nodes = {node.name: self._node(node) for node in status.nodes}
        parts_in = {each.name: self._aggregator(each, "in", each.parts_in) for each in status.aggregators}
        parts_out = {each.name: self._aggregator(each, "out", each.parts_out) for each in status.aggregators}
        measured = Measured(
            messages=self._pace("messages", total(pace.rate for pace in nodes.values())),
            readings=self._pace("readings", self._rates.per_second("readings", status.readings, now_us)),
            commits=self._pace("parts", self._rates.per_second("parts", status.commits.parts, now_us)),
            pending=self._pace("pending", float(sum(node.pending for node in status.nodes))),
            nodes=nodes,
            streams=self._streams(status),
            parts_in=parts_in,
            parts_out=parts_out,
        )
        self._rates.forget(now_us)
        return measured

    def _node(self, node: Node) -> Pace:
        rate = self._rates.per_second(("node", node.name), node.journaled, from_datetime(node.seen))
        return self._pace(("node", node.name), rate if node.alive else 0.0)

    def _streams(self, status: Status) -> Mapping[str, Pace]:
        rates: dict[str, list[Rate]] = {}
        for node in status.nodes:
            for journal in node.journals if node.alive else ():
                counter = ("stream", node.name, journal.stream, journal.epoch)
                rate = self._rates.per_second(counter, journal.journaled, from_datetime(node.seen))
                rates.setdefault(journal.stream, []).append(rate)
        return {stream: self._pace(("stream", stream), total(found)) for stream, found in rates.items()}

    def _aggregator(self, each: Aggregator, way: str, parts: int) -> Rate:
        rate = self._rates.per_second((way, each.name), parts, from_datetime(each.seen))
        return rate if each.alive else 0.0

    def _pace(self, series: object, rate: Rate) -> Pace:
        self._history.add(series, rate)
        return Pace(rate=rate, trend=self._history.of(series))
