"""One Push stream of a child, from its greeting to its end."""

import asyncio
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import grpc
import structlog

from fogline.model.clock import Clock
from fogline.model.errors import FogError, MalformedPart, TooLarge
from fogline.uplink.credit import Credit
from fogline.uplink.dial import MAX_MESSAGE_BYTES, ending_of
from fogline.uplink.lanes import Lane, LaneSet
from fogline.uplink.settings import LinkSettings
from fogline.uplink.unanswered import Unanswered
from fogline.v1 import uplink_pb2
from fogline.wire.origins import OriginNumbers
from fogline.wire.part import part_to_wire

PushCall = grpc.aio.StreamStreamCall[uplink_pb2.PushRequest, uplink_pb2.PushResponse]

LARGEST: Final = MAX_MESSAGE_BYTES - 1024
"""Bytes of a part."""
_READ_OUT_S: Final = 0.25
"""How long answers that came before the stream's end may take to be read."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@dataclass(slots=True)
class LinkCounters:
    """What an uplink did since it was made. Counts only up."""

    parts: int = 0
    bytes: int = 0
    refusals: int = 0
    streams: int = 0
    """Streams whose greeting was answered."""
    moves: int = 0
    """Changes to another parent."""
    failures: int = 0
    """Rounds of lanes that failed."""
    credit_wait_s: float = 0.0
    """Time in which a part waited for the parent's credit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEnd:
    """Why a stream ended."""

    reason: str
    silent: bool = False
    """The parent did not answer in time (N8)."""
    answered: bool = False
    """There was an answer to some part."""


@dataclass(slots=True, eq=False)
class _OpenLane:
    lane: Lane
    number: int
    round: int = 0
    unanswered: Unanswered = field(default_factory=Unanswered)
    pump: asyncio.Task[None] | None = None
    failures: int = 0
    """Rounds in a row that ended without an answer."""


@dataclass(frozen=True, slots=True)
class _Item:
    message: uplink_pb2.PushRequest
    open_lane: _OpenLane | None = None
    round: int = 0
    size: int = 0


