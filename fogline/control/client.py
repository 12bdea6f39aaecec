"""The child's end of ``ControlService``: dials out, reports, and hands on desired state."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Final

import grpc
import structlog

from fogline.control.condensing import Condenser
from fogline.control.post import Post
from fogline.control.sessions import ChildSessions
from fogline.control.summing import Summing
from fogline.model.clock import SECOND, Clock
from fogline.model.errors import InvalidInput
from fogline.model.protocol import SPOKEN, Spoken
from fogline.uplink.dial import Dial, channel_to, ending_of, serves
from fogline.uplink.parents import Parents
from fogline.uplink.settings import LinkSettings
from fogline.v1 import control_pb2, control_pb2_grpc

Report = Callable[[], control_pb2.AttachRequest]
"""Makes the newest report: a message of its own each time."""
Accept = Callable[[control_pb2.AttachResponse], Awaitable[object]]
AttachCall = grpc.aio.StreamStreamCall[control_pb2.AttachRequest, control_pb2.AttachResponse]

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class ControlClient:
    """Keeps one control stream open to the first parent that answers, for as long as :meth:`run` runs."""

    def __init__(
        self,
        *,
        parents: Sequence[str],
        report: Report,
        accept: Accept,
        clock: Clock,
        rng: Random,
        every_s: float = 1.0,
        settings: LinkSettings | None = None,
        dial: Dial = channel_to,
        sessions: ChildSessions | None = None,
        post: Post[control_pb2.SessionOutput] | None = None,
        sums: bool = False,
        spoken: Spoken = SPOKEN,
    ) -> None:
        """``report`` makes the newest report; ``accept`` is handed each word of a parent, in order.

        ``sessions`` is handed what is asked of containers, ``post`` has the answers. ``sums``: reports have those of
        their nodes, and a parent that takes them is told only what is new beside them.
        """
        self._sums: Final = sums
        self._spoken: Final = spoken
        self._dial: Final = dial
        self._sessions: Final = sessions
        self._post: Final = post
        self._writing = asyncio.Lock()
        self._head = control_pb2.AttachRequest()
        self._settings: Final = settings or LinkSettings()
        self._parents = Parents(addresses=tuple(parents), tries=self._settings.tries)
        self._report: Final = report
        self._accept: Final = accept
        self._clock: Final = clock
        self._rng: Final = rng
        self._every: Final = every_s
        self._changed: Final = asyncio.Event()
        self._condenses = False
        self._summing: Summing | None = None
        self._attached = False

    @property
    def attached(self) -> bool:
        """Whether a parent has answered on the stream that is open now."""
        return self._attached

    @property
    def parent(self) -> str:
        """Where the parent is that has answered on the stream that is open now; empty: none has."""
        return self._parents.address if self._attached else ""

    def changed(self) -> None:
        """Something in the report changed: send it now and not at the next second."""
        self._changed.set()

    async def run(self) -> None:
        """Attach, again and again, until cancelled."""
        while True:
            started = self._clock.monotonic()
            reason = await self._stream()
            if reason == _RETURN:
                self._parents = self._parents.returned()
                continue
            lasted = self._clock.monotonic() - started
            if self._attached or lasted >= self._settings.settled_after:
                self._parents = self._parents.worked()
            self._attached = False
            if self._parents.attempt == 0:
                _log.warning("control lost", parent=self._parents.address, reason=reason)
            delay = self._settings.backoff.delay(self._parents.attempt, self._rng)
            self._parents = self._parents.failed()
            await self._clock.sleep(delay)

    async def _stream(self) -> str:
        """One stream until its end; the reason."""
        ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._writing = asyncio.Lock()
        self._condenses, self._summing = False, None
        async with self._dial(self._parents.address) as channel, asyncio.TaskGroup() as group:
            call: AttachCall = control_pb2_grpc.ControlServiceStub(channel).Attach()
            tasks = [
                group.create_task(self._tell(call), name="control: report"),
                group.create_task(self._hear(call, ended), name="control: hear desired state"),
                group.create_task(self._await_end(call, ended), name="control: wait for the stream's end"),
                group.create_task(self._return(ended), name="control: look for the preferred parent"),
            ]
            if self._post is not None:
                tasks.append(group.create_task(self._answer(call, self._post), name="control: answer"))
            try:
                reason = await ended
            finally:
                if self._sessions is not None:
                    self._sessions.lost()
            for task in tasks:
                task.cancel()
        return reason

    async def _tell(self, call: AttachCall) -> None:
        condenser = Condenser()
        while True:
            self._changed.clear()
            report = self._report()
            report.protocol = self._spoken.newest
            if self._summing is not None:
                self._summing.condense(report, self._now_us())
            else:
                report.ClearField("sums")
                if self._condenses:
                    condenser.condense(report, self._clock.now_us())
            self._head = control_pb2.AttachRequest(
                protocol=report.protocol, child=report.child, role=report.role
            )
            if not await self._write(call, report):
                return
            await self._next_report()

    async def _answer(self, call: AttachCall, post: Post[control_pb2.SessionOutput]) -> None:
        while outputs := await post.take():
            answer = control_pb2.AttachRequest(output=outputs)
            answer.MergeFrom(self._head)
            if not await self._write(call, answer):
                return

    async def _write(self, call: AttachCall, message: control_pb2.AttachRequest) -> bool:
        """Whether it could be written; why not is told by whoever waits for the end."""
        async with self._writing:
            try:
                await call.write(message)
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
                return False
            return True

    async def _next_report(self) -> None:
        change = asyncio.ensure_future(self._changed.wait())
        second = asyncio.ensure_future(self._clock.sleep(self._every))
        try:
            await asyncio.wait((change, second), return_when=asyncio.FIRST_COMPLETED)
        finally:
            change.cancel()
            second.cancel()

    def _now_us(self) -> int:
        """By a clock that only goes forward."""
        return int(self._clock.monotonic() * SECOND)

    def _agree(self, response: control_pb2.AttachResponse) -> None:
        """Go by what the parent speaks and takes. Raises :class:`InvalidInput`."""
        # Those of the first version did not say it.
        self._spoken.answered(response.protocol or 1)
        self._condenses |= response.takes_unchanged
        if self._sums and response.takes_sums and self._summing is None:
            self._summing = Summing()
        if self._summing is not None and response.HasField("look"):
            self._summing.look(response.look, self._now_us())
            self._changed.set()

    async def _hear(self, call: AttachCall, ended: asyncio.Future[str]) -> None:
        try:
            while (response := await call.read()) is not grpc.aio.EOF:
                assert isinstance(response, control_pb2.AttachResponse)
                try:
                    self._agree(response)
                except InvalidInput as error:
                    if not ended.done():
                        ended.set_result(str(error))
                    return
                if not self._attached:
                    self._attached = True
                    _log.info("control attached", address=self._parents.address)
                await self._accept(response)
                if response.input and self._sessions is not None:
                    self._sessions.hear(response.input)
        except grpc.aio.AioRpcError:
            pass  # the status is told by whoever waits for the end

    async def _await_end(self, call: AttachCall, ended: asyncio.Future[str]) -> None:
        status = await ending_of(call)
        if not ended.done():
            ended.set_result(status)

    async def _return(self, ended: asyncio.Future[str]) -> None:
        if self._parents.is_preferred:
            return
        while True:
            await self._clock.sleep(self._settings.return_every * (0.5 + self._rng.random()))
            preferred, within = self._parents.addresses[0], self._settings.greeting_within
            if await serves(preferred, within=within, dial=self._dial):
                if not ended.done():
                    ended.set_result(_RETURN)
                return


_RETURN: Final = "the preferred parent serves again"
