"""``/metrics`` over HTTP, on the tier's own event loop.

The library's own server takes a thread for each request, waits for slow clients for ever, and would read a tier's
state from outside its event loop. This one reads the state on the loop, where nothing can change meanwhile, makes
the text in a thread, and gives nobody more than a few seconds and a few connections.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

import structlog

from fogline.service.exposition import encode
from fogline.service.listen import PortTaken, check_listen, is_loopback
from fogline.service.metrics import Admit, Kind, Metric, Snapshot, Source

PATH: Final = "/metrics"
MOST_CONNECTIONS: Final = 16
"""At once; more are closed unanswered."""
MOST_HEAD_BYTES: Final = 8 * 1024
REQUEST_WITHIN_S: Final = 5.0
"""From the connection to the request's last byte."""
ANSWER_WITHIN_S: Final = 10.0
"""From the request to the answer's last byte."""

BUILD = Metric(
    name="fogline_build_info",
    kind=Kind.GAUGE,
    help="Always 1; the labels say what runs here.",
    labels=("tier", "name", "version"),
)
SCRAPES = Metric(
    name="fogline_metrics_scrapes_total",
    kind=Kind.COUNTER,
    help="Scrapes that were answered.",
)
ERRORS = Metric(
    name="fogline_metrics_errors_total",
    kind=Kind.COUNTER,
    help="Times that a source of metrics could not be read; its metrics were missing then.",
    labels=("source",),
)

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class MetricsServer:
    """An async context manager: inside it the port is open."""

    def __init__(
        self,
        listen: str,
        *,
        insecure: bool,
        identity: tuple[str, str, str],
        sources: Mapping[str, Source],
        admit: Admit | None = None,
    ) -> None:
        """``identity``: tier, name and version; ``sources`` by name; ``admit`` is asked about who comes from elsewhere.

        Raises InvalidInput for an address that others can reach, without ``admit`` and ``insecure``.
        """
        # What a token opens, it opens for whoever overhears it: the metrics, and nothing else.
        check_listen(
            listen, insecure=insecure, offers="read this tier's metrics", encrypted=admit is not None
        )
        self._admit: Final = admit
        self._host, _, port = listen.rpartition(":")
        self._port = int(port)
        self._identity: Final = identity
        self._sources: Final = sources
        self._requests: Final[set[asyncio.Task[None]]] = set()
        self._turn: Final = asyncio.Lock()
        self._server: asyncio.Server | None = None
        self._scrapes = 0
        self._errors: Final[Counter[str]] = Counter()
        self._failing: Final[set[str]] = set()

    @property
    def address(self) -> str:
        """Where it listens, as ``host:port``."""
        return f"{self._host}:{self._port}"

    async def __aenter__(self) -> Self:
        try:
            self._server = await asyncio.start_server(
                self._serve, self._host.strip("[]"), self._port, limit=MOST_HEAD_BYTES
            )
        except OSError as error:
            raise PortTaken(
                f"cannot listen on {self.address}: {error.strerror}",
                hint="is another process on this port?",
            ) from error
        self._port = self._server.sockets[0].getsockname()[1]
        _log.info("metrics", url=f"http://{self.address}{PATH}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for request in self._requests:
            request.cancel()
        if self._requests:
            await asyncio.wait(self._requests)

    def snapshot(self) -> Snapshot:
        """Everything that there is to say now. A source that fails is left out, and counted."""
        whole = Snapshot()
        whole.add(BUILD, 1, *self._identity)
        for name, source in self._sources.items():
            part = Snapshot()
            try:
                source(part)
            except Exception:  # noqa: BLE001 - logged with its traceback, and counted
                # The edge to code that reads everything: a mistake in it must not cost more than its metrics.
                self._errors[name] += 1
                if name not in self._failing:
                    self._failing.add(name)
                    _log.exception("metrics cannot be read", source=name)
            else:
                self._failing.discard(name)
                whole.take(part)
            whole.add(ERRORS, self._errors[name], name)
        self._scrapes += 1
        whole.add(SCRAPES, self._scrapes)
        return whole

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._requests) >= MOST_CONNECTIONS:
            writer.transport.abort()
            return
        self._requests.add(task)
        try:
            await self._talk(reader, writer)
        except asyncio.CancelledError:
            return  # only leaving the context cancels it, and waits for it
        except (TimeoutError, OSError, EOFError, asyncio.LimitOverrunError):
            pass  # slow, gone or no HTTP: nothing is owed
        finally:
            self._requests.discard(task)
            writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(REQUEST_WITHIN_S):
            head = await reader.readuntil(b"\r\n\r\n")
        async with asyncio.timeout(ANSWER_WITHIN_S):
            # No byte may be left in our buffer when `drain` returns, since the connection is cut then.
            writer.transport.set_write_buffer_limits(0)
            host, port = writer.get_extra_info("peername")[:2]
            peer = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            writer.write(await self._answer(head.decode("latin-1"), peer))
            await writer.drain()
            writer.write_eof()
            while await reader.read(MOST_HEAD_BYTES):
                pass

    async def _answer(self, head: str, peer: str) -> bytes:
        line, *lines = head.split("\r\n")
        words = line.split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            return _response("400 Bad Request", b"this is no HTTP/1.1\n")
        method, target, _ = words
        if target.partition("?")[0] != PATH:
            return _response("404 Not Found", b"only /metrics is here\n")
        if method not in {"GET", "HEAD"}:
            return _response("405 Method Not Allowed", b"", "Allow: GET, HEAD\r\n")
        if not await self._lets_in(_header(lines, "authorization"), peer):
            return _response(
                "401 Unauthorized",
                b"from another machine this needs an API token with the right metrics\n",
                'WWW-Authenticate: Bearer realm="fogline"\r\n',
            )
        accept = _header(lines, "accept")
        async with self._turn:  # one text at a time is enough, however many ask
            try:
                body, content_type = await asyncio.to_thread(encode, self.snapshot(), accept)
            except Exception:  # noqa: BLE001 - logged with its traceback, and answered
                # The edge to a library that is handed foreign words.
                _log.exception("metrics cannot be encoded")
                return _response("500 Internal Server Error", b"see the log\n")
        return _response("200 OK", body, content_type=content_type, shown=method == "GET")

    async def _lets_in(self, authorization: str, peer: str) -> bool:
        if self._admit is None or is_loopback(peer):
            return True
        return await self._admit(authorization, peer.rpartition(":")[0].strip("[]"))


def _header(lines: list[str], wanted: str) -> str:
    named = (text.partition(":") for text in lines)
    return ",".join(value.strip() for name, _, value in named if name.lower() == wanted)


def _response(
    status: str,
    body: bytes,
    more: str = "",
    *,
    content_type: str = "text/plain; charset=utf-8",
    shown: bool = True,
) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
        f"{more}Connection: close\r\n\r\n"
    )
    return head.encode("latin-1") + (body if shown else b"")
