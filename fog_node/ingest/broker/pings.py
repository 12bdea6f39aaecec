"""When a broker is asked whether it is there, and what its answer says.

A broker reads what a node sends in order. So when it answers a ping it has read what was acknowledged before, and
repeats none of that.
"""

from fog_node.ingest.session import Session


class Pings:
    """The pings of a link; at most one answer is awaited."""

    def __init__(self, now: float) -> None:
        self._sent_at = now
        self._mark: int | None = None
        """While an answer is awaited: how much had been acknowledged."""

    def due(self, now: float, *, keep_alive_s: float, session: Session) -> bool:
        """Whether to ask now: half of the keep-alive time has passed, or much is remembered until it answers."""
        if keep_alive_s and now - self._sent_at >= keep_alive_s / 2:
            return True
        return self._mark is None and session.remembered > 2 * session.window

    def sent(self, now: float, session: Session) -> None:
        """A ping was written, behind every acknowledgement so far."""
        self._sent_at = now
        if self._mark is None:
            self._mark = session.mark()

    def answered(self, session: Session) -> None:
        """The broker has answered."""
        if self._mark is not None:
            session.acknowledged(self._mark)
        self._mark = None

    def connected(self) -> None:
        """There is a new connection: what was asked on the old one is not answered any more."""
        self._mark = None
