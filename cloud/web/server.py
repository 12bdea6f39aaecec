"""An HTTP server as one part of a process that has its own loop and its own signals."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any, Final

import structlog
import uvicorn
from starlette.types import ASGIApp

from fogline.service.listen import PortTaken, check_listen

MAX_CONNECTIONS: Final = 1_000
STOP_WITHIN_SECONDS: Final = 1
"""Browsers keep their connections open for as long as they can; they come back by themselves."""
UNREAD_SECONDS: Final = 30.0
"""What was sent and not taken for so long ends the connection: its other end has vanished, or does not read."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class WebServer:
    """Serves one ASGI application, and leaves the process's signals alone."""

    def __init__(
        self, app: ASGIApp, *, listen: str, insecure: bool, unread_s: float = UNREAD_SECONDS, **config: Any
    ) -> None:
        """``config`` goes to uvicorn. Raises :class:`fogline.model.errors.InvalidInput`, :class:`PortTaken`."""
        check_listen(
            listen, insecure=insecure, offers="be told, or overhear, all that is said there, tokens included"
        )
        self._listen: Final = listen
        self._server: Final = _Quiet(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                limit_concurrency=MAX_CONNECTIONS,
                timeout_keep_alive=15,
                timeout_graceful_shutdown=STOP_WITHIN_SECONDS,
                **config,
            )
        )
        self._bound: Final = self._bind(unread_s)

    @property
    def address(self) -> str:
        """Where it listens, as ``host:port``."""
        host, port = self._bound.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    async def run(self, stopping: asyncio.Event) -> None:
        """Serve until told to stop."""
        _log.info("listening", address=self.address)
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(self._server.serve([self._bound]), name="serve HTTP")
            await stopping.wait()
            self._server.should_exit = True
            await serving

    def _bind(self, unread_s: float) -> socket.socket:
        host, _, port = self._listen.rpartition(":")
        host = host.strip("[]")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        bound = socket.socket(family, socket.SOCK_STREAM)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # Connections inherit it: the kernel notices who vanished, and no write needs a clock of its own.
            bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(unread_s * 1000))
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