class Session:
    """Sends what the lanes give out, within the credit, and hands them the answers."""

    def __init__(
        self,
        call: PushCall,
        welcome: uplink_pb2.Welcome,
        *,
        lanes: LaneSet,
        answer_within: float,
        settings: LinkSettings,
        clock: Clock,
        rng: Random,
        counters: LinkCounters,
        faults: dict[str, str],
    ) -> None:
        self._call: Final = call
        self._lanes: Final = lanes
        self._answer_within: Final = answer_within
        self._settings: Final = settings
        self._clock: Final = clock
        self._rng: Final = rng
        self._counters: Final = counters
        self.faults: Final = faults
        self._credit: Final = Credit(welcome.credit_bytes)
        self._origins: Final = OriginNumbers()
        self._outbox: Final[asyncio.Queue[_Item | None]] = asyncio.Queue()
        self._open: Final[dict[int, _OpenLane]] = {}
        self._opened = 0
        self._answered = False
        self._heard_at = clock.monotonic()
        self._end: Final[asyncio.Future[StreamEnd]] = asyncio.get_running_loop().create_future()
        self._draining: Final = asyncio.Event()
        self._group: Final = asyncio.TaskGroup()

    @property
    def silent_s(self) -> float:
        """Seconds that the lane which waits longest has waited for an answer; 0 if nothing is in flight."""
        now = self._clock.monotonic()
        return max((o.unanswered.silent_for(now) for o in self._open.values()), default=0.0)

    def drain(self) -> None:
        """Send nothing new, wait a short while for the answers to what is in flight, then end the stream."""
        self._draining.set()

    async def run(self) -> StreamEnd:
        """Carry the lanes until the stream ends, and say why it did. Cancelling it cuts the stream."""
        try:
            return await self._run()
        finally:
            for open_lane in self._open.values():
                open_lane.lane.closed()

    async def _run(self) -> StreamEnd:
        async with self._group as group:
            reader = group.create_task(self._read(), name="uplink: read answers")
            tasks = [
                reader,
                group.create_task(self._await_end(reader), name="uplink: wait for the stream's end"),
                group.create_task(self._write(), name="uplink: write parts"),
                group.create_task(self._watch(), name="uplink: watch for silence"),
                group.create_task(self._follow(), name="uplink: follow the lanes"),
            ]
            end = await self._end
            for task in (*tasks, *(o.pump for o in self._open.values() if o.pump is not None)):
                task.cancel()
        return end

    def _ends(self, reason: str, *, silent: bool = False) -> None:
        if not self._end.done():
            self._end.set_result(StreamEnd(reason=reason, silent=silent, answered=self._answered))

    # --- lanes

    async def _follow(self) -> None:
        """Open what was added to the set and close what left it, until draining."""
        draining = asyncio.ensure_future(self._draining.wait())
        try:
            while not self._draining.is_set():
                await self._next_change(draining)
        finally:
            draining.cancel()
        await self._finish()

    async def _next_change(self, draining: asyncio.Future[Any]) -> None:
        change = asyncio.ensure_future(self._lanes.change().wait())
        try:
            self._compare()
            await asyncio.wait((change, draining), return_when=asyncio.FIRST_COMPLETED)
        finally:
            change.cancel()

    def _compare(self) -> None:
        wanted = {id(lane): lane for lane in self._lanes}
        for open_lane in list(self._open.values()):
            if wanted.pop(id(open_lane.lane), None) is None:
                del self._open[open_lane.number]
                self.faults.pop(open_lane.lane.plan, None)
                self._stop(open_lane)
        for lane in wanted.values():
            open_lane = _OpenLane(lane=lane, number=self._opened)
            self._opened += 1
            self._open[open_lane.number] = open_lane
            self._start(open_lane)

    def _start(self, open_lane: _OpenLane, *, after_s: float = 0.0) -> None:
        before = open_lane.pump
        name = f"uplink: lane of {open_lane.lane.plan}, round {open_lane.round}"
        pump = self._pump(open_lane, open_lane.round, before, after_s)
        open_lane.pump = self._group.create_task(pump, name=name)

    def _stop(self, open_lane: _OpenLane) -> None:
        open_lane.unanswered.forget()
        if open_lane.pump is not None:
            open_lane.pump.cancel()

    def _next_round(self, open_lane: _OpenLane, *, after_s: float = 0.0) -> None:
        self._stop(open_lane)
        open_lane.round += 1
        if not self._draining.is_set():
            self._start(open_lane, after_s=after_s)

    def _fail(self, open_lane: _OpenLane, reason: str) -> None:
        """End the lane's round as a broken stream would, and begin the next after a while."""
        if open_lane.failures == 0:
            _log.warning("lane failed", plan=open_lane.lane.plan, reason=reason)
        self.faults[open_lane.lane.plan] = reason
        self._counters.failures += 1
        delay = self._settings.backoff.delay(open_lane.failures, self._rng)
        open_lane.failures += 1
        self._next_round(open_lane, after_s=delay)

    async def _finish(self) -> None:
        for open_lane in self._open.values():
            if open_lane.pump is not None:
                open_lane.pump.cancel()
        self._outbox.put_nowait(None)
        await self._clock.sleep(self._settings.drain_within)
        self._ends("drained")

    # --- up

    async def _pump(
        self, open_lane: _OpenLane, round_: int, before: asyncio.Task[None] | None, after_s: float
    ) -> None:
        """Give one round of a lane to the stream."""
        if before is not None and not before.done():
            # The former round's `next_part` must have unwound before the lane hears of the next round.
            await asyncio.wait((before,))
        if after_s:
            await self._clock.sleep(after_s)
        lane = open_lane.lane
        lane.opened(round_)
        opened = uplink_pb2.LaneOpened(lane=open_lane.number, plan=lane.plan, round=round_)
        self._outbox.put_nowait(_Item(uplink_pb2.PushRequest(lane_opened=opened)))
        try:
            while True:
                await self._send_next(open_lane, round_)
        except FogError as error:
            self._fail(open_lane, str(error))

    async def _send_next(self, open_lane: _OpenLane, round_: int) -> None:
        part = await open_lane.lane.next_part()
        for name in self._origins.name(c.origin for c in part.contributions):
            self._outbox.put_nowait(_Item(uplink_pb2.PushRequest(origin_name=name)))
        message = part_to_wire(part, self._origins, lane=open_lane.number, round_=round_)
        size = message.ByteSize()
        if size > LARGEST:
            # It would end the stream, and with that every other plan's, again and again.
            raise TooLarge(f"a part of {size:,} bytes does not fit into one message of {LARGEST:,}")
        began = self._clock.monotonic()
        await self._credit.spend(size)
        now = self._clock.monotonic()
        self._counters.credit_wait_s += now - began
        open_lane.unanswered.sent(part.contributions, now)
        self._outbox.put_nowait(_Item(uplink_pb2.PushRequest(part=message), open_lane, round_, size))

    async def _write(self) -> None:
        """The only writer: a write that is cancelled would cancel the call."""
        while (item := await self._outbox.get()) is not None:
            if item.open_lane is not None and item.open_lane.round != item.round:
                self._credit.give(item.size)
                continue
            try:
                await self._call.write(item.message)
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
                return  # the status is told by whoever waits for the end
            if item.size:
                self._counters.parts += 1
                self._counters.bytes += item.size
        await self._call.done_writing()

    # --- down

    async def _read(self) -> None:
        try:
            while (message := await self._call.read()) is not grpc.aio.EOF:
                assert isinstance(message, uplink_pb2.PushResponse)
                self._heard(message)
        except grpc.aio.AioRpcError:
            pass  # the status is told by whoever waits for the end
        except MalformedPart as error:
            self._ends(f"the parent's answer makes no sense: {error}")

    async def _await_end(self, reader: asyncio.Task[None]) -> None:
        status = await ending_of(self._call)
        await asyncio.wait((reader,), timeout=_READ_OUT_S)
        self._ends(status)

    def _heard(self, message: uplink_pb2.PushResponse) -> None:
        match message.WhichOneof("kind"):
            case "ack":
                self._answer(message.ack, refused=False)
            case "refusal":
                self._answer(message.refusal, refused=True)
            case "credit":
                self._credit.give(message.credit.bytes)
            case "lane_failed":
                self._lane_failed(message.lane_failed)
            case _:
                pass  # a newer parent may say more than this program knows

    def _answer(self, answer: uplink_pb2.Ack | uplink_pb2.Refusal, *, refused: bool) -> None:
        open_lane = self._open.get(answer.lane)
        if open_lane is None:
            return
        self._answered = True
        self._heard_at = self._clock.monotonic()
        open_lane.failures = 0
        self.faults.pop(open_lane.lane.plan, None)
        offsets = self._origins.offsets_from_wire(answer.offsets)
        open_lane.unanswered.told(offsets, self._heard_at)
        if refused and answer.round == open_lane.round:
            self._counters.refusals += 1
            open_lane.lane.refused(offsets, answer.incarnation)
            self._next_round(open_lane)
        else:
            open_lane.lane.answered(offsets, answer.incarnation)

    def _lane_failed(self, failed: uplink_pb2.LaneFailed) -> None:
        self._heard_at = self._clock.monotonic()
        open_lane = self._open.get(failed.lane)
        if open_lane is not None and failed.round == open_lane.round:
            self._fail(open_lane, failed.reason)

    async def _watch(self) -> None:
        """N8: no answer for long although something is in flight.

        A parent that answers nobody is left; if only some lanes are silent they begin a new round.
        """
        while True:
            await self._clock.sleep(self._answer_within / 4)
            now = self._clock.monotonic()
            silent = [
                lane
                for lane in self._open.values()
                if lane.unanswered.silent_for(now) >= self._patience(lane)
            ]
            reason = f"no answer for {self._answer_within:g} s"
            if silent and now - self._heard_at >= self._answer_within:
                self._ends(reason, silent=True)
                return
            for open_lane in silent:
                self._fail(open_lane, reason)

    def _patience(self, open_lane: _OpenLane) -> float:
        doubled = self._answer_within * float(1 << min(open_lane.failures, 30))
        return min(doubled, max(self._answer_within, self._settings.answer_within_cap))
