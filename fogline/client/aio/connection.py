"""The way to the cloud on an event loop: what the AsyncClient sends asks through."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from typing import Any, Final, TypeVar

import grpc.aio
from google.protobuf.message import Message

from fogline.client import link
from fogline.client.asks import FOLLOWING, Ask, Pages
from fogline.client.containers import serialized
from fogline.client.errors import translated
from fogline.client.find import Place
from fogline.client.trust import Trust, shown, trust
from fogline.v1 import api_pb2

V = TypeVar("V")
M = TypeVar("M", bound=Message)
Call = grpc.aio.UnaryStreamCall[Any, api_pb2.GetResultsResponse]


class AsyncConnection:
    """A channel that is made by the first call, on the loop of that call; its tasks may share it."""

    def __init__(self, place: Place, *, timeout: float, attempts: int) -> None:
        self._place: Final = place
        self._shown: Final = shown(place)
        self._trust: Trust | None = None
        self.address: Final = place.address
        self.timeout: Final = timeout
        self._attempts: Final = attempts
        self._channel: grpc.aio.Channel | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = 0
        self.closed = False
        """No further call is possible, and those that were open have ended."""

    async def close(self) -> None:
        """End every call."""
        self.closed = True
        channel, self._channel = self._channel, None
        if channel is not None and self._process == os.getpid():
            await channel.close()

    async def ready(self) -> None:
        """Find out how the channel is opened, without blocking the loop; before anything is opened."""
        if self._trust is None:
            self._trust = await asyncio.to_thread(trust, self._place)

    async def do(self, ask: Ask[V]) -> V:
        """Ask, and again if that is safe and may help, all within the deadline. Raises :class:`FogError`."""
        give_up = time.monotonic() + self.timeout
        async for attempt in link.tries(self._attempts, self.timeout, repeatable=ask.repeatable):
            with attempt, translated(self.address, file=ask.file):
                await self.ready()
                method = self._open().unary_unary(
                    ask.path,
                    request_serializer=type(ask.request).SerializeToString,
                    response_deserializer=ask.answer.FromString,
                )
                try:
                    left = link.left(give_up, time.monotonic())
                    return ask.read(await method(ask.request, timeout=left, metadata=self._shown))
                except asyncio.CancelledError:
                    self.check_cancelled()
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def pages(self, pages: Pages[V]) -> AsyncIterator[V]:
        """Yield a list's lines, asking for a page when the one before is used up."""
        token = ""
        while True:
            page = await self.do(pages(token))
            for line in page.lines:
                yield line
            if not (token := page.next_token):
                return

    def stream(self, request: api_pb2.GetResultsRequest) -> Call:
        """Open a stream of changes, without a deadline; gRPC's errors come when it is read."""
        method = self._open().unary_stream(
            FOLLOWING,
            request_serializer=api_pb2.GetResultsRequest.SerializeToString,
            response_deserializer=api_pb2.GetResultsResponse.FromString,
        )
        return method(request, metadata=self._shown)

    def listen(self, method: str, request: Message, answer: type[M]) -> "grpc.aio.UnaryStreamCall[Any, M]":
        """Open a call with many answers, without a deadline; gRPC's errors come when it is read."""
        call = self._open().unary_stream(
            f"/fogline.v1.{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )
        return call(request, metadata=self._shown)

    def converse(
        self, method: str, requests: AsyncIterator[Message], answer: type[M]
    ) -> "grpc.aio.StreamStreamCall[Any, M]":
        """The same with many requests; gRPC takes them as it may send them."""
        call = self._open().stream_stream(
            f"/fogline.v1.{method}",
            request_serializer=serialized,
            response_deserializer=answer.FromString,
        )
        return call(requests, metadata=self._shown)

    def check_cancelled(self) -> None:
        """Raise that the client is closed if that is what cancelled a call, and not whoever runs this task."""
        task = asyncio.current_task()
        if self.closed and (task is None or not task.cancelling()):
            raise link.closed() from None

    def _open(self) -> grpc.aio.Channel:
        if self.closed:
            raise link.closed()
        if self._channel is None:
            self._loop, self._process = asyncio.get_running_loop(), os.getpid()
            self._channel = self._made()
        elif self._process != os.getpid():
            raise link.another_process()
        elif self._loop is not asyncio.get_running_loop():
            raise link.another_loop()
        return self._channel

    def _made(self) -> grpc.aio.Channel:
        assert self._trust is not None, "whoever opens has waited for ready()"
        options = (*link.OPTIONS, *self._trust.options)
        if self._trust.credentials is None:
            return grpc.aio.insecure_channel(self.address, options=options)
        return grpc.aio.secure_channel(self.address, self._trust.credentials, options=options)
