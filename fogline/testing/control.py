"""A cloud's end of the control stream, in memory."""

from typing import Final

from fogline.control.desired import Desired
from fogline.control.servicer import ControlServicer
from fogline.model.caller import Caller
from fogline.service.server import Server
from fogline.v1 import control_pb2, control_pb2_grpc


class MemoryHub:
    """A :class:`fogline.control.servicer.ControlHub` that remembers the newest word of each child."""

    def __init__(self, state: control_pb2.DesiredState | None = None) -> None:
        self._desired: Final = Desired(state)
        self.reports: Final[dict[str, control_pb2.AttachRequest]] = {}
        self.heard = 0
        """How many reports came in all."""

    @property
    def desired(self) -> Desired:
        """What every node shall run."""
        return self._desired

    def reported(self, request: control_pb2.AttachRequest, caller: Caller) -> None:  # noqa: ARG002 - all are one
        """A child's newest word."""
        self.reports[request.child] = request
        self.heard += 1

    def left(self, child: str) -> None:
        """A child is gone."""
        self.reports.pop(child, None)

    @property
    def nodes(self) -> dict[str, control_pb2.NodeReport]:
        """The newest report of every node."""
        return {node.node: node for request in self.reports.values() for node in request.nodes}


class ControlParent:
    """A server with nothing but control."""

    def __init__(self, hub: MemoryHub, *, listen: str = "127.0.0.1:0") -> None:
        self.servicer = ControlServicer(hub)
        self.server = Server(listen=listen, grace_s=0.2)
        self.server.add(
            "fogline.v1.ControlService",
            lambda server: control_pb2_grpc.add_ControlServiceServicer_to_server(self.servicer, server),
            end=self.servicer.end_streams,
        )


def desired_state(generation: int, *plans: str) -> control_pb2.DesiredState:
    """A desired state with plans of these names."""
    return control_pb2.DesiredState(
        generation=generation, plans=[control_pb2.DesiredPlan(id=plan) for plan in plans]
    )
