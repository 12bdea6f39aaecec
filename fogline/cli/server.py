"""Which server a command means, and the client of it."""

from pathlib import Path

from fogline.client.client import Client


class Server:
    """Which server a command means: ``--server``, ``--dir``, or neither."""

    def __init__(self, address: str | None, directory: Path | None) -> None:
        self._address = address
        self._directory = directory

    def connect(self) -> Client:
        """Find it; the connection itself is made by the first call."""
        return Client(self._address, directory=self._directory)
