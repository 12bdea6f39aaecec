"""Both ends of ``AdmissionFeedService``: who may join comes down to aggregators, what they have issued goes up."""
# ruff: noqa: N802 - methods are named by the contract

import asyncio
from collections.abc import AsyncIterator, Sequence
from random import Random
from typing import Any, Final, Protocol

import grpc
import structlog

from fogline.identity.admission import AdmissionList
from fogline.identity.names import AGGREGATOR
from fogline.model.caller import Caller
from fogline.model.clock import Clock
from fogline.model.errors import FogError, NotAllowed, Unavailable
from fogline.service.callers import RENEW, caller_of, is_expired, is_revoked
from fogline.service.server import Server
from fogline.service.writing import finished
from fogline.uplink.backoff import Backoff
from fogline.uplink.dial import Dial, ending_of
from fogline.v1 import enrol_pb2, enrol_pb2_grpc

Call = grpc.aio.StreamStreamCall[enrol_pb2.FollowRequest, enrol_pb2.FollowResponse]

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Source(Protocol):
    """What a parent knows of who may join."""

    @property
    def admission(self) -> AdmissionList:
        """The newest list."""
        ...

    async def heard(self, enrolments: Sequence[enrol_pb2.Enrolment], caller: Caller) -> list[str]:
        """Keep what an aggregator has issued; the serial numbers of what is kept, also of what was before."""
        ...


class Book(Protocol):
    """What an aggregator has issued."""

    @property
    def unheard(self) -> Sequence[enrol_pb2.Enrolment]:
        """What no parent has heard of."""
        ...

    async def changed(self) -> None:
        """Wait until there is more of it."""
        ...

    async def strike(self, serials: Sequence[str]) -> None:
        """A parent keeps these."""
        ...

    async def accept(self, signed: enrol_pb2.SignedAdmission) -> None:
        """Take the parent's list, if the CA signed it and it is newer."""
        ...


class FeedServicer(enrol_pb2_grpc.AdmissionFeedServiceServicer):
    """Serves the aggregators below."""

    def __init__(self, source: Source) -> None:
        self._source: Final = source
        self._streams: Final[set[_Followed]] = set()

    async def Follow(  # type: ignore[override] # it writes, it does not yield
        self,
        request_iterator: AsyncIterator[enrol_pb2.FollowRequest],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> None:
        """Serve one aggregator until its stream ends."""
        caller = caller_of(context)
        if caller.role != AGGREGATOR:
            raise NotAllowed("only aggregators are told who may join")
        stream = _Followed(self._source, caller)
        self._streams.add(stream)
        try:
            await stream.run(request_iterator, context)
        finally:
            self._streams.discard(stream)

    def end_streams(self) -> None:
        """Shutdown: the aggregators dial again."""
        for stream in list(self._streams):
            stream.end(Unavailable("the server stops"))

    def end_revoked(self) -> None:
        """Keys were taken back: end what is open by them."""
        for stream in list(self._streams):
            if is_revoked(stream.caller, self._source.admission.revoked):
                stream.end(NotAllowed(f"the identity of {stream.caller.name} was revoked"))

    def end_expired(self, now_us: int) -> None:
        """End what is open by a certificate that has ended."""
        for stream in list(self._streams):
            if is_expired(stream.caller, now_us):
                why = f"the certificate of {stream.caller.name} has ended"
                stream.end(Unavailable(why, hint=RENEW))


class _Followed:
    def __init__(self, source: Source, caller: Caller) -> None:
        self._source: Final = source
        self.caller: Final = caller
        self._outbox: Final[asyncio.Queue[enrol_pb2.FollowResponse | None]] = asyncio.Queue()
        self._end: Final[asyncio.Future[FogError | None]] = asyncio.get_running_loop().create_future()

    def end(self, error: FogError | None) -> None:
        if not self._end.done():
            self._end.set_result(error)

    async def run(
        self,
        requests: AsyncIterator[enrol_pb2.FollowRequest],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> None:
        async with asyncio.TaskGroup() as group:
            hearing = group.create_task(self._hear(requests), name="admission: hear what was issued")
            following = group.create_task(self._follow(), name="admission: follow the list")
            writing = group.create_task(self._write(context), name="admission: write")
            error = await self._end
            hearing.cancel()
            following.cancel()
            self._outbox.put_nowait(None)
            await finished(writing)
        if error is not None:
            raise error

    async def _hear(self, requests: AsyncIterator[enrol_pb2.FollowRequest]) -> None:
        try:
            async for request in requests:
                serials = await self._source.heard(request.enrolments, self.caller)
                if serials:
                    self._outbox.put_nowait(enrol_pb2.FollowResponse(heard=serials))
        except FogError as error:
            self.end(error)
        else:
            self.end(None)

    async def _follow(self) -> None:
        version = -1
        while True:
            signed = await self._source.admission.newer_than(version)
            version = int(self._source.admission.content.version)
            self._outbox.put_nowait(enrol_pb2.FollowResponse(admission=signed))

    async def _write(self, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        while (response := await self._outbox.get()) is not None:
            await context.write(response)


def add_feed(server: Server, servicer: FeedServicer) -> None:
    """Serve it on a server."""
    server.add(
        "fogline.v1.AdmissionFeedService",
        lambda grpc_server: enrol_pb2_grpc.add_AdmissionFeedServiceServicer_to_server(servicer, grpc_server),
        end=servicer.end_streams,
    )


class Feed:
    """The aggregator's end: one stream to the first parent that answers, for as long as :meth:`run` runs."""

    def __init__(
        self, parents: Sequence[str], book: Book, *, dial: Dial, clock: Clock, rng: Random, backoff: Backoff
    ) -> None:
        self._parents: Final = tuple(parents)
        self._book: Final = book
        self._dial: Final = dial
        self._clock: Final = clock
        self._rng: Final = rng
        self._backoff: Final = backoff

    async def run(self) -> None:
        """Follow, again and again, until cancelled."""
        failures = 0
        while True:
            for address in self._parents:
                if await self._stream(address):
                    failures = 0
            await self._clock.sleep(self._backoff.delay(failures, self._rng))
            failures += 1

    async def _stream(self, address: str) -> bool:
        """One stream until its end; whether the parent has said anything."""
        async with self._dial(address) as channel, asyncio.TaskGroup() as group:
            call: Call = enrol_pb2_grpc.AdmissionFeedServiceStub(channel).Follow()
            telling = group.create_task(self._tell(call), name="admission: tell what was issued")
            hearing = group.create_task(self._hear(call), name="admission: hear the list")
            # Not awaited itself: a call that is being opened takes a cancellation of its reader for its own, and says
            # only that it failed. It would be lost here.
            await asyncio.wait((hearing,))
            telling.cancel()
            _log.debug("admission feed ended", parent=address, reason=await ending_of(call))
        return hearing.result()

    async def _tell(self, call: Call) -> None:
        try:
            while True:
                # Also without anything to tell: it opens the stream.
                await call.write(enrol_pb2.FollowRequest(enrolments=self._book.unheard))
                await self._book.changed()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            return  # the status is told by whoever hears

    async def _hear(self, call: Call) -> bool:
        said = False
        try:
            while (response := await call.read()) is not grpc.aio.EOF:
                assert isinstance(response, enrol_pb2.FollowResponse)
                said = True
                if response.heard:
                    await self._book.strike(response.heard)
                if response.HasField("admission"):
                    await self._book.accept(response.admission)
        except grpc.aio.AioRpcError:
            pass  # the stream has ended
        return said
