"""A real mosquitto on a free port of loopback, with the configuration of ``deploy/``: to be killed and started
again.
"""

import asyncio
import getpass
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

CONFIGURATION: Final = Path(__file__).parents[2] / "deploy" / "mosquitto" / "mosquitto.conf"
PATIENCE_S: Final = 30.0
TRY_EVERY_S: Final = 0.02
ITS_OWN: Final = ("listener", "persistence_location", "user")
"""Settings that a test machine must have its own values for."""


class Mosquitto:
    """The broker, as a context manager. ``extra`` lines replace those of the configuration with the same name."""

    def __init__(self, folder: Path, *extra: str, tls: Sequence[str] = ()) -> None:
        """``folder`` holds its configuration and what it persists; ``tls`` are lines for its listener."""
        self._folder: Final = folder
        self._extra: Final = extra
        self._tls: Final = tls
        self._process: asyncio.subprocess.Process | None = None
        self.port: Final = _free_port()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{'mqtts' if self._tls else 'mqtt'}://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._configure)
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.kill()

    def _configure(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        extra = [line.split()[0] for line in self._extra]
        lines = [
            line
            for line in CONFIGURATION.read_text(encoding="utf-8").splitlines()
            if line and not line.startswith("#") and line.split()[0] not in (*ITS_OWN, *extra)
        ]
        # As root mosquitto would become a user who may not write here.
        own = [f"user {getpass.getuser()}", f"persistence_location {self._folder}/"]
        listener = [f"listener {self.port} 127.0.0.1", *self._tls]
        text = "\n".join([*own, *lines, *self._extra, *listener])
        (self._folder / "mosquitto.conf").write_text(text + "\n", encoding="utf-8")

    async def start(self) -> None:
        """Start it, on the same port and with what it persisted, and wait until it takes connections."""
        self._process = await asyncio.create_subprocess_exec(
            "mosquitto",
            "-c",
            str(self._folder / "mosquitto.conf"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, "PATH": f"/usr/sbin:{os.environ['PATH']}"},
        )
        async with asyncio.timeout(PATIENCE_S):
            while not await self._answers():
                assert self._process.returncode is None, "mosquitto did not start"
                await asyncio.sleep(TRY_EVERY_S)

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.transport.abort()
        return True

    async def kill(self) -> None:
        """Kill -9: what was not persisted is gone."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def stop(self) -> None:
        """Ask it to end; it persists everything first."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
