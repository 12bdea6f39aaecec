"""Sessions on their way through an aggregator: down to the child that leads to the node, and up again."""

from collections.abc import Iterable, Sequence
from typing import Final

from fogline.control.post import Post
from fogline.control.sessions import POST_BYTES, Tell, ending, size_of
from fogline.control.switchboard import Switchboard
from fogline.model.errors import FogError, Unavailable
from fogline.v1 import control_pb2

ANY: Final = ""
"""An aggregator serves children of one tenant."""


class Relay:
    """Both :class:`fogline.control.sessions.ParentSessions` and :class:`fogline.control.sessions.ChildSessions`."""

    def __init__(self) -> None:
        self._board: Final = Switchboard()
        self.post: Final[Post[control_pb2.SessionOutput]] = Post(most_bytes=POST_BYTES, size=size_of)
        """What waits for the parent."""

    def reached(self, child: str, tenant: str, nodes: Iterable[str], tell: Tell) -> None:  # noqa: ARG002 - one tenant
        """These nodes are at or below a child."""
        self._board.reached(child, ANY, nodes, tell)

    def answered(self, child: str, outputs: Sequence[control_pb2.SessionOutput]) -> None:
        """What came up goes on up."""
        self._board.answered(child, outputs)

    def left(self, child: str) -> None:
        """A child is gone, and what led through it."""
        self._board.left(child)

    def hear(self, inputs: Sequence[control_pb2.SessionInput]) -> None:
        """What came down goes on down."""
        for asked in inputs:
            if not asked.HasField("ask"):
                self._board.feed(asked)
                continue
            try:
                self._board.ask(ANY, asked, self._up)
            except FogError as error:
                self.post.force(ending(asked.id, error))

    def lost(self) -> None:
        """The parent is gone, and whoever asked through it."""
        self._board.cancel_all()
        self.post.clear()

    def _up(self, output: control_pb2.SessionOutput) -> None:
        if output.end:
            self.post.force(output)
        elif not self.post.put(output):
            self._board.feed(control_pb2.SessionInput(id=output.id, cancel=True))
            full = Unavailable("the aggregator's control stream to its parent is full")
            self.post.force(ending(output.id, full))
