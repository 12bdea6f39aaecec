"""A cloud's end of the control stream, in memory: signs what it says."""

from dataclasses import replace
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fogline.control.desired import Desired
from fogline.control.keys import SigningKey, key_to_wire, sign_state
from fogline.control.newest import Newest
from fogline.control.servicer import ControlServicer
from fogline.control.sessions import ParentSessions
from fogline.control.word import Word
from fogline.model.caller import Caller
from fogline.model.protocol import SPOKEN, Spoken
from fogline.service.server import Server
from fogline.v1 import control_pb2, control_pb2_grpc


class KeyChain:
    """Signing keys as a cloud has them."""

    def __init__(self) -> None:
        self._private = Ed25519PrivateKey.generate()
        self.keys = [SigningKey(version=1, public=self._private.public_key().public_bytes_raw())]

    def rotate(self) -> SigningKey:
        """A new key, signed by the one before."""
        private = Ed25519PrivateKey.generate()
        unsigned = SigningKey(version=len(self.keys) + 1, public=private.public_key().public_bytes_raw())
        key = SigningKey(
            version=unsigned.version,
            public=unsigned.public,
            signature=self._private.sign(unsigned.statement),
        )
        self.keys.append(key)
        self._private = private
        return key

    def word(self, state: control_pb2.DesiredState) -> Word:
        """A state, signed with the newest key."""
        content = state.SerializeToString(deterministic=True)
        return replace(self.sign(content), state=state)

    def sign(self, content: bytes) -> Word:
        """Any bytes, signed with the newest key as if they were a state."""
        signed = sign_state(self._private, self.keys[-1].version, content)
        return Word(state=control_pb2.DesiredState(), signed=signed, keys=tuple(map(key_to_wire, self.keys)))


CHAIN: Final = KeyChain()
"""Of every :class:`MemoryHub` that is given none: parents of one installation."""


class MemoryHub:
    """A :class:`fogline.control.servicer.ControlHub` that remembers the newest word of each child."""

    def __init__(self, state: control_pb2.DesiredState | None = None, *, chain: KeyChain = CHAIN) -> None:
        self._chain: Final = chain
        self._desired: Final = Desired(None if state is None else chain.word(state))
        self.assignments: Final[Newest[control_pb2.SignedAssignments]] = Newest()
        """What children are assigned."""
        self.looks: Final[Newest[control_pb2.Look] | None] = None
        self.reports: Final[dict[str, control_pb2.AttachRequest]] = {}
        self.heard = 0
        """How many reports came in all."""

    @property
    def desired(self) -> Desired:
        """What every node shall run."""
        return self._desired

    def tell(self, state: control_pb2.DesiredState) -> bool:
        """Let this hold from now on, if it is newer; whether it is."""
        return self._desired.offer(self._chain.word(state))

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

    def __init__(
        self,
        hub: MemoryHub,
        *,
        listen: str = "127.0.0.1:0",
        sessions: ParentSessions | None = None,
        spoken: Spoken = SPOKEN,
    ) -> None:
        self.servicer = ControlServicer(hub, sessions, spoken=spoken)
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
