"""The parent's end of ``ControlService``: desired state down, reports up."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Final, Protocol, TypeVar

import grpc
import structlog

from fogline.control.condensing import Expander
from fogline.control.desired import Desired
from fogline.control.newest import Newest
from fogline.control.post import Post
from fogline.control.sessions import POST_BYTES, ParentSessions, size_of
from fogline.model.caller import Caller, Right
from fogline.model.errors import FogError, InvalidInput, NotAllowed, Unavailable
from fogline.model.protocol import SPOKEN, Spoken
from fogline.service.callers import RENEW, caller_of, is_expired, is_revoked, require, require_name
from fogline.service.writing import finished
from fogline.v1 import control_pb2, control_pb2_grpc

ROLES: Final = ("node", "aggregator")
WAYS_EVERY_S: Final = 5.0
"""Of a child that says sums it is worked out so often which nodes are reached through it, if none came or went."""

T = TypeVar("T")

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class ControlHub(Protocol):
    """What a parent knows and wants to hear. Called on the event loop."""

    @property
    def desired(self) -> Desired:
        """What every node of the group shall run."""
        ...

    @property
    def assignments(self) -> Newest[control_pb2.SignedAssignments]:
        """Where and how many of it, for the children of this parent alone."""
        ...

    @property
    def looks(self) -> Newest[control_pb2.Look] | None:
        """Which nodes somebody looks at; None: this parent takes no sums, and is told everything."""
        ...

    def reported(self, request: control_pb2.AttachRequest, caller: Caller) -> None:
        """A child's newest word about everything at or below it; with sums, about what is new of it."""
        ...

    def left(self, child: str) -> None:
        """The child's control stream has ended."""
        ...


