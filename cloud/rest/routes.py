"""The HTTP door: what is asked becomes a request of the contract, what is answered the SDK's value in JSON."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Annotated, Any, Final, TypeVar

import msgspec
from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from cloud.api.services import Services
from cloud.planner.reader import MAX_SPEC_BYTES
from cloud.rest import answers
from cloud.rest.asked import (
    ContainersPage,
    FollowedWindows,
    LatestWindows,
    LedgerOf,
    Page,
    ResultsPage,
    SpecFile,
    StreamsPage,
    Target,
)
from cloud.rest.described import SPEC_BODY, answered, followed
from cloud.rest.follow import EVENTS, NDJSON, Follow
from cloud.rest.problems import UnsupportedMediaType
from fogline.client import accounts, installation, read, values
from fogline.client.containers import container, event
from fogline.client.shape import shape_of
from fogline.model.caller import Caller, Right
from fogline.model.errors import DeadlinePassed, FogError, InvalidInput, TooLarge
from fogline.service.callers import current_caller
from fogline.service.edge import MAX_UNARY_SECONDS
from fogline.service.ending import until
from fogline.v1 import api_pb2, containers_pb2

YAML: Final = ("application/yaml", "application/x-yaml", "text/yaml")
JSON: Final = "application/json"

T = TypeVar("T")
Ended = Callable[[Caller], Awaitable[FogError] | None]
"""When what let a caller in holds no longer; None: it asks for nothing."""


class Routes:
    """Every path, over the services."""

    def __init__(self, services: Services, stopping: asyncio.Event, ended: Ended) -> None:
        """``stopping`` ends the responses that would go on, and so does ``ended`` for a caller."""
        self._services: Final = services
        self._ended: Final = ended
        self._stopping: Final = stopping

    async def pipelines(self, asked: Annotated[Page, Query()]) -> Response:
        """Pipelines that are deployed, by name."""
        request = api_pb2.ListPipelinesRequest(**asked.model_dump())
        found = await in_time(self._services.pipelines.page(current_caller(), request))
        return json_of(
            answers.PipelinePage(
                pipelines=tuple(read.pipeline(each) for each in found.pipelines),
                next_page_token=found.next_page_token,
            )
        )

    async def deploy(self, asked: Annotated[SpecFile, Query()], request: Request) -> Response:
        """Check a spec and make it its pipeline's newest plan. The body is the spec, in YAML or in JSON.

        201: it is new; 200: this plan was the newest already.
        """
        spec = await in_time(spec_of(request))
        deploy = api_pb2.DeployRequest(spec=spec, file=asked.file)
        deployed = await in_time(self._services.pipelines.deploy(current_caller(), deploy))
        return json_of(read.deployment(deployed), status=201 if deployed.changed else 200)

    async def pipeline(self, name: str) -> Response:
        """One pipeline, with the spec of its public plan."""
        request = api_pb2.GetPipelineRequest(name=name)
        return json_of(
            read.one_pipeline(await in_time(self._services.pipelines.get(current_caller(), request)))
        )

    async def releases(self, name: str, asked: Annotated[Page, Query()]) -> Response:
        """What a pipeline has run, the newest first."""
        request = api_pb2.ListReleasesRequest(name=name, **asked.model_dump())
        found = await in_time(self._services.pipelines.releases(current_caller(), request))
        return json_of(
            answers.ReleasePage(
                releases=tuple(read.past_release(each) for each in found.releases),
                next_page_token=found.next_page_token,
            )
        )

    async def roll_back(self, name: str, asked: Annotated[Target, Query()]) -> Response:
        """Deploy again what a pipeline has run before.

        201: it is the newest again; 200: it was the newest already.
        """
        request = api_pb2.RollbackRequest(name=name, to=asked.to)
        done = await in_time(self._services.pipelines.roll_back(current_caller(), request))
        return json_of(read.deployment(done.deployed), status=201 if done.deployed.changed else 200)

    async def results(self, name: str, asked: Annotated[ResultsPage, Query()]) -> Response:
        """A page of a pipeline's results, oldest window first."""
        request = api_pb2.ListResultsRequest(
            pipeline=name,
            step=asked.step,
            page_size=asked.page_size,
            page_token=asked.page_token,
            **asked.bounds(),
        )
        found = await in_time(self._services.results.page(current_caller(), request))
        return json_of(
            answers.ResultPage(
                results=tuple(read.result(each) for each in found.results),
                next_page_token=found.next_page_token,
            )
        )

    async def follow(
        self,
        name: str,
        asked: Annotated[FollowedWindows, Query()],
        accept: Annotated[str, Header(description=f"{NDJSON} (the default) or {EVENTS}")] = NDJSON,
        last_event_id: Annotated[str, Header(description="what a browser that comes back sends")] = "",
    ) -> Response:
        """A pipeline's results in the order of their changes, and each change as it happens.

        Newline-delimited JSON, a line for changes that came together, or server-sent events named `results` whose id
        is the resume token. A line without results, or an event without data, says every few seconds that the
        server is there. An error that comes later is the last line, as `problem`, or an event of that name.
        """
        request = api_pb2.GetResultsRequest(
            pipeline=name,
            step=asked.step,
            follow=True,
            resume_token=last_event_id or asked.resume_token,
            **asked.bounds(),
        )
        caller = current_caller()
        followed = until(self._services.results.follow(caller, request), partial(self._ended, caller))
        first = await in_time(anext(followed))
        kind = EVENTS if EVENTS in accept else NDJSON
        return Follow(followed, first=first, kind=kind, stopping=self._stopping)

    async def latest(self, name: str, asked: Annotated[LatestWindows, Query()]) -> Response:
        """The newest windows of a step, and the results of the keys with most readings."""
        request = api_pb2.GetLatestRequest(pipeline=name, **asked.model_dump())
        return json_of(read.latest(await in_time(self._services.results.latest(current_caller(), request))))

    async def streams(self, asked: Annotated[StreamsPage, Query()]) -> Response:
        """Streams that the pipelines read, by pipeline and name."""
        request = api_pb2.ListStreamsRequest(**asked.model_dump())
        found = await in_time(self._services.pipelines.streams(current_caller(), request))
        return json_of(
            answers.StreamPage(
                streams=tuple(read.stream(each) for each in found.streams),
                next_page_token=found.next_page_token,
            )
        )

    async def nodes(self, asked: Annotated[Page, Query()]) -> Response:
        """Fog nodes by name, also those that are away."""
        request = api_pb2.ListNodesRequest(**asked.model_dump())
        found = await in_time(self._services.nodes.page(current_caller(), request))
        return json_of(
            answers.NodePage(
                nodes=tuple(read.node(each) for each in found.nodes), next_page_token=found.next_page_token
            )
        )

    async def node(self, name: str) -> Response:
        """One fog node."""
        found = await in_time(self._services.nodes.get(current_caller(), api_pb2.GetNodeRequest(name=name)))
        return json_of(read.node(found.node))

    async def retire(self, name: str) -> Response:
        """Expect nothing more of a node that is gone for ever: windows stop waiting for it."""
        await in_time(self._services.nodes.retire(current_caller(), api_pb2.RetireNodeRequest(name=name)))
        return Response(status_code=204)

    async def containers(self, asked: Annotated[ContainersPage, Query()]) -> Response:
        """Replicas of operators, and services, as nodes last reported them."""
        request = containers_pb2.ListContainersRequest(**asked.model_dump())
        found = await in_time(self._services.containers.page(current_caller(), request))
        return json_of(
            answers.ContainerPage(
                containers=tuple(container(each) for each in found.containers),
                next_page_token=found.next_page_token,
            )
        )

    async def events(self, asked: Annotated[ContainersPage, Query()]) -> Response:
        """What happened to containers, the oldest first: the newest few that each node keeps."""
        request = containers_pb2.ListEventsRequest(**asked.model_dump())
        found = await in_time(self._services.containers.events(current_caller(), request))
        return json_of(
            answers.EventPage(
                events=tuple(event(each) for each in found.events), next_page_token=found.next_page_token
            )
        )

    async def status(self) -> Response:
        """Tiers, pipelines and their health."""
        return json_of(read.status(await in_time(self._services.overview.status(current_caller()))))

    async def ledger(self, asked: Annotated[LedgerOf, Query()]) -> Response:
        """Where every message and reading went."""
        request = api_pb2.GetLedgerRequest(pipeline=asked.pipeline)
        return json_of(read.ledger(await in_time(self._services.overview.ledger(current_caller(), request))))

    async def healthz(self) -> Response:
        """Whether the server answers."""
        return json_of(answers.Health(status="serving"))


