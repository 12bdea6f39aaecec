"""What an aggregator knows of its group: desired state on its way down, reports on their way up."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from aggregator.assigner import Assigner, Sign, unsigned
from aggregator.assigning import Member
from fogline.control.desired import Desired
from fogline.control.newest import Newest
from fogline.model.caller import Caller
from fogline.model.protocol import PROTOCOL
from fogline.v1 import control_pb2


class Group:
    """A :class:`fogline.control.servicer.ControlHub`. Knows only who is attached now.

    Reports of a child that went away are not handed on: to the cloud it shall look as silent as it is.
    """

    def __init__(
        self,
        name: str,
        *,
        desired: Desired,
        own: Callable[[], control_pb2.AggregatorReport],
        changed: Callable[[], None],
        assignments_file: Path,
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
        self._reports: Final[dict[str, control_pb2.AttachRequest]] = {}

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
            Member(name=node.node, capacity=node.capacity, sequence=int(node.sequence))
            for request in self._reports.values()
            if request.role == "node"
            for node in request.nodes
            if node.HasField("capacity")
        ]

    def reported(self, request: control_pb2.AttachRequest, caller: Caller) -> None:  # noqa: ARG002 - one tenant yet
        """A child's newest word."""
        before = self._reports.get(request.child)
        self._reports[request.child] = request
        if before is None or _generations(before) != _generations(request):
            self._changed()
            self.assigner.changed()

    def left(self, child: str) -> None:
        """A child's control stream has ended."""
        if self._reports.pop(child, None) is not None:
            self._changed()

    def report(self) -> control_pb2.AttachRequest:
        """The newest report of everything at or below this aggregator; of two about one node the younger."""
        nodes: dict[str, control_pb2.NodeReport] = {}
        aggregators: dict[str, control_pb2.AggregatorReport] = {self._name: self._own()}
        for request in self._reports.values():
            for node in request.nodes:
                if node.node not in nodes or nodes[node.node].at_us < node.at_us:
                    nodes[node.node] = node
            for below in request.aggregators:
                if below.aggregator not in aggregators or aggregators[below.aggregator].at_us < below.at_us:
                    aggregators[below.aggregator] = below
        return control_pb2.AttachRequest(
            protocol=PROTOCOL,
            child=self._name,
            role="aggregator",
            nodes=nodes.values(),
            aggregators=aggregators.values(),
        )


def _generations(request: control_pb2.AttachRequest) -> dict[str, int]:
    return {node.node: node.generation for node in request.nodes}
