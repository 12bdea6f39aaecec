"""How long messages may gather in the socket: a broker sends each in a write of its own, and reading each by itself
would cost more than all the rest.
"""

from typing import Final

WINDOW_S: Final = 0.1
"""The rate is that of so long."""
FULL_READ_BYTES: Final = 192 * 1024
"""A read of so many bytes is worth its cost at once."""
WORTH_BYTES: Final = 4 * 1024
"""If fewer would gather, waiting only costs time."""


class Gathering:
    """Paces the reads of one connection by the rate at which bytes come."""

    def __init__(self, gather_s: float) -> None:
        self._gather_s: Final = gather_s
        self._since = 0.0
        self._bytes = 0
        self._rate = 0.0

    def read(self, now: float, count: int) -> None:
        """So many bytes were read."""
        self._bytes += count
        passed = now - self._since
        if passed >= WINDOW_S:
            # After a silence the rate is low, whatever came at its end.
            self._rate = self._bytes / passed
            self._since, self._bytes = now, 0

    def rest_s(self, last_read_bytes: int) -> float:
        """How long to leave the connection alone after a read of so many bytes. Unit: seconds."""
        gathers = self._rate * self._gather_s
        if last_read_bytes >= FULL_READ_BYTES or gathers < WORTH_BYTES:
            return 0.0
        return self._gather_s * min(1.0, FULL_READ_BYTES / gathers)
