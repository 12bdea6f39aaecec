"""What the receiver of a Push stream hands its parts to."""

from typing import Protocol

from fogline.engine.state import PartState
from fogline.model.caller import Caller
from fogline.model.part import Offsets, Part


class ChildLane(Protocol):
    """One round of one lane of one child's stream; the next round is another object."""

    @property
    def child(self) -> str:
        """Name of the calling node or aggregator."""
        ...

    @property
    def plan(self) -> str:
        """Name of the plan (its hash)."""
        ...

    @property
    def round(self) -> int:
        """0 on a new stream, one more after each refusal."""
        ...

    @property
    def caller(self) -> Caller:
        """For whom the stream was opened."""
        ...

    @property
    def ended(self) -> bool:
        """Whether the round is over; whatever is said to it then goes nowhere."""
        ...

    def ack(self, offsets: Offsets, incarnation: bytes) -> None:
        """Tell the child what the store holds. Origins that its stream never named are left out."""
        ...

    def refuse(self, offsets: Offsets, incarnation: bytes) -> None:
        """Tell the child what the store holds and end the round: what is buffered for it is dropped."""
        ...

    def fail(self, reason: str) -> None:
        """End the round without an answer (C6): the child repeats, after a while, what it sent.

        The child's other lanes go on.
        """
        ...


class PartSink(Protocol):
    """Takes parts, on the event loop; lanes run beside each other, one lane's calls in order."""

    async def open_lane(self, lane: ChildLane) -> None:
        """A round begins.

        Raise :class:`fogline.model.errors.FogError` to have it fail; it is then not closed.
        """
        ...

    async def take(self, lane: ChildLane, part: Part[PartState]) -> None:
        """Take a part; answer it with ``lane.ack`` or ``lane.refuse``, here or later.

        Returning lets the lane's next part come and gives the part's bytes back to the child as credit, so
        return when its memory is free again or counted elsewhere. Cancelled when the round or stream ends.
        Raise :class:`fogline.model.errors.FogError` to have the round fail, as :meth:`ChildLane.fail` does.
        """
        ...

    async def close_lane(self, lane: ChildLane) -> None:
        """The round is over: refused, followed by the next one, or its stream has ended. No call follows."""
        ...
