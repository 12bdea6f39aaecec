"""What people and programs may ask, apart from how they ask: every method takes a caller."""

from collections.abc import AsyncIterator, Iterable
from typing import Final

import fogline
from cloud.api.ledger import LaneWord, stream_ledger
from cloud.api.messages import aggregator_to_wire, node_to_wire, pipeline_to_wire, result_to_wire
from cloud.board import Board, bounded, origin_of
from cloud.catalog import Catalog
from cloud.changes import Changes
from cloud.store.results import Place, Result, ResultQuery
from cloud.store.store import Store
from fogline.model.caller import Caller, Right
from fogline.model.clock import Clock
from fogline.model.errors import InvalidInput, NotFound
from fogline.service.callers import require
from fogline.v1 import api_pb2

FOLLOW_SECONDS: Final = 5.0
"""A follower looks again after so long even if nothing was said: another process may have written."""
MAX_MESSAGE_RESULTS: Final = 500
"""Results in one message."""


class Results:
    """Windowed results."""

    def __init__(self, store: Store, catalog: Catalog, changes: Changes) -> None:
        self._store = store
        self._catalog = catalog
        self._changes = changes

    async def get(
        self, caller: Caller, request: api_pb2.GetResultsRequest
    ) -> AsyncIterator[api_pb2.GetResultsResponse]:
        """Results in the order of windows; a follower gets every change, in the order of changes.

        Raises :class:`NotFound` for a pipeline or step that is not there.
        """
        require(caller, Right.READ)
        query = self._query(caller, request)
        if not request.follow:
            async for response in self._all(query):
                yield response
            return
        after = _position(request.resume_token)
        while True:
            event = self._changes.next(caller.tenant, request.pipeline)
            changed = await self._store.changes(query, after)
            if changed:
                after = changed[-1].change
                response = self._response(query, changed)
                response.resume_token = str(after)
                yield response
            else:
                await self._changes.wait(event, FOLLOW_SECONDS)

    async def _all(self, query: ResultQuery) -> AsyncIterator[api_pb2.GetResultsResponse]:
        place: Place | None = None
        while True:
            page = await self._store.results(query, place)
            if not page.results:
                return
            place = page.last
            yield self._response(query, page.results)

    def _query(self, caller: Caller, request: api_pb2.GetResultsRequest) -> ResultQuery:
        row = self._catalog.pipeline(caller.tenant, request.pipeline)
        if row is None:
            names = ", ".join(p.name for p in self._catalog.pipelines(caller.tenant)) or "none"
            raise NotFound(f"there is no pipeline {request.pipeline!r}", hint=f"deployed are: {names}")
        plan = self._catalog.plan(caller.tenant, row.public)
        if request.step and plan is not None and request.step not in plan.layouts:
            steps = ", ".join(sorted(plan.layouts)) or "none"
            raise NotFound(
                f"{row.name} has no window step {request.step!r}", hint=f"its window steps: {steps}"
            )
        return ResultQuery(
            tenant=caller.tenant,
            pipeline=row.name,
            step=request.step,
            since_us=request.since_us if request.HasField("since_us") else None,
            until_us=request.until_us if request.HasField("until_us") else None,
            limit=MAX_MESSAGE_RESULTS,
        )

    def _response(self, query: ResultQuery, results: Iterable[Result]) -> api_pb2.GetResultsResponse:
        return api_pb2.GetResultsResponse(
            results=[
                result_to_wire(query.pipeline, plan, result)
                for result in results
                if (plan := self._catalog.plan(query.tenant, result.plan)) is not None
            ]
        )


class Overview:
    """The state of the installation."""

    def __init__(self, store: Store, catalog: Catalog, board: Board, clock: Clock) -> None:
        self._store = store
        self._catalog = catalog
        self._board = board
        self._clock = clock

    def pipelines(self, caller: Caller) -> list[api_pb2.PipelineInfo]:
        """Every pipeline of the tenant, by name."""
        require(caller, Right.READ)
        return [pipeline_to_wire(self._catalog, row) for row in self._catalog.pipelines(caller.tenant)]

    async def status(self, caller: Caller) -> api_pb2.GetStatusResponse:
        """Tiers, plans and their health."""
        require(caller, Right.READ)
        return api_pb2.GetStatusResponse(
            version=fogline.__version__,
            at_us=self._clock.now_us(),
            generation=self._catalog.desired.generation,
            nodes=[node_to_wire(self._board, word) for word in self._board.nodes(caller.tenant)],
            aggregators=[
                aggregator_to_wire(self._board, word) for word in self._board.aggregators(caller.tenant)
            ],
            pipelines=self.pipelines(caller),
            readings=await self._store.readings(caller.tenant),
            incarnation=self._store.incarnation,
        )

    async def ledger(self, caller: Caller, pipeline: str) -> list[api_pb2.StreamLedger]:
        """Where every message and reading went, a line for each stream of each running plan.

        Raises :class:`NotFound` for a pipeline that is not there.
        """
        require(caller, Right.READ)
        if pipeline and self._catalog.pipeline(caller.tenant, pipeline) is None:
            raise NotFound(
                f"there is no pipeline {pipeline!r}", hint="`fogline status` lists what is deployed"
            )
        await self._board.keep_all()
        # The reports first: what the store holds by then is at least as new as what they say of it.
        words = {
            plan.row.plan: self._words(caller, plan.row.plan) for plan in self._catalog.running(caller.tenant)
        }
        terms = await self._store.ledger(caller.tenant)
        return [
            stream_ledger(plan, stream.name, terms, words[plan.row.plan])
            for plan in self._catalog.running(caller.tenant)
            if pipeline in ("", plan.row.pipeline) and plan.row.plan in words
            for stream in plan.content.streams
        ]

    def _words(self, caller: Caller, plan: str) -> list[LaneWord]:
        words = []
        for word in self._board.nodes(caller.tenant):
            journaled = {origin_of(j.origin): j.journaled for j in word.report.journals}
            words += [
                LaneWord(
                    origin=origin,
                    journaled=bounded(journaled[origin]),
                    start=bounded(lane.start),
                    committed=bounded(lane.committed),
                    pending=bounded(lane.pending),
                )
                for lane in word.report.lanes
                if lane.plan == plan
                and (origin := origin_of(lane.origin)) is not None
                and origin in journaled
            ]
        return words


def _position(token: str) -> int:
    """The change behind which a follower goes on. Raises :class:`InvalidInput`."""
    if token and not token.isdecimal():
        raise InvalidInput("this resume token is none of ours", hint="leave it out to begin again")
    return int(token or 0)
