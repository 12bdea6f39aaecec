"""One replica's stream: dialled, greeted, fed, read, until it ends for whatever reason."""

import asyncio
from pathlib import Path
from typing import Any, Final, Protocol

import grpc
import structlog

from fogline.model.words import plain
from fogline.v1 import operator_pb2
from fogline.wire.batch import SPOKEN, MalformedBatch
from fogline.wire.response import response_from_wire

Call = grpc.aio.StreamStreamCall[operator_pb2.ProcessRequest, bytes]

PROCESS: Final = "/fogline.v1.OperatorService/Process"

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class BadAnswer(Exception):
    """The replica broke the protocol; the message says how."""


class Owner(Protocol):
    """Whose replica it is."""

    def link_up(self, link: "Link", greeting: operator_pb2.OperatorGreeting) -> None:
        """The replica takes batches. Raises :class:`BadAnswer`."""
        ...

    def link_said(self, link: "Link", message: operator_pb2.ProcessResponse) -> None:
        """An answer came. Raises :class:`BadAnswer`."""
        ...

    def link_ended(self, link: "Link", event: str, reason: str) -> None:
        """The stream is over, and nobody here has ended it."""
        ...


class Link:
    """From the node to one replica."""

    def __init__(
        self,
        replica: int,
        socket: Path,
        owner: Owner,
        *,
        greeting: operator_pb2.NodeGreeting,
        greeting_within: float,
    ) -> None:
        self.replica: Final = replica
        self.columns: tuple[str, ...] = ()
        """Columns that the operator wants; empty: all."""
        self._socket: Final = socket
        self._owner: Final = owner
        self._greeting: Final = greeting
        self._greeting_within: Final = greeting_within
        self._outbox: Final[asyncio.Queue[operator_pb2.OperatorBatch]] = asyncio.Queue()
        self._ending: Final[asyncio.Future[tuple[str, str]]] = asyncio.get_running_loop().create_future()
        self.is_over = False

    def send(self, batch: operator_pb2.OperatorBatch) -> None:
        """Send a batch as soon as the replica reads."""
        self._outbox.put_nowait(batch)

    def close(self) -> None:
        """End the stream; the owner knows why."""
        self.is_over = True
        if not self._ending.done():
            self._ending.set_result(("", ""))

    async def run(self) -> None:
        """Carry batches and answers until the stream ends or is closed."""
        work = asyncio.ensure_future(self._work())
        try:
            await asyncio.wait((work, self._ending), return_when=asyncio.FIRST_COMPLETED)
        finally:
            work.cancel()
            await asyncio.wait((work,))
        if not self.is_over and not work.cancelled():
            self.is_over = True
            event, reason = work.result()
            self._owner.link_ended(self, event, reason)

    async def _work(self) -> tuple[str, str]:
        """What ended the stream: event and reason."""
        greeted = False
        async with grpc.aio.insecure_channel(f"unix:{self._socket}", options=self._options()) as channel:
            # Not the generated stub: gRPC would swallow bytes that cannot be parsed, and we look at them before.
            write = operator_pb2.ProcessRequest.SerializeToString
            dialled: Any = channel.stream_stream(PROCESS, request_serializer=write)(wait_for_ready=True)
            call: Call = dialled
            try:
                async with asyncio.timeout(self._greeting_within):
                    await self._greet(call)
                greeted = True
                await self._carry(call)
            except TimeoutError:
                return "not_started", f"no greeting within {self._greeting_within:g} s"
            except BadAnswer as error:
                return "bad_answer", plain(str(error))
            except MalformedBatch as error:
                return "bad_answer", plain(error.message)
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
                return await self._status(call, greeted=greeted)
            finally:
                call.cancel()
        return await self._status(call, greeted=greeted)

    async def _greet(self, call: Call) -> None:
        await call.write(operator_pb2.ProcessRequest(greeting=self._greeting))
        raw = await call.read()
        if not isinstance(raw, bytes):
            raise asyncio.InvalidStateError
        answer = response_from_wire(raw)
        if answer.WhichOneof("kind") != "greeting":
            raise BadAnswer("the first message is no greeting")
        if not SPOKEN.oldest <= answer.greeting.protocol <= SPOKEN.newest:
            raise BadAnswer(f"protocol {answer.greeting.protocol}, the node speaks {SPOKEN}")
        known = {column.name for column in self._greeting.input}
        if len(answer.greeting.columns) > len(known):
            raise BadAnswer(f"{len(answer.greeting.columns)} columns are wanted of {len(known)}")
        for name in answer.greeting.columns:
            if name not in known:
                raise BadAnswer(f"column {name[:80]!r} is wanted, which the step's source has not")
        self.columns = tuple(dict.fromkeys(answer.greeting.columns))
        self._owner.link_up(self, answer.greeting)

    async def _carry(self, call: Call) -> None:
        writer = asyncio.ensure_future(self._write(call))
        try:
            while isinstance(raw := await call.read(), bytes):
                message = response_from_wire(raw)
                if message.WhichOneof("kind") not in ("rows", "error"):
                    raise BadAnswer("a message that is no answer")
                self._owner.link_said(self, message)
        finally:
            writer.cancel()
            await asyncio.wait((writer,))

    async def _write(self, call: Call) -> None:
        while True:
            batch = await self._outbox.get()
            try:
                await call.write(operator_pb2.ProcessRequest(batch=batch))
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
                return  # the reader learns why

    async def _status(self, call: Call, *, greeted: bool) -> tuple[str, str]:
        code, details = await call.code(), plain(await call.details() or "")
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return "bad_answer", f"an answer is too large: {details}"
        if code is grpc.StatusCode.FAILED_PRECONDITION:
            return "not_started", details
        if code is grpc.StatusCode.OK:
            return "exited", "the operator ended the stream"
        return ("exited" if greeted else "not_started"), f"{code.name.lower()}: {details}"

    def _options(self) -> tuple[tuple[str, int | str], ...]:
        return (
            ("grpc.max_send_message_length", -1),
            ("grpc.max_receive_message_length", int(self._greeting.message_bytes)),
            ("grpc.initial_reconnect_backoff_ms", 50),
            ("grpc.min_reconnect_backoff_ms", 50),
            ("grpc.max_reconnect_backoff_ms", 500),
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.enable_http_proxy", 0),
            # Servers of some languages do not take a socket's path for an authority.
            ("grpc.default_authority", "localhost"),
        )
