"""Output between a container that writes and somebody far away who reads: bounded, and what is left out is counted."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from fog_node.runtimes.runtime import Output
from fogline.control.sessions import CHUNK

MOST_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Piece:
    """What is sent together."""

    channel: int
    data: bytes
    dropped: int
    """Bytes that were left out before it."""


class Buffer:
    """Output that waits. Of a ``lossy`` one the oldest goes when it is full; else its writer must wait."""

    def __init__(self, *, lossy: bool, most: int = MOST_BYTES) -> None:
        self._lossy: Final = lossy
        self._most: Final = most
        self._waiting: Final[deque[Output]] = deque()
        self._bytes = 0
        self._dropped = 0

    @property
    def full(self) -> bool:
        """Whether a writer must wait."""
        return not self._lossy and self._bytes >= self._most

    @property
    def empty(self) -> bool:
        """Whether all was taken."""
        return not self._waiting

    def add(self, output: Output) -> None:
        """Take what a container wrote."""
        if not output.data:
            return
        self._waiting.append(output)
        self._bytes += len(output.data)
        while self._lossy and self._bytes > self._most:
            gone = len(self._waiting.popleft().data)
            self._bytes -= gone
            self._dropped += gone

    def take(self, credit: int) -> Piece | None:
        """The next piece of at most ``credit`` bytes; None if there is none, or it may not be sent yet."""
        room = min(credit, CHUNK)
        if not self._waiting or room <= 0:
            return None
        channel, taken = self._waiting[0].channel, bytearray()
        while self._waiting and self._waiting[0].channel == channel and len(taken) < room:
            data = self._waiting.popleft().data
            left = room - len(taken)
            taken += data[:left]
            if len(data) > left:
                self._waiting.appendleft(Output(channel, data[left:]))
        self._bytes -= len(taken)
        dropped, self._dropped = self._dropped, 0
        return Piece(channel, bytes(taken), dropped)
