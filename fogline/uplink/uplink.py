"""The sender: one Push stream to one parent at a time, and what happens between two streams."""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Final

import grpc
import structlog

from fogline.model.clock import Clock
from fogline.model.errors import InvalidInput
from fogline.model.protocol import SPOKEN, Spoken
from fogline.uplink.dial import Dial, channel_to, ending_of, serves
from fogline.uplink.lanes import LaneSet
from fogline.uplink.parents import Parents
from fogline.uplink.session import LinkCounters, PushCall, Session, StreamEnd
from fogline.uplink.settings import LinkSettings
from fogline.v1 import uplink_pb2, uplink_pb2_grpc

_STATUS_WITHIN_S: Final = 0.25

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Uplink:
    """Pushes the lanes of a set to the first parent that answers, for as long as :meth:`run` runs."""

    def __init__(
        self,
        *,
        parents: Sequence[str],
        child: str,
        lanes: LaneSet,
        clock: Clock,
        rng: Random,
        settings: LinkSettings | None = None,
        spoken: Spoken = SPOKEN,
        dial: Dial = channel_to,
    ) -> None:
        self._dial: Final = dial
        self._settings: Final = settings or LinkSettings()
        self._parents = Parents(addresses=tuple(parents), tries=self._settings.tries)
        self._child: Final = child
        self._spoken: Final = spoken
        self.lanes: Final = lanes
        self._clock: Final = clock
        self._rng: Final = rng
        self._silences = 0
        self._session: Session | None = None
        self._stopping: Final = asyncio.Event()
        self._parent = ""
        self.counters: Final = LinkCounters()
        self.faults: Final[dict[str, str]] = {}
        """Plans whose lane the parent does not take or the lane itself cannot give, and why, in words."""

    @property
    def parent(self) -> str:
        """Name of the parent that the stream is open to; empty while there is none."""
        return self._parent

    @property
    def address(self) -> str:
        """The parent that is dialled or connected."""
        return self._parents.address

    @property
    def silent_s(self) -> float:
        """Seconds for which a part has waited for an answer; 0 if none does."""
        return self._session.silent_s if self._session is not None else 0.0

    def stop(self) -> None:
        """End the stream in good order: :meth:`run` returns after the answers, or a short while."""
        self._stopping.set()
        if self._session is not None:
            self._session.drain()

    async def run(self) -> None:
        """Open streams, one after another, until :meth:`stop` or cancelled."""
        while not self._stopping.is_set():
            started = self._clock.monotonic()
            end = await self._stream()
            if self._stopping.is_set():
                return
            lasted = self._clock.monotonic() - started
            await self._after(end, lasted)

    async def _after(self, end: StreamEnd, lasted: float) -> None:
        """Choose the next parent and wait."""
        self._silences = self._silences + 1 if end.silent else 0
        address = self._parents.address
        if end.reason == _RETURN:
            self._parents = self._parents.returned()
            self.counters.moves += 1
            return
        useful = not end.silent and (end.answered or lasted >= self._settings.settled_after)
        if useful:
            self._parents = self._parents.worked()
        if self._parents.attempt == 0:
            _log.warning("uplink lost", parent=address, reason=end.reason)
        delay = self._settings.backoff.delay(self._parents.attempt, self._rng)
        self._parents = self._parents.failed()
        if self._parents.address != address:
            self.counters.moves += 1
            _log.warning("uplink moves on", parent=self._parents.address, reason=end.reason)
        await self._pause(delay)

    async def _pause(self, seconds: float) -> None:
        stop = asyncio.ensure_future(self._stopping.wait())
        sleep = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait((stop, sleep), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            sleep.cancel()

    async def _stream(self) -> StreamEnd:
        async with self._dial(self._parents.address) as channel:
            call: PushCall = uplink_pb2_grpc.UplinkServiceStub(channel).Push()
            greeted = await self._greet(call)
            if isinstance(greeted, StreamEnd):
                return greeted
            self.counters.streams += 1
            self._parent = greeted.parent
            _log.info("uplink open", parent=greeted.parent, address=self._parents.address)
            try:
                return await self._carry(call, greeted)
            finally:
                self._parent = ""
                self._session = None

    async def _greet(self, call: PushCall) -> uplink_pb2.Welcome | StreamEnd:
        async with asyncio.TaskGroup() as group:
            greeting = group.create_task(self._greeting(call), name="uplink: greet")
            ending = group.create_task(ending_of(call), name="uplink: wait for the stream's end")
            await asyncio.wait(
                (greeting, ending),
                timeout=self._settings.greeting_within,
                return_when=asyncio.FIRST_COMPLETED,
            )
            answer = greeting.result() if greeting.done() else None
            if greeting.done() and answer is None:
                # The stream has ended; its status says why, and may come a little later.
                await asyncio.wait((ending,), timeout=_STATUS_WITHIN_S)
            reason = f"no greeting within {self._settings.greeting_within:g} s"
            if ending.done():
                reason = ending.result()
            elif greeting.done():
                reason = "the parent did not greet"
            greeting.cancel()
            ending.cancel()
        if answer is not None and answer.WhichOneof("kind") == "welcome":
            try:
                self._spoken.answered(answer.welcome.protocol)
            except InvalidInput as error:
                reason = str(error)
            else:
                return answer.welcome
        call.cancel()
        return StreamEnd(reason=reason)

    async def _greeting(self, call: PushCall) -> uplink_pb2.PushResponse | None:
        hello = uplink_pb2.Hello(protocol=self._spoken.newest, child=self._child)
        try:
            await call.write(uplink_pb2.PushRequest(hello=hello))
            answer = await call.read()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            return None
        return answer if isinstance(answer, uplink_pb2.PushResponse) else None

    async def _carry(self, call: PushCall, welcome: uplink_pb2.Welcome) -> StreamEnd:
        within = min(
            self._settings.answer_within * float(1 << min(self._silences, 30)),
            self._settings.answer_within_cap,
        )
        session = Session(
            call,
            welcome,
            lanes=self.lanes,
            answer_within=within,
            settings=self._settings,
            clock=self._clock,
            rng=self._rng,
            counters=self.counters,
            faults=self.faults,
        )
        self._session = session
        if self._stopping.is_set():
            session.drain()
        async with asyncio.TaskGroup() as group:
            returning = group.create_task(self._return(session), name="uplink: look for the preferred parent")
            end = await session.run()
            if returning.done() and not returning.cancelled():
                end = StreamEnd(reason=_RETURN)
            returning.cancel()
        return end

    async def _return(self, session: Session) -> None:
        """Wait until the preferred parent serves again, and drain the stream to the other one."""
        preferred = self._parents.addresses[0]
        if self._parents.is_preferred:
            await asyncio.Event().wait()
        while True:
            await self._clock.sleep(self._settings.return_every * (0.5 + self._rng.random()))
            if await serves(preferred, within=self._settings.greeting_within, dial=self._dial):
                _log.info("uplink returns", parent=preferred)
                session.drain()
                return


_RETURN: Final = "the preferred parent serves again"
