"""Serves the pages over HTTP, as part of a process that has its own loop and its own signals."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Final

import structlog
import uvicorn
from starlette.types import ASGIApp

from fogline.service.listen import PortTaken, check_listen

STOP_WITHIN_SECONDS: Final = 1
"""Browsers keep their websockets open for as long as they can; they come back by themselves."""
MAX_CONNECTIONS: Final = 1_000

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class DashboardServer:
    """An HTTP server that leaves the process's signals alone."""

    def __init__(self, app: ASGIApp, *, listen: str, insecure: bool) -> None:
        check_listen(listen, insecure=insecure)
        self._listen: Final = listen
        self._server: Final = _Quiet(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="on",
                server_header=False,
                limit_concurrency=MAX_CONNECTIONS,
                ws_max_size=1024 * 1024,
                timeout_keep_alive=15,
                timeout_graceful_shutdown=STOP_WITHIN_SECONDS,
            )
        )
        self._bound: Final = self._bind()

    @property
    def address(self) -> str:
        """Where the pages are, as ``host:port``."""
        host, port = self._bound.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    async def run(self, stopping: asyncio.Event) -> None:
        """Serve until told to stop."""
        _log.info("listening", address=self.address)
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(self._server.serve([self._bound]), name="serve pages")
            await stopping.wait()
            self._server.should_exit = True
            await serving

    def _bind(self) -> socket.socket:
        """Raises :class:`PortTaken`."""
        host, _, port = self._listen.rpartition(":")
        host = host.strip("[]")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        bound = socket.socket(family, socket.SOCK_STREAM)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((host, int(port)))
        except OSError as error:
            bound.close()
            raise PortTaken(
                f"cannot listen on {self._listen}", hint="is another process on this port?"
            ) from error
        return bound


class _Quiet(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The process has one place that listens to signals, and it is not here."""
        yield
