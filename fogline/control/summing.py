"""What an aggregator tells a parent that takes sums: figures of the whole group, and a bounded number of reports.

The cost of a second does not grow with the group. A report goes up at once when something happened to its node;
numbers that go on counting go up in the sums, and whole reports by turns, or when somebody looks. A pure core.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from fogline.control.condensing import substance_of
from fogline.control.sums import roster_of
from fogline.model.clock import MINUTE, SECOND
from fogline.v1 import control_pb2

REPORTS_A_SECOND: Final = 16
"""Whole reports that go up by turns, those that were sent longest ago first."""
AGAIN_AFTER_US: Final = MINUTE
"""A report goes up so often even if nothing in it has changed."""
LOOK_LASTS_US: Final = 5 * SECOND
"""So long after somebody has looked at a node its reports go up whenever they change."""

_NODE_COUNTERS: Final = ("at_us", "steps", "clients", "journal_bytes", "unrouted", "dead_letters")
_JOURNAL_COUNTERS: Final = ("received", "journaled", "refused", "redelivered", "retained", "base")
_LANE_COUNTERS: Final = ("committed", "pending", "gaps")
_BROKER_COUNTERS: Final = ("messages", "reconnects", "dropped")


def happening_of(report: control_pb2.NodeReport) -> control_pb2.NodeReport:
    """A report without what only counts: when it differs, something happened to the node."""
    kept = substance_of(report)
    for name in _NODE_COUNTERS:
        kept.ClearField(name)
    for several, names in (
        (kept.journals, _JOURNAL_COUNTERS),
        (kept.lanes, _LANE_COUNTERS),
        (kept.brokers, _BROKER_COUNTERS),
    ):
        for one in several:
            for name in names:
                one.ClearField(name)
    return kept


@dataclass(slots=True)
class _Sent:
    report: control_pb2.NodeReport
    happening: control_pb2.NodeReport
    sent_us: int


@dataclass(slots=True)
class Summing:
    """The sending end of one stream. Instants are of a clock that only goes forward."""

    _sent: dict[str, _Sent] = field(default_factory=dict)
    _children: dict[str, list[str]] = field(default_factory=dict)
    _looked_at: dict[str, int] = field(default_factory=dict)
    _all_until_us: int = 0
    _looked: int = 0
    _room: float = REPORTS_A_SECOND
    _at_us: int | None = None

    def look(self, look: control_pb2.Look, now_us: int) -> None:
        """Somebody looks at nodes."""
        self._looked = max(self._looked, look.number)
        if not look.nodes:
            self._all_until_us = now_us + LOOK_LASTS_US
        self._looked_at = {node: until for node, until in self._looked_at.items() if until > now_us}
        self._looked_at.update(dict.fromkeys(look.nodes, now_us + LOOK_LASTS_US))

    def condense(self, request: control_pb2.AttachRequest, now_us: int) -> None:
        """Leave in a whole request what is to be sent. Its ``nodes`` are all that are there, ``sums`` has their
        figures.
        """
        reports = {report.node: report for report in request.nodes}
        del request.nodes[:]
        request.sums.whole = not self._sent and self._at_us is None
        roster = roster_of(reports)
        request.sums.nodes, request.sums.names = roster.nodes, roster.names
        request.left.extend(sorted(self._sent.keys() - reports.keys()))
        for node in request.left:
            del self._sent[node]
        self._refill(now_us)
        for report in self._due(reports, now_us):
            request.nodes.append(report)
        request.looked = self._looked
        self._leave_out_children(request)

    def _refill(self, now_us: int) -> None:
        if self._at_us is not None:
            gained = (now_us - self._at_us) / SECOND * REPORTS_A_SECOND
            self._room = min(float(REPORTS_A_SECOND), self._room + gained)
        self._at_us = now_us

    def _due(
        self, reports: dict[str, control_pb2.NodeReport], now_us: int
    ) -> Iterator[control_pb2.NodeReport]:
        waiting = []
        for node, report in reports.items():
            happening, sent = happening_of(report), self._sent.get(node)
            if sent is None or happening != sent.happening or self._is_looked_at(node, report, sent, now_us):
                self._sent[node] = _Sent(report, happening, now_us)
                yield report
            elif now_us - sent.sent_us >= AGAIN_AFTER_US or _counted(report, sent.report):
                waiting.append(node)
        waiting.sort(key=lambda node: self._sent[node].sent_us)
        for node in waiting[: int(self._room)]:
            sent = self._sent[node]
            sent.report, sent.sent_us = reports[node], now_us
            self._room -= 1
            yield reports[node]

    def _is_looked_at(self, node: str, report: control_pb2.NodeReport, sent: _Sent, now_us: int) -> bool:
        until = max(self._all_until_us, self._looked_at.get(node, 0))
        return until > now_us and report.at_us != sent.report.at_us

    def _leave_out_children(self, request: control_pb2.AttachRequest) -> None:
        before, self._children = self._children, {}
        for report in request.aggregators:
            children = list(report.children)
            self._children[report.aggregator] = children
            if before.get(report.aggregator) == children:
                del report.children[:]
                report.same_children = True


def _counted(report: control_pb2.NodeReport, sent: control_pb2.NodeReport) -> bool:
    """Whether anything but the instant differs."""
    last = control_pb2.NodeReport()
    last.CopyFrom(sent)
    last.at_us = report.at_us
    return last != report
