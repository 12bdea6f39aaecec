"""What the HTTP API answers besides the SDK's own values."""

from dataclasses import dataclass

from fogline.client.containers import Container, Event
from fogline.client.installation import Node
from fogline.client.values import PastRelease, Pipeline, Result, Stream
from fogline.model.errors import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelinePage:
    """Some pipelines, by name."""

    pipelines: tuple[Pipeline, ...]
    next_page_token: str
    """Asks for the next page; empty: this is the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePage:
    """Some of what a pipeline has run, the newest first."""

    releases: tuple[PastRelease, ...]
    next_page_token: str
    """Asks for the next page; empty: this is the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPage:
    """Some streams, by pipeline and name."""

    streams: tuple[Stream, ...]
    next_page_token: str
    """Asks for the next page; empty: this is the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePage:
    """Some nodes, by name."""

    nodes: tuple[Node, ...]
    next_page_token: str
    """Asks for the next page; empty: this is the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerPage:
    """Some containers, by node, pipeline, kind, name and replica."""

    containers: tuple[Container, ...]
    next_page_token: str
    """Asks for the next page; empty: this is the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """Some events of containers, the oldest first."""

    events: tuple[Event, ...]
    next_page_token: str
    """Asks for the next page; empty: this is the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultPage:
    """Some results, oldest window first."""

    results: tuple[Result, ...]
    next_page_token: str
    """Asks for the next page; empty: this is the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Results that changed, in the order of their changes; none: the server is there."""

    results: tuple[Result, ...]
    resume_token: str
    """Goes on behind these when the connection breaks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The server answers."""

    status: str
    """Always ``serving``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An error (RFC 9457)."""

    type: str
    """A URN that ends in the code."""
    title: str
    """What is wrong, whatever the occasion."""
    status: int
    """The HTTP status."""
    detail: str
    """What is wrong here."""
    code: str
    """Name of the error, for programs; docs/errors.md explains each."""
    hint: str
    """What to do."""
    places: tuple[Fault, ...]
    """Where in the input it is, if it is somewhere."""
