"""Which sessions lead through which child: of the cloud and of every aggregator."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from fogline.control.sessions import (
    CHUNK,
    TIER_SESSIONS,
    Hear,
    NodeAway,
    Tell,
    TooManySessions,
    ending,
)
from fogline.model.errors import InvalidInput, Unavailable
from fogline.v1 import control_pb2


@dataclass(frozen=True, slots=True)
class _Line:
    child: str
    tell: Tell
    hear: Hear


class Switchboard:
    """A :class:`fogline.control.sessions.ParentSessions`. Belongs to the event loop."""

    def __init__(self, most: int = TIER_SESSIONS) -> None:
        self._most: Final = most
        self._ways: Final[dict[tuple[str, str], tuple[str, Tell]]] = {}
        """By tenant and node: the child that leads there."""
        self._lines: Final[dict[str, _Line]] = {}

    @property
    def open(self) -> int:
        """Sessions that are open."""
        return len(self._lines)

    def reached(self, child: str, tenant: str, nodes: Iterable[str], tell: Tell) -> None:
        """These nodes, and no others, are at or below a child."""
        now = {(tenant, node) for node in nodes}
        for place in [place for place, way in self._ways.items() if way[0] == child and place not in now]:
            del self._ways[place]
        for place in now:
            self._ways[place] = (child, tell)

    def left(self, child: str) -> None:
        """The child's stream has ended: so have its sessions."""
        for place in [place for place, way in self._ways.items() if way[0] == child]:
            del self._ways[place]
        gone = NodeAway("the connection to the node has ended", hint="ask again once it is back")
        for session, line in tuple(self._lines.items()):
            if line.child == child:
                self._end(session, ending(session, gone))

    def ask(self, tenant: str, asked: control_pb2.SessionInput, hear: Hear) -> None:
        """Begin a session; ``hear`` is told all that comes back, at last a message that says ``end``.

        Raises :class:`NodeAway`, :class:`TooManySessions`.
        """
        way = self._ways.get((tenant, asked.node))
        if way is None:
            raise NodeAway(f"node {asked.node!r} is not attached here")
        if len(self._lines) >= self._most:
            raise TooManySessions(f"{len(self._lines)} sessions are open already")
        if asked.id in self._lines:
            raise InvalidInput(f"there is a session {asked.id!r} already")
        child, tell = way
        if not tell(asked):
            raise Unavailable(f"the control stream to node {asked.node!r} is full")
        self._lines[asked.id] = _Line(child, tell, hear)

    def feed(self, fed: control_pb2.SessionInput) -> None:
        """Pass something on to a session; to one that has ended it is passed no more."""
        line = self._lines.get(fed.id)
        if line is None:
            return
        if fed.cancel:
            del self._lines[fed.id]
        if not line.tell(fed) and not fed.cancel:
            self._end(fed.id, ending(fed.id, Unavailable("the control stream to the node is full")))

    def cancel_all(self) -> None:
        """Whoever asked is gone."""
        for session in tuple(self._lines):
            self.feed(control_pb2.SessionInput(id=session, cancel=True))

    def answered(self, child: str, outputs: Sequence[control_pb2.SessionOutput]) -> None:
        """Pass on what came up, as far as it belongs to a session through this child."""
        for output in outputs:
            line = self._lines.get(output.id)
            if line is None or line.child != child:
                continue
            if len(output.data) > CHUNK:
                self.feed(control_pb2.SessionInput(id=output.id, cancel=True))
                line.hear(ending(output.id, InvalidInput("the node sends more at once than is agreed on")))
            elif output.end:
                self._end(output.id, output)
            else:
                line.hear(output)

    def _end(self, session: str, last: control_pb2.SessionOutput) -> None:
        line = self._lines.pop(session, None)
        if line is not None:
            line.hear(last)
