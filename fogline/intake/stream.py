"""One child's Push stream at the receiver: lanes, rounds, credit."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, Protocol

import structlog

from fogline.engine.state import PartState
from fogline.intake import rounds
from fogline.intake.sink import PartSink
from fogline.model.caller import Caller
from fogline.model.errors import FogError, InvalidInput
from fogline.model.part import Offsets, Part
from fogline.service.callers import require_origin
from fogline.service.writing import finished
from fogline.v1 import uplink_pb2
from fogline.wire.origins import OriginNumbers
from fogline.wire.part import part_from_wire

MAX_LANES: Final = 10_000
MAX_PLAN_NAME_BYTES: Final = 128
LUMPS: Final = 4
"""With so large a share of its credit free again a child is told at once."""
CREDIT_WITHIN_S: Final = 5.0
"""And of less than that after this time."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

Write = Callable[[uplink_pb2.PushResponse], Awaitable[None]]


class StreamReplaced(FogError):
    """The same child opened a newer stream."""

    code = "stream_replaced"


class Counters(Protocol):
    """What a stream counts for its intake."""

    parts: int
    bytes: int


class _Round:
    """One round of one lane: a :class:`fogline.intake.sink.ChildLane`."""

    def __init__(self, stream: "ChildStream", number: int, plan: str, state: rounds.Rounds) -> None:
        self._stream: Final = stream
        self.number: Final = number
        self.plan: Final = plan
        self.round: Final = state.number
        self.child: Final = stream.child
        self.caller: Final = stream.caller
        self.state = state
        self.parts: Final[asyncio.Queue[tuple[Part[PartState], int] | None]] = asyncio.Queue()
        self.worker: asyncio.Task[None] | None = None

    @property
    def ended(self) -> bool:
        return self.state.ended

    def ack(self, offsets: Offsets, incarnation: bytes) -> None:
        if not self.ended:
            told = self._stream.origins.offsets_to_wire(offsets)
            ack = uplink_pb2.Ack(lane=self.number, round=self.round, offsets=told, incarnation=incarnation)
            self._stream.say(uplink_pb2.PushResponse(ack=ack))

    def refuse(self, offsets: Offsets, incarnation: bytes) -> None:
        if not self.ended:
            told = self._stream.origins.offsets_to_wire(offsets)
            refusal = uplink_pb2.Refusal(
                lane=self.number, round=self.round, offsets=told, incarnation=incarnation
            )
            self._stream.say(uplink_pb2.PushResponse(refusal=refusal))
            self.end()

    def fail(self, reason: str) -> None:
        if not self.ended:
            failed = uplink_pb2.LaneFailed(lane=self.number, round=self.round, reason=reason)
            self._stream.say(uplink_pb2.PushResponse(lane_failed=failed))
            self.end()

    def end(self) -> None:
        """Drop what is buffered and let the worker unwind; a worker that ends its own round just returns."""
        self.state = rounds.refused(self.state)
        while not self.parts.empty():
            buffered = self.parts.get_nowait()
            if buffered is not None:
                self._stream.free(buffered[1])
        self.parts.put_nowait(None)
        if self.worker is not None and self.worker is not asyncio.current_task():
            self.worker.cancel()


