"""The skeleton of every tier's gRPC server: health, reflection, where it listens, how it stops."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

import grpc
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection

from fogline.service.calls import Calls, CallsInterceptor
from fogline.service.doors import Door, OpenDoor
from fogline.service.edge import Edge
from fogline.service.listen import PortTaken, check_listen
from fogline.uplink.dial import KEEPALIVE_ANSWER_MS, KEEPALIVE_MS, MAX_MESSAGE_BYTES, Option

SERVER_OPTIONS: Final[tuple[Option, ...]] = (
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", KEEPALIVE_MS),
    # A ping that got no answer ends the connection by this one; gRPC alone would wait a minute.
    ("grpc.http2.ping_timeout_ms", KEEPALIVE_ANSWER_MS),
    ("grpc.http2.max_pings_without_data", 0),
    # Children ping every KEEPALIVE_MS also while nothing is sent; half of it leaves room for jitter.
    ("grpc.http2.min_ping_interval_without_data_ms", KEEPALIVE_MS // 2),
    # A port that is taken must be said, not shared.
    ("grpc.so_reuseport", 0),
)

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Server:
    """A gRPC server as an async context manager: entering starts it, leaving stops it in good order."""

    def __init__(
        self,
        *,
        listen: str,
        insecure: bool = False,
        grace_s: float = 2.0,
        door: Door | None = None,
        calls: Calls | None = None,
        request_bytes: int = MAX_MESSAGE_BYTES,
    ) -> None:
        """``door``: who may come in, everybody if there is none; ``calls``: counts those of several servers;
        ``request_bytes``: the largest message that is taken.
        """
        self._door: Final = door or OpenDoor()
        check_listen(listen, insecure=insecure, encrypted=self._door.encrypted)
        self._listen: Final = listen
        self._grace: Final = grace_s
        self._health: Final = HealthServicer()
        self.edge: Final = Edge(door=self._door)
        self.calls: Final = calls or Calls()
        counting = CallsInterceptor(self.calls)
        options = (*SERVER_OPTIONS, ("grpc.max_receive_message_length", request_bytes))
        self._server: Final = grpc.aio.server(interceptors=(counting, self.edge), options=options)
        self._names: Final[list[str]] = []
        self._ends: Final[list[Callable[[], None]]] = []
        self._port = 0
        self.started: Final = asyncio.Event()
        """Set when the port is bound and calls are taken."""

    @property
    def port(self) -> int:
        """The port that was bound; differs from the settings if those said 0."""
        return self._port

    @property
    def address(self) -> str:
        """Where this server listens, as ``host:port``."""
        return f"{self._listen.rpartition(':')[0]}:{self._port}"

    def add(
        self,
        service: str,
        register: Callable[[grpc.aio.Server], None],
        *,
        end: Callable[[], None] | None = None,
    ) -> None:
        """Serve one more service, by its full name; ``end`` is called at shutdown to end its streams."""
        register(self._server)
        self._names.append(service)
        if end is not None:
            self._ends.append(end)

    async def __aenter__(self) -> Self:
        await self.bind()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        health = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
        reflection.enable_server_reflection((*self._names, health, reflection.SERVICE_NAME), self._server)
        await self._server.start()
        await self.says_serving(serving=True)
        self.started.set()
        _log.info("listening", address=self.address)
        return self

    async def bind(self) -> None:
        """Take the port before anything is served on it: others can be told. Raises :class:`PortTaken`."""
        if self._port:
            return
        try:
            self._port = self._bound()
        except RuntimeError as error:
            raise PortTaken(
                f"cannot listen on {self._listen}", hint="is another process on this port?"
            ) from error

    def _bound(self) -> int:
        credentials = self._door.credentials()
        if credentials is None:
            return self._server.add_insecure_port(self._listen)
        return self._server.add_secure_port(self._listen, credentials)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def says_serving(self, *, serving: bool) -> None:
        """What health checks are told from now on; calls are taken all the same."""
        answer = health_pb2.HealthCheckResponse
        for name in ("", *self._names):
            await self._health.set(name, answer.SERVING if serving else answer.NOT_SERVING)

    async def retire(self) -> None:
        """Say NOT_SERVING from now on, so that nobody new comes; all calls go on."""
        await self._health.enter_graceful_shutdown()

    async def stop(self) -> None:
        """Say NOT_SERVING first, end the streams, then stop; calls longer than the grace are cut."""
        await self.retire()
        for end in self._ends:
            end()
        await self._server.stop(self._grace)
