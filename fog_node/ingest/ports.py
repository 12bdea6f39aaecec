"""What the listener needs of the journal."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from fog_node.journal import Gap, SegmentState
from fog_node.messages import Block, Messages
from fogline.model.part import Origin


class Appender(Protocol):
    """Where messages become durable."""

    async def append(self, stream: str, messages: Messages) -> None:
        """Return when the messages are on disk. Raises JournalFull, and then nothing of them is kept."""
        ...

    def count(
        self,
        stream: str,
        *,
        refused: Mapping[str, int] | None = None,
        redelivered: int = 0,
        retained: int = 0,
    ) -> None:
        """Count deliveries that never became messages here."""
        ...


class Memory(Protocol):
    """Where journaled messages are read from."""

    def segments(self, stream: str) -> Sequence[SegmentState]:
        """The files that hold the stream's messages, oldest first."""
        ...

    async def note(self, segment: SegmentState) -> bytes | None:
        """What was left beside a closed one, if that can be believed."""
        ...

    def leave_note(self, segment: SegmentState, content: bytes) -> None:
        """Keep this beside a closed one, where that can be done."""
        ...

    async def read(self, origin: Origin, first: int) -> Block | Gap | None:
        """The block that holds ``first``, from there on; or the gap that is there."""
        ...


class Log(Appender, Memory, Protocol):
    """Both: the journal."""
