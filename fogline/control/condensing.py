"""Reports on a stream are sent when they have changed; nodes with nothing new are named. Two pure cores."""

from dataclasses import dataclass, field
from typing import Final

from fogline.model.clock import SECOND
from fogline.v1 import control_pb2

STATISTICS_EVERY_US: Final = 5 * SECOND
"""Numbers that only people look at are sent so often, if nothing else has changed."""


@dataclass(slots=True)
class _Sent:
    report: control_pb2.NodeReport
    substance: control_pb2.NodeReport
    at_us: int


@dataclass(slots=True)
class Condenser:
    """The sending end of one stream."""

    _sent: dict[str, _Sent] = field(default_factory=dict)

    def condense(self, request: control_pb2.AttachRequest, now_us: int) -> None:
        """Leave out of a request the reports that the parent has; their nodes are named instead."""
        before, self._sent = self._sent, {}
        reports = list(request.nodes)
        del request.nodes[:]
        for report in reports:
            substance, sent = substance_of(report), before.get(report.node)
            if sent is not None and substance == sent.substance and _may_wait(report, sent, now_us):
                request.unchanged.add(node=report.node, at_us=report.at_us)
            else:
                request.nodes.append(report)
                sent = _Sent(report, substance, now_us)
            self._sent[report.node] = sent


@dataclass(slots=True)
class Expander:
    """The receiving end of one stream."""

    nodes: set[str] = field(default_factory=set)
    """Who is at or below the child."""
    _known: dict[str, control_pb2.NodeReport] = field(default_factory=dict)
    _children: dict[str, list[str]] = field(default_factory=dict)

    def expand(self, request: control_pb2.AttachRequest) -> None:
        """Put the newest reports of nodes that are only named back into a request; unknown names say nothing.

        A request with sums stays as it is but for the aggregators' children.
        """
        if request.HasField("sums"):
            self._follow(request)
            return
        for named in request.unchanged:
            known = self._known.get(named.node)
            if known is not None:
                report = request.nodes.add()
                report.CopyFrom(known)
                report.at_us = named.at_us
        del request.unchanged[:]
        self._known = {report.node: report for report in request.nodes}
        self.nodes = set(self._known)

    def _follow(self, request: control_pb2.AttachRequest) -> None:
        self._known = {}
        if request.sums.whole:
            self.nodes = set()
        self.nodes.difference_update(request.left)
        self.nodes.update(report.node for report in request.nodes)
        for report in request.aggregators:
            if report.same_children:
                report.children.extend(self._children.get(report.aggregator, ()))
                report.same_children = False
        self._children = {report.aggregator: list(report.children) for report in request.aggregators}


def substance_of(report: control_pb2.NodeReport) -> control_pb2.NodeReport:
    """A report without its instant, and without numbers that only people look at."""
    substance = control_pb2.NodeReport()
    substance.CopyFrom(report)
    substance.ClearField("at_us")
    substance.ClearField("steps")
    if substance.HasField("capacity"):
        substance.capacity.ClearField("disk_free_bytes")
    for container in substance.containers:
        for name in ("cpu_us", "memory_bytes", "throttled_us"):
            container.ClearField(name)
    for lane in substance.lanes:
        lane.ClearField("watermark_us")
    return substance


def _may_wait(report: control_pb2.NodeReport, sent: _Sent, now_us: int) -> bool:
    """Whether a report with the same substance need not be sent now."""
    if now_us - sent.at_us < STATISTICS_EVERY_US:
        return True
    last = control_pb2.NodeReport()
    last.CopyFrom(sent.report)
    last.at_us = report.at_us
    return last == report