class ChildStream:
    """Reads one child's requests, hands its parts to the sink and writes the answers."""

    def __init__(
        self, *, sink: PartSink, child: str, caller: Caller, credit_bytes: int, counters: Counters
    ) -> None:
        self._sink: Final = sink
        self.child: Final = child
        self.caller: Final = caller
        self.origins: Final = OriginNumbers()
        self._credit: Final = credit_bytes
        self._counters: Final = counters
        self._held = 0
        self._freed = 0
        self._rounds: Final[dict[int, _Round]] = {}
        self._outbox: Final[asyncio.Queue[uplink_pb2.PushResponse | None]] = asyncio.Queue()
        self._end: Final[asyncio.Future[FogError | None]] = asyncio.get_running_loop().create_future()
        self._group: Final = asyncio.TaskGroup()
        self._closed: Final = asyncio.Event()
        self._running = False
        self._telling: asyncio.TimerHandle | None = None

    async def run(self, requests: AsyncIterator[uplink_pb2.PushRequest], write: Write) -> None:
        """Serve until the child ends the stream. Raises :class:`FogError` if it must end otherwise."""
        self._running = True
        try:
            async with self._group:
                reader = self._group.create_task(self._read(requests), name="intake: read parts")
                writer = self._group.create_task(self._write(write), name="intake: write answers")
                error = await self._end
                reader.cancel()
                await self._close_lanes()
                self._outbox.put_nowait(None)
                await finished(writer)
        finally:
            self._closed.set()
            if self._telling is not None:
                self._telling.cancel()
        if error is not None:
            raise error

    async def _close_lanes(self) -> None:
        workers = [r.worker for r in self._rounds.values() if r.worker is not None]
        for worker in workers:
            worker.cancel()
        if workers:
            await asyncio.wait(workers)
        self._closed.set()

    async def replace(self) -> None:
        """End this stream because a newer one came; returns when its lanes are closed."""
        self.end(StreamReplaced("a newer stream of the same child was opened"))
        if self._running:
            await self._closed.wait()

    def end(self, error: FogError | None) -> None:
        """End the stream: in good order, or with this error as its status."""
        if not self._end.done():
            self._end.set_result(error)

    def say(self, response: uplink_pb2.PushResponse) -> None:
        """Queue an answer for the child."""
        self._outbox.put_nowait(response)

    def free(self, size: int) -> None:
        """A part's memory is free again. Credit is told in lumps: each message costs both sides the same.

        A child that is not told yet can still send three quarters of the whole; a part that is larger than that
        waits a while at most.
        """
        self._freed += size
        if self._freed >= self._credit // LUMPS:
            self._tell_credit()
        elif self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(CREDIT_WITHIN_S, self._tell_credit)

    def _tell_credit(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        self.say(uplink_pb2.PushResponse(credit=uplink_pb2.Credit(bytes=self._freed)))
        self._held -= self._freed
        self._freed = 0

    async def _write(self, write: Write) -> None:
        while (response := await self._outbox.get()) is not None:
            await write(response)

    async def _read(self, requests: AsyncIterator[uplink_pb2.PushRequest]) -> None:
        try:
            async for request in requests:
                self._heard(request)
        except FogError as error:
            self.end(error)
            return
        workers = [r.worker for r in self._rounds.values() if r.worker is not None]
        for round_ in self._rounds.values():
            round_.parts.put_nowait(None)
        if workers:
            await asyncio.wait(workers)
        self.end(None)

    def _heard(self, request: uplink_pb2.PushRequest) -> None:
        match request.WhichOneof("kind"):
            case "lane_opened":
                self._open(request.lane_opened)
            case "origin_name":
                origin = self.origins.learn(request.origin_name)
                require_origin(self.caller, origin.tenant, origin.node)
            case "part":
                self._take(request.part)
            case "hello":
                raise InvalidInput("a second hello on one stream")
            case _:
                raise InvalidInput("a request that says nothing this server knows")

    def _open(self, opened: uplink_pb2.LaneOpened) -> None:
        before = self._rounds.get(opened.lane)
        if not opened.plan or len(opened.plan.encode()) > MAX_PLAN_NAME_BYTES:
            raise InvalidInput(f"lane {opened.lane}: a plan's name has 1 to {MAX_PLAN_NAME_BYTES} bytes")
        if before is not None and before.plan != opened.plan:
            raise InvalidInput(f"lane {opened.lane} carries {before.plan!r}, and never {opened.plan!r}")
        state = rounds.opened(before.state if before is not None else None, opened.round)
        if before is None and len(self._rounds) >= MAX_LANES:
            raise InvalidInput(f"more than {MAX_LANES} lanes on one stream", hint="open a new stream")
        if before is None:
            before = next((r for r in self._rounds.values() if r.plan == opened.plan and not r.ended), None)
        if before is not None and not before.ended:
            before.end()
        round_ = _Round(self, opened.lane, opened.plan, state)
        self._rounds[opened.lane] = round_
        round_.worker = self._group.create_task(
            self._work(round_, before.worker if before is not None else None),
            name=f"intake: lane {opened.lane} of {self.child}, round {opened.round}",
        )

    def _take(self, message: uplink_pb2.Part) -> None:
        size = message.ByteSize()
        if self._held and self._held + size > self._credit:
            raise InvalidInput(
                f"a part of {size} bytes where {self._credit - self._held} bytes of credit are left"
            )
        self._held += size
        self._counters.parts += 1
        self._counters.bytes += size
        round_ = self._rounds.get(message.lane)
        if round_ is None:
            raise InvalidInput(f"a part of lane {message.lane}, which was not opened")
        if not rounds.accepts(round_.state, message.round):
            self.free(size)
            return
        round_.parts.put_nowait((part_from_wire(message, self.origins), size))

    async def _work(self, round_: _Round, before: asyncio.Task[None] | None) -> None:
        """Hand the parts of one round to the sink, in order, after the former round has left it."""
        if before is not None and not before.done():
            await asyncio.wait((before,))
        opened = False
        try:
            await self._sink.open_lane(round_)
            opened = True
            await self._hand_over(round_)
        except FogError as error:
            _log.warning("lane failed", child=self.child, plan=round_.plan, error=error)
            round_.fail(str(error))
        finally:
            round_.state = rounds.refused(round_.state)
            if opened:
                await self._sink.close_lane(round_)

    async def _hand_over(self, round_: _Round) -> None:
        while not round_.ended and (buffered := await round_.parts.get()) is not None:
            part, size = buffered
            try:
                await self._sink.take(round_, part)
            finally:
                self.free(size)
