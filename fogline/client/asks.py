"""What can be asked of the cloud, as values: request, method, and how its answer is read. Both clients send these."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Generic, Self, TypeVar

from google.protobuf.message import Message

from fogline.client import read
from fogline.client.accounts import Ledger
from fogline.client.containers import Container, Event, container, event
from fogline.client.installation import Node, Status
from fogline.client.values import Deployment, Latest, PastRelease, Pipeline, Result, Stream, Who
from fogline.model.clock import from_datetime
from fogline.v1 import access_pb2, api_pb2, containers_pb2

PAGE_SIZE: Final = 1_000
"""Lines that are asked for in one call of a list."""
FOLLOWING: Final = "/fogline.v1.ResultService/GetResults"

A = TypeVar("A", bound=Message)
V = TypeVar("V")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Generic[V]):
    """One call with one answer."""

    method: str
    """Service and method, for example ``StatusService/GetStatus``."""
    request: Message
    answer: type[Message]
    read: Callable[[Any], V]
    file: str = ""
    """Name of the spec's file, for messages."""
    repeatable: bool = True
    """Whether asking twice does what asking once does."""

    @property
    def path(self) -> str:
        """The method's name on the wire."""
        return f"/fogline.v1.{self.method}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[V]):
    """Some lines of a list."""

    lines: tuple[V, ...]
    next_token: str
    """Empty: this was the last."""


Pages = Callable[[str], Ask[Page[V]]]
"""A list: from a page's token to the call that answers it; the first page's token is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which results are asked for: windows that start in [since, until), of one step or with an empty name of all."""

    pipeline: str
    step: str
    since_us: int | None
    until_us: int | None

    @classmethod
    def of(cls, pipeline: str, *, since: datetime | None, until: datetime | None, step: str) -> Self:
        """Read what a program wants. Raises :class:`ValueError` for a time without a zone."""
        return cls(
            pipeline=pipeline,
            step=step,
            since_us=None if since is None else from_datetime(since),
            until_us=None if until is None else from_datetime(until),
        )

    def pages(self, size: int) -> Pages[Result]:
        """Ask for them as they stand, oldest window first."""

        def page(token: str) -> Ask[Page[Result]]:
            request = api_pb2.ListResultsRequest(
                pipeline=self.pipeline,
                step=self.step,
                since_us=self.since_us,
                until_us=self.until_us,
                page_size=size,
                page_token=token,
            )
            return _ask("ResultService/ListResults", request, api_pb2.ListResultsResponse, lines)

        def lines(answer: api_pb2.ListResultsResponse) -> Page[Result]:
            return Page(
                lines=tuple(read.result(r) for r in answer.results), next_token=answer.next_page_token
            )

        return page

    def following(self, resume_token: str) -> api_pb2.GetResultsRequest:
        """Ask for every change behind a token."""
        return api_pb2.GetResultsRequest(
            pipeline=self.pipeline,
            step=self.step,
            since_us=self.since_us,
            until_us=self.until_us,
            follow=True,
            resume_token=resume_token,
        )


def deploy(spec: Path | str, *, file: str = "") -> Ask[Deployment]:
    """Ask to make a spec its pipeline's newest plan; a path is read here."""
    if isinstance(spec, Path):
        file = file or str(spec)
        spec = spec.read_text(encoding="utf-8")
    request = api_pb2.DeployRequest(spec=spec, file=file)
    # A plan's name is the hash of its content: deploying it again finds it there and changes nothing.
    return _ask("PipelineService/Deploy", request, api_pb2.DeployResponse, read.deployment, file=file)


def pipelines() -> Pages[Pipeline]:
    """Ask for every pipeline, by name."""

    def page(token: str) -> Ask[Page[Pipeline]]:
        request = api_pb2.ListPipelinesRequest(page_size=PAGE_SIZE, page_token=token)
        return _ask("PipelineService/ListPipelines", request, api_pb2.ListPipelinesResponse, lines)

    def lines(answer: api_pb2.ListPipelinesResponse) -> Page[Pipeline]:
        return Page(
            lines=tuple(read.pipeline(p) for p in answer.pipelines), next_token=answer.next_page_token
        )

    return page


def pipeline(name: str) -> Ask[Pipeline]:
    """Ask for one pipeline with its spec."""
    request = api_pb2.GetPipelineRequest(name=name)
    return _ask("PipelineService/GetPipeline", request, api_pb2.GetPipelineResponse, read.one_pipeline)


def releases(name: str) -> Pages[PastRelease]:
    """Ask for what a pipeline has run, the newest first."""

    def page(token: str) -> Ask[Page[PastRelease]]:
        request = api_pb2.ListReleasesRequest(name=name, page_size=PAGE_SIZE, page_token=token)
        return _ask("PipelineService/ListReleases", request, api_pb2.ListReleasesResponse, lines)

    def lines(answer: api_pb2.ListReleasesResponse) -> Page[PastRelease]:
        return Page(
            lines=tuple(read.past_release(each) for each in answer.releases),
            next_token=answer.next_page_token,
        )

    return page


