"""Pipelines, and the streams that they read."""

from typing import Final

from cloud.api.ledger import stream_ledger
from cloud.api.messages import past_to_wire, pipeline_to_wire, stream_to_wire
from cloud.api.pages import page_of, page_size
from cloud.api.results import public_plan
from cloud.api.tokens import Tokens
from cloud.api.words import lane_words
from cloud.catalog import Catalog
from cloud.planner.history import current
from cloud.planner.planner import Deployed, Planner
from cloud.store.store import Store
from fogline.model.caller import Caller, Right
from fogline.model.errors import NotFound, PageTokenExpired
from fogline.service.callers import require
from fogline.v1 import api_pb2

LATEST: Final = 2**63
"""Of instants and numbers: pages go by what is left to it, the newest first."""


class Pipelines:
    """What is deployed."""

    def __init__(self, store: Store, catalog: Catalog, planner: Planner) -> None:
        self._store = store
        self._catalog = catalog
        self._planner = planner

    async def deploy(self, caller: Caller, request: api_pb2.DeployRequest) -> api_pb2.DeployResponse:
        """Make a spec its pipeline's newest plan.

        Raises :class:`fogline.model.faults.SpecErrors` with every mistake.
        """
        deployed = await self._planner.deploy(caller, request.spec, request.file)
        return _deployed(deployed)

    async def roll_back(self, caller: Caller, request: api_pb2.RollbackRequest) -> api_pb2.RollbackResponse:
        """Deploy again what a pipeline has run before. Raises :class:`NotFound`, :class:`Conflict`."""
        deployed = await self._planner.roll_back(caller, request.name, request.to)
        return api_pb2.RollbackResponse(deployed=_deployed(deployed))

    async def releases(
        self, caller: Caller, request: api_pb2.ListReleasesRequest
    ) -> api_pb2.ListReleasesResponse:
        """What a pipeline has run, the newest first. Raises :class:`NotFound`."""
        require(caller, Right.READ)
        row = self._catalog.pipeline(caller.tenant, request.name)
        if row is None:
            raise NotFound(f"there is no pipeline {request.name!r}", hint="`fogline pipelines` lists them")
        history = await self._store.history(caller.tenant, request.name)
        page, token = page_of(
            history,
            lambda past: (f"{LATEST - past.deployed_us:020d}", past.plan, f"{LATEST - past.release:020d}"),
            size=page_size(request.page_size),
            token=request.page_token,
            tokens=self._tokens("releases", caller, request.name),
        )
        newest = current(history, row.newest)
        return api_pb2.ListReleasesResponse(
            releases=[past_to_wire(past, newest=past == newest) for past in page], next_page_token=token
        )

    async def page(
        self, caller: Caller, request: api_pb2.ListPipelinesRequest
    ) -> api_pb2.ListPipelinesResponse:
        """Pipelines by name."""
        require(caller, Right.READ)
        page, token = page_of(
            self._catalog.pipelines(caller.tenant),
            lambda row: (row.name,),
            size=page_size(request.page_size),
            token=request.page_token,
            tokens=self._tokens("pipelines", caller),
        )
        infos = [pipeline_to_wire(self._catalog, row) for row in page]
        return api_pb2.ListPipelinesResponse(pipelines=infos, next_page_token=token)

    async def get(self, caller: Caller, request: api_pb2.GetPipelineRequest) -> api_pb2.GetPipelineResponse:
        """One pipeline with its public plan's spec. Raises :class:`NotFound`."""
        require(caller, Right.READ)
        plan = public_plan(self._catalog, caller, request.name)
        row = self._catalog.pipeline(caller.tenant, request.name)
        assert row is not None
        return api_pb2.GetPipelineResponse(
            pipeline=pipeline_to_wire(self._catalog, row),
            spec=await self._store.spec(caller.tenant, plan.row.plan),
        )

    async def streams(
        self, caller: Caller, request: api_pb2.ListStreamsRequest
    ) -> api_pb2.ListStreamsResponse:
        """Streams of the public plans, by pipeline and name. Raises :class:`NotFound`."""
        require(caller, Right.READ)
        if request.pipeline:
            public_plan(self._catalog, caller, request.pipeline)
        found = [
            (plan, stream)
            for row in self._catalog.pipelines(caller.tenant)
            if request.pipeline in ("", row.name)
            and (plan := self._catalog.plan(caller.tenant, row.public)) is not None
            for stream in plan.content.streams
        ]
        page, token = page_of(
            found,
            lambda pair: (pair[0].row.pipeline, pair[1].name),
            size=page_size(request.page_size),
            token=request.page_token,
            tokens=self._tokens("streams", caller, request.pipeline),
        )
        terms = await self._store.ledger(caller.tenant)
        words = lane_words(terms.reports)
        infos = [
            stream_to_wire(
                plan,
                stream,
                stream_ledger(plan, stream.name, terms, words.get(plan.row.plan, ())),
                terms.journals,
            )
            for plan, stream in page
        ]
        return api_pb2.ListStreamsResponse(streams=infos, next_page_token=token)

    def _tokens(self, *question: str | Caller) -> Tokens:
        asked = tuple(part.tenant if isinstance(part, Caller) else part for part in question)
        return Tokens(incarnation=self._store.incarnation, question=asked, expired=PageTokenExpired)


def _deployed(deployed: Deployed) -> api_pb2.DeployResponse:
    return api_pb2.DeployResponse(
        pipeline=deployed.pipeline,
        plan=deployed.plan,
        generation=deployed.generation,
        changed=deployed.changed,
        release=deployed.release,
    )
