"""Bytes of one connection on their way to becoming packets."""

from fog_node.ingest.frames import HEADER_BYTES, frame_end


class Inbox:
    """What was received and is not part of a packet yet. ``data[at:]`` is what to look at next."""

    __slots__ = ("_late", "_needed", "at", "data")

    def __init__(self) -> None:
        self.data = b""
        self.at = 0
        self._late = bytearray()
        self._needed = 0

    @property
    def waiting_bytes(self) -> int:
        """Bytes that are not part of a packet yet."""
        return len(self.data) - self.at + len(self._late)

    @property
    def first(self) -> int:
        """The first byte of the next packet: its type and flags."""
        return self.data[self.at]

    def received(self, data: bytes) -> None:
        """Take bytes from the other side."""
        if self.at == len(self.data) and not self._late:
            self.data, self.at = data, 0
        else:
            self._late += data

    def ready(self) -> bool:
        """Whether there is something to look at that was not there before."""
        # A packet that comes in a thousand reads is joined once, when it is whole.
        if self.waiting_bytes < self._needed:
            return False
        self._needed = 0
        if self._late:
            self.data, self.at = self.data[self.at :] + self._late, 0
            self._late.clear()
        if self.at == len(self.data):
            self.data, self.at = b"", 0
            return False
        return True

    def end(self, limit: int) -> int | None:
        """Where the next packet ends; None while it is not whole. Raises as :func:`frame_end` does."""
        end = frame_end(self.data, self.at, limit)
        if end is not None and end <= len(self.data):
            return end
        held = len(self.data) - self.at
        self._needed = held + 1 if end is None and held < HEADER_BYTES else (end or 0) - self.at
        return None

    def take(self, end: int) -> bytes:
        """The packet that ends there."""
        packet = self.data[self.at : end]
        self.at = end
        return packet