def rollback(name: str, to: str) -> Ask[Deployment]:
    """Ask to deploy again what a pipeline has run before."""

    def deployment(answer: api_pb2.RollbackResponse) -> Deployment:
        return read.deployment(answer.deployed)

    request = api_pb2.RollbackRequest(name=name, to=to)
    # Without a name for it, what was deployed before is something else once the first try has come through.
    return _ask(
        "PipelineService/Rollback", request, api_pb2.RollbackResponse, deployment, repeatable=bool(to)
    )


def streams(of: str) -> Pages[Stream]:
    """Ask for the streams of a pipeline, or with an empty name of all."""

    def page(token: str) -> Ask[Page[Stream]]:
        request = api_pb2.ListStreamsRequest(pipeline=of, page_size=PAGE_SIZE, page_token=token)
        return _ask("StreamService/ListStreams", request, api_pb2.ListStreamsResponse, lines)

    def lines(answer: api_pb2.ListStreamsResponse) -> Page[Stream]:
        return Page(lines=tuple(read.stream(s) for s in answer.streams), next_token=answer.next_page_token)

    return page


def nodes() -> Pages[Node]:
    """Ask for every node, by name."""

    def page(token: str) -> Ask[Page[Node]]:
        request = api_pb2.ListNodesRequest(page_size=PAGE_SIZE, page_token=token)
        return _ask("NodeService/ListNodes", request, api_pb2.ListNodesResponse, lines)

    def lines(answer: api_pb2.ListNodesResponse) -> Page[Node]:
        return Page(lines=tuple(read.node(n) for n in answer.nodes), next_token=answer.next_page_token)

    return page


def node(name: str) -> Ask[Node]:
    """Ask for one node."""

    def found(answer: api_pb2.GetNodeResponse) -> Node:
        return read.node(answer.node)

    return _ask("NodeService/GetNode", api_pb2.GetNodeRequest(name=name), api_pb2.GetNodeResponse, found)


def retire_node(name: str) -> Ask[None]:
    """Ask to expect nothing more of a node."""

    def done(_answer: api_pb2.RetireNodeResponse) -> None:
        return None

    request = api_pb2.RetireNodeRequest(name=name)
    # A repeat may find the node gone already, and would be told so as an error.
    return _ask("NodeService/RetireNode", request, api_pb2.RetireNodeResponse, done, repeatable=False)


def containers(*, pipeline: str, node: str) -> Pages[Container]:
    """Ask for the containers of a pipeline on a node; an empty name stands for all."""

    def page(token: str) -> Ask[Page[Container]]:
        request = containers_pb2.ListContainersRequest(
            pipeline=pipeline, node=node, page_size=PAGE_SIZE, page_token=token
        )
        answer = containers_pb2.ListContainersResponse
        return _ask("ContainerService/ListContainers", request, answer, lines)

    def lines(answer: containers_pb2.ListContainersResponse) -> Page[Container]:
        return Page(
            lines=tuple(container(one) for one in answer.containers), next_token=answer.next_page_token
        )

    return page


def events(*, pipeline: str, node: str) -> Pages[Event]:
    """Ask for what happened to the containers of a pipeline on a node; an empty name stands for all."""

    def page(token: str) -> Ask[Page[Event]]:
        request = containers_pb2.ListEventsRequest(
            pipeline=pipeline, node=node, page_size=PAGE_SIZE, page_token=token
        )
        return _ask("ContainerService/ListEvents", request, containers_pb2.ListEventsResponse, lines)

    def lines(answer: containers_pb2.ListEventsResponse) -> Page[Event]:
        return Page(lines=tuple(event(one) for one in answer.events), next_token=answer.next_page_token)

    return page


def latest(of: str, *, step: str, windows: int, keys: int) -> Ask[Latest]:
    """Ask for a step's newest windows."""
    request = api_pb2.GetLatestRequest(pipeline=of, step=step, windows=windows, keys=keys)
    return _ask("ResultService/GetLatest", request, api_pb2.GetLatestResponse, read.latest)


def status() -> Ask[Status]:
    """Ask for the state of the installation."""
    return _ask("StatusService/GetStatus", api_pb2.GetStatusRequest(), api_pb2.GetStatusResponse, read.status)


def ledger(of: str) -> Ask[Ledger]:
    """Ask where every message and reading went, for one pipeline or with an empty name for all."""
    request = api_pb2.GetLedgerRequest(pipeline=of)
    return _ask("StatusService/GetLedger", request, api_pb2.GetLedgerResponse, read.ledger)


def whoami() -> Ask[Who]:
    """Ask as whom the cloud knows the caller."""
    return _ask(
        "AccessService/GetCaller", access_pb2.GetCallerRequest(), access_pb2.GetCallerResponse, read.who
    )


def _ask(
    method: str,
    request: Message,
    answer: type[A],
    reader: Callable[[A], V],
    *,
    file: str = "",
    repeatable: bool = True,
) -> Ask[V]:
    return Ask(method=method, request=request, answer=answer, read=reader, file=file, repeatable=repeatable)
