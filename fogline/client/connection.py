"""The blocking way to the cloud: what :class:`fogline.client.client.Client` sends asks through."""

import os
import threading
import time
from collections.abc import Iterator
from typing import Final, Protocol, TypeVar

import grpc
from google.protobuf.message import Message

from fogline.client import link
from fogline.client.asks import FOLLOWING, Ask, Pages
from fogline.client.containers import Call, serialized
from fogline.client.errors import translated
from fogline.client.find import Place
from fogline.client.trust import Trust, shown, trust
from fogline.v1 import api_pb2

V = TypeVar("V")
M = TypeVar("M", bound=Message)


class Answers(Protocol):
    """The answers of a stream as they come."""

    def __iter__(self) -> Iterator[api_pb2.GetResultsResponse]: ...
    def cancel(self) -> object:
        """End the stream."""
        ...


class Connection:
    """A channel that is made by the first call; threads may share it."""

    def __init__(self, place: Place, *, timeout: float, attempts: int) -> None:
        self._place: Final = place
        self._shown: Final = shown(place)
        self._trust: Trust | None = None
        self.address: Final = place.address
        self.timeout: Final = timeout
        self._attempts: Final = attempts
        self._lock: Final = threading.Lock()
        self._channel: grpc.Channel | None = None
        self._process = 0
        self._closed = False

    def close(self) -> None:
        """End every call."""
        with self._lock:
            self._closed = True
            channel, self._channel = self._channel, None
        # In a forked child the channel is the parent's.
        if channel is not None and self._process == os.getpid():
            channel.close()

    def do(self, ask: Ask[V]) -> V:
        """Ask, and again if that is safe and may help, all within the deadline. Raises :class:`FogError`."""
        give_up = time.monotonic() + self.timeout
        for attempt in link.tries(self._attempts, self.timeout, repeatable=ask.repeatable):
            with attempt, translated(self.address, file=ask.file):
                method = self._open().unary_unary(
                    ask.path,
                    request_serializer=type(ask.request).SerializeToString,
                    response_deserializer=ask.answer.FromString,
                )
                return ask.read(
                    method(ask.request, timeout=link.left(give_up, time.monotonic()), metadata=self._shown)
                )
        raise AssertionError("the last attempt returns or raises")

    def pages(self, pages: Pages[V]) -> Iterator[V]:
        """Yield a list's lines, asking for a page when the one before is used up."""
        token = ""
        while True:
            page = self.do(pages(token))
            yield from page.lines
            if not (token := page.next_token):
                return

    def stream(self, request: api_pb2.GetResultsRequest) -> Answers:
        """Open a stream of changes, without a deadline; gRPC's errors come when it is read."""
        method = self._open().unary_stream(
            FOLLOWING,
            request_serializer=api_pb2.GetResultsRequest.SerializeToString,
            response_deserializer=api_pb2.GetResultsResponse.FromString,
        )
        return method(request, metadata=self._shown)

    def listen(self, method: str, request: Message, answer: type[M]) -> Call[M]:
        """Open a call with many answers, without a deadline; gRPC's errors come when it is read."""
        call = self._open().unary_stream(
            f"/fogline.v1.{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )
        return call(request, metadata=self._shown)

    def converse(self, method: str, requests: Iterator[Message], answer: type[M]) -> Call[M]:
        """The same with many requests; a thread of gRPC takes them."""
        call = self._open().stream_stream(
            f"/fogline.v1.{method}",
            request_serializer=serialized,
            response_deserializer=answer.FromString,
        )
        return call(requests, metadata=self._shown)

    def _open(self) -> grpc.Channel:
        with self._lock:
            if self._closed:
                raise link.closed()
            if self._channel is None:
                self._process = os.getpid()
                self._channel = self._made()
            elif self._process != os.getpid():
                raise link.another_process()
            return self._channel

    def _made(self) -> grpc.Channel:
        self._trust = self._trust or trust(self._place)
        options = (*link.OPTIONS, *self._trust.options)
        if self._trust.credentials is None:
            return grpc.insecure_channel(self.address, options=options)
        return grpc.secure_channel(self.address, self._trust.credentials, options=options)
