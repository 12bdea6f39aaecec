"""What an aggregator knows of its group: desired state on its way down, reports on their way up."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aggregator.assigner import Assigner, Sign, unsigned
from aggregator.assigning import Member
from fogline.control.census import SILENT_US, Census
from fogline.control.desired import Desired
from fogline.control.newest import Newest
from fogline.control.sums import Sums, sums_of, sums_to_wire
from fogline.model.caller import Caller
from fogline.model.clock import SECOND, Clock
from fogline.model.protocol import PROTOCOL
from fogline.v1 import control_pb2


@dataclass(slots=True)
class _Heard:
    """A node's newest report, and when it came, by a clock that only goes forward."""

    report: control_pb2.NodeReport
    came_us: int
    sums: Sums


@dataclass(slots=True)
class _Child:
    role: str
    nodes: dict[str, _Heard] = field(default_factory=dict)
    aggregators: list[control_pb2.AggregatorReport] = field(default_factory=list)


class Group:
    """A :class:`fogline.control.servicer.ControlHub`. Knows only who is attached now.

    Reports of a child that went away are not handed on, nor are those of a node that has fallen silent: to the cloud
    they shall look as silent as they are.
    """

    def __init__(
        self,
        name: str,
        *,
        desired: Desired,
        own: Callable[[], control_pb2.AggregatorReport],
        changed: Callable[[], None],
        assignments_file: Path,
        clock: Clock,
        sign: Sign = unsigned,
    ) -> None:
        """``own`` makes this aggregator's report; ``changed`` is called when the group has changed; ``sign``: vouches
        for assignments.
        """
        self.assigner: Final = Assigner(
            assignments_file, aggregator=name, desired=desired, members=self.members, sign=sign
        )
        self._name: Final = name
        self._desired: Final = desired
        self._own: Final = own
        self._changed: Final = changed
        self._clock: Final = clock
        self._children: Final[dict[str, _Child]] = {}
        self._census: Final = Census()
        self.looks: Final[Newest[control_pb2.Look]] = Newest()
        """Which nodes somebody looks at, as the parent says."""

    @property
    def desired(self) -> Desired:
        """What every node of the group shall run."""
        return self._desired

    @property
    def assignments(self) -> Newest[control_pb2.SignedAssignments]:
        """Where and how many of it: for the nodes of this group."""
        return self.assigner.newest

    def members(self) -> list[Member]:
        """The nodes that are attached here, not those below another aggregator."""
        return [
            Member(name=name, capacity=heard.report.capacity, sequence=int(heard.report.sequence))
            for child in self._children.values()
            if child.role == "node"
            for name, heard in child.nodes.items()
            if heard.report.HasField("capacity")
        ]

    def reported(self, request: control_pb2.AttachRequest, caller: Caller) -> None:  # noqa: ARG002 - one tenant yet
        """A child's newest word."""
        now_us = self._now_us()
        child = self._children.get(request.child)
        before = {} if child is None else {name: h.report.generation for name, h in child.nodes.items()}
        if child is None:
            child = self._children[request.child] = _Child(request.role)
        newest = [report.node for report in request.nodes if self._is_newest(report, now_us)]
        self._take(child, request, now_us)
        self._census.hear(request.child, request, newest, now_us)
        if self._census.must_look(now_us):
            self.look(control_pb2.Look())
        if before != {name: h.report.generation for name, h in child.nodes.items()}:
            self._changed()
            self.assigner.changed()

    def _is_newest(self, report: control_pb2.NodeReport, now_us: int) -> bool:
        """Whether no child is known to have a newer report of a node that is there."""
        owner = self._children.get(self._census.owner(report.node))
        heard = None if owner is None else owner.nodes.get(report.node)
        return heard is None or heard.report.at_us <= report.at_us or now_us - heard.came_us >= SILENT_US

    @staticmethod
    def _take(child: _Child, request: control_pb2.AttachRequest, now_us: int) -> None:
        before, child.aggregators = child.nodes, list(request.aggregators)
        if not request.HasField("sums") or request.sums.whole:
            child.nodes = {}
        else:
            for name in request.left:
                child.nodes.pop(name, None)
        for report in request.nodes:
            known = before.get(report.node)
            again = known is not None and known.report.at_us == report.at_us
            came_us = known.came_us if known is not None and again else now_us
            child.nodes[report.node] = _Heard(report, came_us, sums_of(report))

    def left(self, child: str) -> None:
        """A child's control stream has ended."""
        self._census.drop(child)
        if self._children.pop(child, None) is not None:
            self._changed()

    def look(self, look: control_pb2.Look) -> None:
        """Somebody above looks at nodes: ask those below who would say only sums of them."""
        self.looks.set(control_pb2.Look(number=self.looks.number + 1, nodes=look.nodes))

    def report(self) -> control_pb2.AttachRequest:
        """The newest report of everything that is there at or below this aggregator, and its sums."""
        nodes = {heard.report.node: heard for heard in self._present()}
        aggregators: dict[str, control_pb2.AggregatorReport] = {self._name: self._own()}
        for child in self._children.values():
            for below in child.aggregators:
                known = aggregators.get(below.aggregator)
                if known is None or known.at_us < below.at_us:
                    # A copy: what is left out of it on the way up is still known here.
                    aggregators[below.aggregator] = control_pb2.AggregatorReport.FromString(
                        below.SerializeToString()
                    )
        figures = self._census.figures(lambda name: nodes[name].sums if name in nodes else {})
        return control_pb2.AttachRequest(
            protocol=PROTOCOL,
            child=self._name,
            role="aggregator",
            nodes=[heard.report for heard in nodes.values()],
            aggregators=aggregators.values(),
            sums=control_pb2.GroupSums(figures=sums_to_wire(figures)),
        )

    def _present(self) -> Iterator[_Heard]:
        """The nodes that are there, each once."""
        now_us = self._now_us()
        for name, child in self._children.items():
            summed = self._census.speaks_for_all(name)
            for node, heard in child.nodes.items():
                if self._census.owner(node) != name:
                    continue
                if not summed and now_us - heard.came_us < SILENT_US:
                    yield heard
                elif summed:
                    yield _going_on(heard, now_us)

    def _now_us(self) -> int:
        return int(self._clock.monotonic() * SECOND)


def _going_on(heard: _Heard, now_us: int) -> _Heard:
    """A report that still holds: by its node's clock it would have been made now."""
    report = control_pb2.NodeReport()
    report.CopyFrom(heard.report)
    report.at_us += now_us - heard.came_us
    return _Heard(report, heard.came_us, heard.sums)
