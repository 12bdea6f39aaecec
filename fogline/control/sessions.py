"""Sessions with containers, carried by the control stream: what is agreed on, and who takes part.

A session is something asked of a container on a node (logs, a command, its usage), and what comes back. Each end lets
the other send ``WINDOW`` bytes and then as much as it has consumed, so that nobody in between ever holds more.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

from fogline.model.errors import FogError, NotAllowed, NotFound, Unavailable
from fogline.v1 import control_pb2

WINDOW: Final = 64 * 1024
"""Bytes that may be under way in each direction of a session without having been consumed."""
CHUNK: Final = 16 * 1024
"""Bytes in one message of a session, at most."""
OVERHEAD: Final = 128
"""What a message costs besides its data, in bytes, roughly."""
MAX_COMMAND_BYTES: Final = 16 * 1024
MAX_TAIL: Final = 10_000
NODE_SESSIONS: Final = 16
"""Open on one node at the same time."""
TIER_SESSIONS: Final = 128
"""Open through one process of an aggregator or the cloud at the same time."""
POST_BYTES: Final = 2 * TIER_SESSIONS * WINDOW
"""What may wait for a stream; more than windows add up to, so that only a side that breaks the rules meets it."""

LOGS: Final = "logs"
EXEC: Final = "exec"
TOP: Final = "top"

Tell = Callable[[control_pb2.SessionInput], bool]
"""Puts a message on its way down to a child; False: there is no room."""
Hear = Callable[[control_pb2.SessionOutput], None]
"""Is told what comes back."""


class NodeAway(Unavailable):
    """No control stream leads to the node."""

    code = "node_away"


class TooManySessions(Unavailable):
    """As many sessions are open as may."""

    code = "too_many_sessions"


class ContainerAbsent(NotFound):
    """Nothing of that name runs there."""

    code = "no_such_container"


class ExecNotAllowed(NotAllowed):
    """The node's owner does not let commands be run."""

    code = "exec_not_allowed"


class ParentSessions(Protocol):
    """What a parent's end of control streams tells of sessions. Called on the event loop."""

    def reached(self, child: str, tenant: str, nodes: Iterable[str], tell: Tell) -> None:
        """These nodes are at or below a child now."""
        ...

    def answered(self, child: str, outputs: Sequence[control_pb2.SessionOutput]) -> None:
        """What came up."""
        ...

    def left(self, child: str) -> None:
        """The child's stream has ended, and every session through it."""
        ...


class ChildSessions(Protocol):
    """What a child does with what is asked of it. Called on the event loop."""

    def hear(self, inputs: Sequence[control_pb2.SessionInput]) -> None:
        """What came down."""
        ...

    def lost(self) -> None:
        """The stream to the parent has ended, and every session through it."""
        ...


def ending(session: str, error: FogError) -> control_pb2.SessionOutput:
    """The last message of a session that failed."""
    return control_pb2.SessionOutput(
        id=session, end=True, fault=error.message, hint=error.hint, code=error.code
    )


def failure(output: control_pb2.SessionOutput) -> FogError | None:
    """The error that a message tells of; None: of none."""
    if not output.fault:
        return None
    kinds: tuple[type[FogError], ...] = (NodeAway, TooManySessions, ContainerAbsent, ExecNotAllowed)
    kind = next((kind for kind in kinds if kind.code == output.code), Unavailable)
    return kind(output.fault, hint=output.hint)


def size_of(message: control_pb2.SessionInput | control_pb2.SessionOutput) -> int:
    """What a message costs where it waits, in bytes."""
    return OVERHEAD + len(message.data)
