"""Containers on nodes: which there are, what they write, what they use; and commands in them."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from typing import Final

from google.protobuf.message import DecodeError

from cloud.api.pages import page_of, page_size
from cloud.api.tokens import Tokens
from cloud.board import Board
from cloud.catalog import Catalog
from cloud.store.store import Store
from cloud.visits.finding import Finder, Found
from cloud.visits.visits import Told, Visits
from fogline.control.sessions import EXEC, LOGS, MAX_COMMAND_BYTES, MAX_TAIL, TOP
from fogline.control.switchboard import Switchboard
from fogline.model.caller import Caller, Right
from fogline.model.clock import Clock
from fogline.model.errors import DataLoss, FogError, InvalidInput, PageTokenExpired, Unavailable
from fogline.service.callers import require
from fogline.v1 import containers_pb2, control_pb2

MAX_FOLLOWED: Final = 32
"""Containers whose logs one call reads."""
USAGE_SECONDS: Final = 1.0
LENGTH_BYTES: Final = 4
MAX_SAMPLE_BYTES: Final = 4 * 1024**2


class Containers:
    """Operators' replicas and services, wherever they run."""

    def __init__(
        self, store: Store, catalog: Catalog, board: Board, sessions: Switchboard, clock: Clock
    ) -> None:
        self._store: Final = store
        self._board: Final = board
        self._finder: Final = Finder(catalog, board)
        self._sessions: Final = sessions
        self._clock: Final = clock
        self._open: Final[set[Visits]] = set()

    def end_streams(self) -> None:
        """Shutdown: let go of everybody."""
        for visits in self._open:
            visits.fail(Unavailable("the server stops"))

    async def page(
        self, caller: Caller, request: containers_pb2.ListContainersRequest
    ) -> containers_pb2.ListContainersResponse:
        """Containers by node, pipeline, kind, name and replica. Raises :class:`fogline.model.errors.NotFound`."""
        require(caller, Right.READ)
        page, token = page_of(
            self._finder.all(caller.tenant, pipeline=request.pipeline, node=request.node),
            lambda found: found.order,
            size=page_size(request.page_size),
            token=request.page_token,
            tokens=self._tokens("containers", caller, request.pipeline, request.node),
        )
        return containers_pb2.ListContainersResponse(
            containers=[found.to_wire() for found in page], next_page_token=token
        )

    async def events(
        self, caller: Caller, request: containers_pb2.ListEventsRequest
    ) -> containers_pb2.ListEventsResponse:
        """What happened to containers, the oldest first. Raises :class:`fogline.model.errors.NotFound`."""
        require(caller, Right.READ)
        page, token = page_of(
            self._finder.events(caller.tenant, pipeline=request.pipeline, node=request.node),
            lambda happened: happened.order,
            size=page_size(request.page_size),
            token=request.page_token,
            tokens=self._tokens("events", caller, request.pipeline, request.node),
        )
        return containers_pb2.ListEventsResponse(
            events=[happened.to_wire() for happened in page], next_page_token=token
        )

    async def logs(
        self, caller: Caller, request: containers_pb2.GetLogsRequest
    ) -> AsyncGenerator[containers_pb2.GetLogsResponse, None]:
        """What containers write, as it comes from each.

        Raises what keeps the only one from being read; of several the others go on.
        """
        require(caller, Right.READ)
        if request.tail > MAX_TAIL:
            raise InvalidInput(f"{request.tail} lines are too many", hint=f"at most {MAX_TAIL}")
        found = self._finder.several(caller.tenant, request)
        if len(found) > MAX_FOLLOWED:
            raise InvalidInput(
                f"{len(found)} containers are too many to read at once",
                hint=f"at most {MAX_FOLLOWED}: name a step, a node or a replica",
            )
        with self._visits(caller) as visits:
            for one in found:
                ask = one.ask(LOGS, name_of(caller))
                ask.follow, ask.tail = request.follow, request.tail
                self._try(visits, one, ask)
            left = len(found)
            while left:
                told = await visits.next()
                left -= told.ended
                if told.error is not None and len(found) == 1:
                    raise told.error
                if told.error is not None or told.data or told.dropped:
                    yield _log(found[told.place], told)

    async def execute(
        self, caller: Caller, requests: AsyncIterator[containers_pb2.ExecRequest]
    ) -> AsyncGenerator[containers_pb2.ExecResponse, None]:
        """Run a command; the first request says which. What comes last says how it ended."""
        require(caller, Right.EXEC)
        first = await anext(requests, None)
        if first is None or not first.HasField("ask"):
            raise InvalidInput("the first request says what to run")
        command = first.ask.command
        if not command or not command[0] or sum(map(len, command)) > MAX_COMMAND_BYTES:
            raise InvalidInput(f"a command has a program, and at most {MAX_COMMAND_BYTES} bytes in all")
        found = self._finder.one(caller.tenant, first.ask)
        ask = found.ask(EXEC, name_of(caller))
        ask.command.extend(command)
        with self._visits(caller) as visits:
            visit = visits.open(found.node, ask)

            async def feed() -> None:
                try:
                    request: containers_pb2.ExecRequest | None = first
                    while request is not None and not request.end:
                        await visit.give(request.data)
                        request = await anext(requests, None)
                    if request is not None:
                        await visit.give(request.data)
                    visit.end_input()
                except FogError as error:
                    visits.fail(error)

            feeding = asyncio.ensure_future(feed())
            try:
                while not (told := await visits.next()).ended:
                    yield containers_pb2.ExecResponse(channel=told.channel, data=told.data)
                if told.error is not None:
                    raise told.error
                yield containers_pb2.ExecResponse(
                    ended=containers_pb2.ExecEnded(exit_code=told.exit_code or 0)
                )
            finally:
                feeding.cancel()
                with suppress(asyncio.CancelledError):
                    await feeding

    async def usage(
        self, caller: Caller, request: containers_pb2.GetUsageRequest
    ) -> AsyncGenerator[containers_pb2.GetUsageResponse, None]:
        """What containers use: of one node measured now, of all as they last reported."""
        require(caller, Right.READ)
        if request.node:
            self._finder.node(caller.tenant, request.node)
            async for report in self._measured(caller, request):
                yield self._usage(caller, [report])
            return
        while True:
            words = (word for word in self._board.nodes(caller.tenant) if self._board.is_alive(word))
            yield self._usage(caller, [word.report for word in words])
            if not request.follow:
                return
            await self._clock.sleep(USAGE_SECONDS)

    async def _measured(
        self, caller: Caller, request: containers_pb2.GetUsageRequest
    ) -> AsyncGenerator[control_pb2.NodeReport, None]:
        ask = control_pb2.SessionAsk(what=TOP, follow=request.follow, caller=name_of(caller))
        with self._visits(caller) as visits:
            visits.open(request.node, ask)
            came = bytearray()
            while not (told := await visits.next()).ended:
                came += told.data
                while len(came) >= LENGTH_BYTES:
                    end = LENGTH_BYTES + int.from_bytes(came[:LENGTH_BYTES], "little")
                    if end > MAX_SAMPLE_BYTES:
                        raise DataLoss(f"node {request.node} says what is no usage")
                    if len(came) < end:
                        break
                    yield _sample(request.node, bytes(came[LENGTH_BYTES:end]))
                    del came[:end]
            if told.error is not None:
                raise told.error

    def _usage(
        self, caller: Caller, reports: list[control_pb2.NodeReport]
    ) -> containers_pb2.GetUsageResponse:
        return containers_pb2.GetUsageResponse(
            nodes=[
                containers_pb2.NodeUsage(
                    node=report.node,
                    at_us=report.at_us,
                    capacity=report.capacity,
                    containers=[
                        found.to_wire() for found in self._finder.of(caller.tenant, report, alive=True)
                    ],
                )
                for report in reports
            ]
        )

    @staticmethod
    def _try(visits: Visits, one: Found, ask: control_pb2.SessionAsk) -> None:
        """Look into one of several; that it cannot be asked is told in its turn."""
        place = visits.count
        try:
            visits.open(one.node, ask)
        except FogError as error:
            visits.tell(Told(place=place, error=error))

    def _tokens(self, what: str, caller: Caller, pipeline: str, node: str) -> Tokens:
        question = (what, caller.tenant, pipeline, node)
        return Tokens(incarnation=self._store.incarnation, question=question, expired=PageTokenExpired)

    def _visits(self, caller: Caller) -> Visits:
        return Visits(self._sessions, caller.tenant, self._open)


def _sample(node: str, raw: bytes) -> control_pb2.NodeReport:
    try:
        report = control_pb2.NodeReport.FromString(raw)
    except DecodeError as error:
        raise DataLoss(f"node {node} says what is no usage") from error
    report.node = node
    return report


def _log(found: Found, told: Told) -> containers_pb2.GetLogsResponse:
    error = told.error
    return containers_pb2.GetLogsResponse(
        node=found.node,
        kind=found.report.kind,
        name=found.report.name,
        replica=found.report.replica,
        channel=told.channel,
        data=told.data,
        dropped=told.dropped,
        fault="" if error is None else str(error),
    )


def name_of(caller: Caller) -> str:
    """Who asks, for a node's audit."""
    return (
        f"{caller.role} {caller.name} of {caller.tenant}".strip()
        if caller.name
        else f"tenant {caller.tenant}"
    )