def router(
    services: Services, stopping: asyncio.Event, ended: Ended
) -> tuple[APIRouter, Mapping[str, Right | None]]:
    """Every path with what it answers; and which right each needs, by method and path."""
    routes, made, rights = (
        Routes(services, stopping, ended),
        APIRouter(prefix="/v1"),
        dict[str, Right | None](),
    )

    def add(method: str, path: str, endpoint: Any, right: Right | None, tag: str, **told: Any) -> None:
        summary = (endpoint.__doc__ or "").partition(".")[0]
        rights[f"{method} {made.prefix}{path}"] = right
        made.add_api_route(
            path, endpoint, methods=[method], tags=[tag], summary=summary, response_model=None, **told
        )

    get, pages = partial(add, "GET"), (404, 410)
    get(
        "/pipelines", routes.pipelines, Right.READ, "pipelines", responses=answered(answers.PipelinePage, 410)
    )
    add(
        "POST",
        "/pipelines",
        routes.deploy,
        Right.DEPLOY,
        "pipelines",
        status_code=201,
        responses={**answered(values.Deployment, 409, 413, 415, 422), 201: {"model": values.Deployment}},
        openapi_extra={"requestBody": SPEC_BODY},
    )
    get(
        "/pipelines/{name}",
        routes.pipeline,
        Right.READ,
        "pipelines",
        responses=answered(values.Pipeline, 404),
    )
    get(
        "/pipelines/{name}/releases",
        routes.releases,
        Right.READ,
        "pipelines",
        responses=answered(answers.ReleasePage, *pages),
    )
    add(
        "POST",
        "/pipelines/{name}/rollback",
        routes.roll_back,
        Right.DEPLOY,
        "pipelines",
        status_code=201,
        responses={**answered(values.Deployment, 404, 409), 201: {"model": values.Deployment}},
    )
    get(
        "/pipelines/{name}/results",
        routes.results,
        Right.READ,
        "results",
        responses=answered(answers.ResultPage, *pages),
    )
    get("/pipelines/{name}/results/follow", routes.follow, Right.READ, "results", responses=followed())
    get(
        "/pipelines/{name}/latest",
        routes.latest,
        Right.READ,
        "results",
        responses=answered(values.Latest, 404),
    )
    get("/streams", routes.streams, Right.READ, "streams", responses=answered(answers.StreamPage, *pages))
    get("/nodes", routes.nodes, Right.READ, "nodes", responses=answered(answers.NodePage, 410))
    get("/nodes/{name}", routes.node, Right.READ, "nodes", responses=answered(installation.Node, 404))
    add(
        "DELETE",
        "/nodes/{name}",
        routes.retire,
        Right.DEPLOY,
        "nodes",
        status_code=204,
        responses=answered(None, 404, 409),
    )
    get(
        "/containers",
        routes.containers,
        Right.READ,
        "containers",
        responses=answered(answers.ContainerPage, *pages),
    )
    get("/events", routes.events, Right.READ, "containers", responses=answered(answers.EventPage, *pages))
    get("/status", routes.status, Right.READ, "installation", responses=answered(installation.Status))
    get("/ledger", routes.ledger, Right.READ, "installation", responses=answered(accounts.Ledger, 404))
    get("/healthz", routes.healthz, None, "installation", responses=answered(answers.Health))
    return made, rights


async def in_time(answer: Awaitable[T]) -> T:
    """The answer, if it comes in time. Raises :class:`DeadlinePassed`."""
    try:
        async with asyncio.timeout(MAX_UNARY_SECONDS):
            return await answer
    except TimeoutError:
        raise DeadlinePassed(f"no answer within {MAX_UNARY_SECONDS:g} s") from None


async def spec_of(request: Request) -> str:
    """The body as a spec. Raises :class:`TooLarge`, :class:`UnsupportedMediaType`, :class:`InvalidInput`."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (*YAML, JSON):
        # A page of another site can send plain text and forms without asking first, but none of these.
        raise UnsupportedMediaType(
            f"a spec is not taken as {kind or 'a body without a type'}",
            hint=f"say Content-Type: {YAML[0]} or {JSON}",
        )
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_SPEC_BYTES:
            raise TooLarge(f"the spec is larger than {MAX_SPEC_BYTES} bytes", hint="split it into pipelines")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the spec is not UTF-8: {error.reason} at byte {error.start}") from None


def json_of(value: Any, *, status: int = 200) -> Response:
    """A value of the SDK as JSON."""
    return Response(msgspec.json.encode(shape_of(value)), status_code=status, media_type=JSON)