class ControlServicer(control_pb2_grpc.ControlServiceServicer):
    """Serves children: each gets the newest desired state at once and whenever it changes, as the cloud signed it."""

    def __init__(
        self, hub: ControlHub, sessions: ParentSessions | None = None, *, spoken: Spoken = SPOKEN
    ) -> None:
        """``sessions``: who is told of sessions with containers; without one there are none."""
        self._hub: Final = hub
        self.sessions: Final = sessions
        self.spoken: Final = spoken
        self._streams: Final[dict[str, _Attached]] = {}
        self._closed: FogError | None = None

    def end_streams(self) -> None:
        """Shutdown: let go of the children, who will dial again."""
        self._end_streams(Unavailable("the server stops"))

    def end_revoked(self, revoked: Callable[[str], bool]) -> None:
        """End the streams whose caller's key, or its issuer's, was taken back."""
        for child, stream in list(self._streams.items()):
            if is_revoked(stream.caller, revoked):
                stream.end(NotAllowed(f"the identity of {child} was revoked"))

    def end_expired(self, now_us: int) -> None:
        """End the streams whose caller's certificate has ended."""
        for child, stream in list(self._streams.items()):
            if is_expired(stream.caller, now_us):
                stream.end(Unavailable(f"the certificate of {child} has ended", hint=RENEW))

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

    async def Attach(  # type: ignore[override]  # noqa: N802 - the contract's name; it writes, not yields
        self,
        request_iterator: AsyncIterator[control_pb2.AttachRequest],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> None:
        """Serve one child until its stream ends."""
        caller = caller_of(context)
        require(caller, Right.ATTACH)
        if self._closed is not None:
            raise self._closed
        stream = _Attached(self, self._hub, caller)
        await stream.run(request_iterator, context)

    def attach(self, child: str, stream: "_Attached") -> None:
        """The first word of a child: its newest stream wins."""
        older = self._streams.get(child)
        self._streams[child] = stream
        if older is None:
            _log.info("child attached", child=child)
        else:
            older.end(Unavailable("a newer control stream of the same child was opened"))
            self._no_sessions(child)

    def detach(self, child: str, stream: "_Attached") -> None:
        """The stream has ended."""
        if self._streams.get(child) is stream:
            del self._streams[child]
            _log.info("child detached", child=child)
            self._no_sessions(child)
            self._hub.left(child)

    def _no_sessions(self, child: str) -> None:
        if self.sessions is not None:
            self.sessions.left(child)


class _Attached:
    def __init__(self, servicer: ControlServicer, hub: ControlHub, caller: Caller) -> None:
        self._servicer: Final = servicer
        self._hub: Final = hub
        self.caller: Final = caller
        self._child = ""
        self._protocol = 0
        self._ways = 0
        self._ways_until = 0.0
        self._greeted: Final = asyncio.Event()
        self._known: Final = Expander()
        self._writing: Final = asyncio.Lock()
        self._post: Final[Post[control_pb2.SessionInput]] = Post(most_bytes=POST_BYTES, size=size_of)
        self._end: Final[asyncio.Future[FogError | None]] = asyncio.get_running_loop().create_future()

    def end(self, error: FogError | None) -> None:
        if not self._end.done():
            self._end.set_result(error)

    async def run(
        self,
        requests: AsyncIterator[control_pb2.AttachRequest],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                hearing = group.create_task(self._hear(requests), name="control: hear reports")
                telling = group.create_task(self._tell(context), name="control: tell desired state")
                asking = group.create_task(self._ask(context), name="control: ask of containers")
                error = await self._end
                hearing.cancel()
                await finished(telling)
                await finished(asking)
        finally:
            if self._child:
                self._servicer.detach(self._child, self)
        if error is not None:
            raise error

    async def _hear(self, requests: AsyncIterator[control_pb2.AttachRequest]) -> None:
        try:
            async for request in requests:
                self._check(request)
                if not self._child:
                    self._child = request.child
                    self._servicer.attach(request.child, self)
                    self._greeted.set()
                self._pass_on(request)
        except FogError as error:
            self.end(error)
        else:
            self.end(None)

    def _pass_on(self, request: control_pb2.AttachRequest) -> None:
        sessions = self._servicer.sessions
        if request.output:
            if sessions is not None:
                sessions.answered(self._child, request.output)
            if not (request.nodes or request.aggregators or request.unchanged):
                return  # it reports nothing, and takes back nothing that was reported
        self._known.expand(request)
        self._hub.reported(request, self.caller)
        if sessions is not None and self._ways_are_due(request):
            sessions.reached(self._child, self.caller.tenant, self._known.nodes, self._post.put)

    def _ways_are_due(self, request: control_pb2.AttachRequest) -> bool:
        """Whether to say anew which nodes are below: when others are, and now and then, as a node that came back from
        another child may never have been missed here.
        """
        now, nodes = asyncio.get_running_loop().time(), len(self._known.nodes)
        steady = request.HasField("sums") and not request.left and nodes == self._ways
        if steady and now < self._ways_until:
            return False
        self._ways, self._ways_until = nodes, now + WAYS_EVERY_S
        return True

    async def _ask(self, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        while (inputs := await self._unless_ended(self._post.take())) is not None:
            async with self._writing:
                await context.write(control_pb2.AttachResponse(input=inputs, protocol=self._protocol))

    async def _unless_ended(self, what: Coroutine[Any, Any, T]) -> T | None:
        """What comes; None when the stream ends first."""
        coming = asyncio.ensure_future(what)
        try:
            await asyncio.wait((coming, self._end), return_when=asyncio.FIRST_COMPLETED)
            return None if self._end.done() else coming.result()
        finally:
            coming.cancel()

    def _check(self, request: control_pb2.AttachRequest) -> None:
        self._protocol = self._servicer.spoken.greeted(request.protocol)
        if request.role not in ROLES:
            raise InvalidInput(f"{request.role!r} is no role; a child is one of {', '.join(ROLES)}")
        if not request.child or (self._child and request.child != self._child):
            raise InvalidInput("a control stream bears one child's name")
        require_name(self.caller, request.child, role=request.role)
        for report in request.nodes:
            if not self.caller.speaks_for(report.node):
                raise NotAllowed(f"node {self.caller.name} may not report of node {report.node}")

    async def _tell(self, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        # Whoever is refused for what it says first is told nothing.
        if not await self._newer(self._greeted.wait()):
            return
        desired, assignments, looks = self._hub.desired, self._hub.assignments, self._hub.looks
        told = assigned = 0
        looked = 0 if looks is None else looks.number  # nobody waits for an answer to older ones
        news = [] if looks is None else [looks]
        while await self._newer(
            desired.to_tell(told), assignments.after(assigned), *(look.after(looked) for look in news)
        ):
            response = control_pb2.AttachResponse()
            if desired.number > told and desired.word is not None and desired.word.signed is not None:
                response = desired.word.told()
            if assignments.number > assigned and assignments.value is not None:
                response.assignments.CopyFrom(assignments.value)
            if looks is not None and looks.number > looked and looks.value is not None:
                response.look.CopyFrom(looks.value)
                looked = looks.number
            told, assigned = desired.number, assignments.number
            response.takes_unchanged, response.takes_sums = True, looks is not None
            response.protocol = self._protocol
            async with self._writing:
                await context.write(response)

    async def _newer(self, *waits: Coroutine[Any, Any, Any]) -> bool:
        """Wait until there is news to tell; False when the stream ends first."""
        news: list[asyncio.Future[Any]] = [asyncio.ensure_future(wait) for wait in waits]
        try:
            await asyncio.wait((*news, self._end), return_when=asyncio.FIRST_COMPLETED)
            return not self._end.done()
        finally:
            for one in news:
                one.cancel()
