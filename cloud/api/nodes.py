"""Fog nodes, and what the whole installation says of itself."""

import fogline
from cloud.api.ledger import broker_ledgers, stream_ledger
from cloud.api.messages import aggregator_to_wire, nodes_to_wire, pipeline_to_wire
from cloud.api.pages import page_of, page_size
from cloud.api.tokens import Tokens
from cloud.api.words import lane_words
from cloud.board import Board
from cloud.catalog import Catalog
from cloud.committer import CommitCounters
from cloud.reported import NodeWord
from cloud.store.store import Store
from fogline.control.sums import sums_to_wire
from fogline.model.caller import Caller, Right
from fogline.model.clock import Clock
from fogline.model.errors import Conflict, NotFound, PageTokenExpired
from fogline.service.callers import require
from fogline.v1 import api_pb2


class NodeAlive(Conflict):
    """A node that still reports cannot be retired: its next report would bring it back."""

    code = "node_alive"


class Nodes:
    """Fog nodes, also those that are away."""

    def __init__(self, store: Store, board: Board, clock: Clock) -> None:
        self._store = store
        self._board = board
        self._clock = clock

    async def page(self, caller: Caller, request: api_pb2.ListNodesRequest) -> api_pb2.ListNodesResponse:
        """Nodes by name."""
        require(caller, Right.READ)
        question = ("nodes", caller.tenant)
        page, token = page_of(
            self._board.nodes(caller.tenant),
            lambda word: (word.report.node,),
            size=page_size(request.page_size),
            token=request.page_token,
            tokens=Tokens(incarnation=self._store.incarnation, question=question, expired=PageTokenExpired),
        )
        nodes = nodes_to_wire(self._board, caller.tenant, page)
        return api_pb2.ListNodesResponse(nodes=nodes, next_page_token=token)

    async def get(self, caller: Caller, request: api_pb2.GetNodeRequest) -> api_pb2.GetNodeResponse:
        """One node. Raises :class:`NotFound`."""
        require(caller, Right.READ)
        self._word(caller, request.name)
        await self._board.look(caller.tenant, (request.name,))
        (node,) = nodes_to_wire(self._board, caller.tenant, [self._word(caller, request.name)])
        return api_pb2.GetNodeResponse(node=node)

    async def retire(self, caller: Caller, request: api_pb2.RetireNodeRequest) -> api_pb2.RetireNodeResponse:
        """Expect nothing more of a node that is gone for ever.

        Raises :class:`NotFound`, :class:`NodeAlive`.
        """
        require(caller, Right.DEPLOY)
        if self._board.is_alive(self._word(caller, request.name)):
            raise NodeAlive(
                f"node {request.name!r} still reports",
                hint="stop it first: its next report would bring it back",
            )
        await self._store.retire_node(caller.tenant, request.name, self._clock.now_us())
        self._board.forget(caller.tenant, request.name)
        return api_pb2.RetireNodeResponse()

    def _word(self, caller: Caller, name: str) -> NodeWord:
        words = {word.report.node: word for word in self._board.nodes(caller.tenant)}
        if name not in words:
            names = ", ".join(sorted(words)[:20]) or "none"
            raise NotFound(f"there is no node {name!r}", hint=f"known are: {names}")
        return words[name]


class Overview:
    """The state of the installation."""

    def __init__(
        self, store: Store, catalog: Catalog, board: Board, clock: Clock, commits: CommitCounters
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._board = board
        self._clock = clock
        self._commits = commits

    async def status(self, caller: Caller) -> api_pb2.GetStatusResponse:
        """Tiers, plans and their health."""
        require(caller, Right.READ)
        counters = self._commits
        return api_pb2.GetStatusResponse(
            version=fogline.__version__,
            at_us=self._clock.now_us(),
            generation=self._catalog.desired.generation,
            nodes=nodes_to_wire(self._board, caller.tenant, self._board.nodes(caller.tenant)),
            aggregators=[
                aggregator_to_wire(self._board, word) for word in self._board.aggregators(caller.tenant)
            ],
            pipelines=[
                pipeline_to_wire(self._catalog, row) for row in self._catalog.pipelines(caller.tenant)
            ],
            readings=await self._store.readings(caller.tenant),
            incarnation=self._store.incarnation,
            commits=api_pb2.CommitCounts(
                transactions=counters.transactions,
                parts=counters.parts,
                contributions=counters.contributions,
                refusals=counters.refusals,
                failures=counters.failures,
            ),
            store=self._store.database,
            figures=sums_to_wire(self._board.figures(caller.tenant)),
        )

    async def ledger(
        self, caller: Caller, request: api_pb2.GetLedgerRequest, *, look: bool = True
    ) -> api_pb2.GetLedgerResponse:
        """Where every message and reading went, a line for each stream of each running plan.

        ``look``: ask every node for its newest report first; else it is as of the ones that came up by themselves.
        Raises :class:`NotFound` for a pipeline that is not there.
        """
        require(caller, Right.READ)
        pipeline = request.pipeline
        if pipeline and self._catalog.pipeline(caller.tenant, pipeline) is None:
            raise NotFound(
                f"there is no pipeline {pipeline!r}", hint="`fogline status` lists what is deployed"
            )
        if look:
            await self._board.look(caller.tenant)
        await self._board.keep_all()
        # Reports and what they speak of from one moment: another process may write both between two questions.
        terms = await self._store.ledger(caller.tenant)
        words = lane_words(terms.reports)
        streams = [
            stream_ledger(plan, stream.name, terms, words.get(plan.row.plan, ()))
            for plan in self._catalog.running(caller.tenant)
            if pipeline in ("", plan.row.pipeline)
            for stream in plan.content.streams
        ]
        brokers = broker_ledgers(word.report for word in self._board.nodes(caller.tenant))
        return api_pb2.GetLedgerResponse(streams=streams, brokers=brokers)
