"""The receiver's end of ``UplinkService``: the same at aggregator and cloud."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final

import grpc
import structlog

from fogline.intake.sink import PartSink
from fogline.intake.stream import ChildStream
from fogline.model.caller import Caller, Right
from fogline.model.errors import FogError, InvalidInput, NotAllowed, Unavailable
from fogline.model.protocol import SPOKEN, Spoken
from fogline.service.callers import RENEW, caller_of, is_expired, is_revoked, require, require_name
from fogline.v1 import uplink_pb2, uplink_pb2_grpc

MAX_CHILD_NAME_BYTES: Final = 256

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@dataclass(slots=True)
class IntakeCounters:
    """What the intake saw since it was made. Counts only up."""

    streams: int = 0
    parts: int = 0
    bytes: int = 0
    malformed: int = 0
    """Streams that were ended because the child's words made no sense."""
    replaced: int = 0
    """Streams that a newer one of the same child ended."""


class IntakeServicer(uplink_pb2_grpc.UplinkServiceServicer):
    """Greets children and runs one stream for each; the newest stream of a child wins (A7)."""

    def __init__(self, sink: PartSink, *, parent: str, credit_bytes: int, spoken: Spoken = SPOKEN) -> None:
        self._sink: Final = sink
        self._parent: Final = parent
        self._credit: Final = credit_bytes
        self._spoken: Final = spoken
        self._streams: Final[dict[tuple[str, str], ChildStream]] = {}
        self._closed: FogError | None = None
        self.counters: Final = IntakeCounters()

    @property
    def children(self) -> tuple[str, ...]:
        """Names of the children with an open stream."""
        return tuple(sorted({child for _, child in self._streams}))

    def end_streams(self) -> None:
        """Shutdown: let go of the children, who will dial again."""
        self._end_streams(Unavailable("the server stops"))

    def end_revoked(self, revoked: Callable[[str], bool]) -> None:
        """End the streams whose caller's key, or its issuer's, was taken back."""
        for stream in list(self._streams.values()):
            if is_revoked(stream.caller, revoked):
                stream.end(NotAllowed(f"the identity of {stream.child} was revoked"))

    def end_expired(self, now_us: int) -> None:
        """End the streams whose caller's certificate has ended."""
        for stream in list(self._streams.values()):
            if is_expired(stream.caller, now_us):
                stream.end(Unavailable(f"the certificate of {stream.child} has ended", hint=RENEW))

    def close(self, why: FogError) -> None:
        """Send the children elsewhere, and take none until :meth:`reopen`."""
        self._closed = why
        self._end_streams(why)

    def reopen(self) -> None:
        """Take children again."""
        self._closed = None

    def _end_streams(self, why: FogError) -> None:
        for stream in list(self._streams.values()):
            stream.end(why)

    async def Push(  # type: ignore[override]  # noqa: N802 - the contract's name; it writes, it does not yield
        self,
        request_iterator: AsyncIterator[uplink_pb2.PushRequest],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> None:
        """Serve one child until its stream ends."""
        caller = caller_of(context)
        require(caller, Right.PUSH)
        if self._closed is not None:
            raise self._closed
        try:
            hello = await self._greeted(request_iterator)
            require_name(caller, hello.child)
            await self._serve(hello, caller, request_iterator, context)
        except InvalidInput as error:
            self.counters.malformed += 1
            _log.warning("child makes no sense", peer=context.peer(), error=error)
            raise

    async def _serve(
        self,
        hello: uplink_pb2.Hello,
        caller: Caller,
        requests: AsyncIterator[uplink_pb2.PushRequest],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> None:
        child = hello.child
        protocol = self._spoken.greeted(hello.protocol)
        key = (caller.tenant, child)
        stream = ChildStream(
            sink=self._sink, child=child, caller=caller, credit_bytes=self._credit, counters=self.counters
        )
        older = self._streams.get(key)
        self._streams[key] = stream
        if older is not None:
            self.counters.replaced += 1
            await older.replace()
        self.counters.streams += 1
        welcome = uplink_pb2.Welcome(protocol=protocol, credit_bytes=self._credit, parent=self._parent)
        _log.info("child connected", child=child)
        try:
            await context.write(uplink_pb2.PushResponse(welcome=welcome))
            await stream.run(requests, context.write)
        finally:
            if self._streams.get(key) is stream:
                del self._streams[key]
            _log.info("child gone", child=child)

    async def _greeted(self, requests: AsyncIterator[uplink_pb2.PushRequest]) -> uplink_pb2.Hello:
        async with asyncio.timeout(_GREETING_WITHIN):
            first = await anext(requests, None)
        if first is None or first.WhichOneof("kind") != "hello":
            raise InvalidInput("a stream begins with a hello")
        hello = first.hello
        self._spoken.greeted(hello.protocol)
        if not hello.child or len(hello.child.encode()) > MAX_CHILD_NAME_BYTES:
            raise InvalidInput(f"a child's name has 1 to {MAX_CHILD_NAME_BYTES} bytes")
        return hello


_GREETING_WITHIN: Final = 10.0
