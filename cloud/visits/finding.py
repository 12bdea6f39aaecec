"""Which containers somebody means, of those that the nodes have reported."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cloud.board import Board
from cloud.catalog import Catalog
from fogline.control.sessions import ContainerAbsent, NodeAway
from fogline.model.errors import InvalidInput, NotFound
from fogline.v1 import containers_pb2, control_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One container where it is."""

    node: str
    alive: bool
    pipeline: str
    """Empty: its plan is not known any more."""
    report: control_pb2.ContainerReport

    @property
    def order(self) -> tuple[str, ...]:
        """Its place in a list."""
        of = self.report
        return self.node, self.pipeline, of.kind, of.name, f"{of.replica:06}", of.plan

    def to_wire(self) -> containers_pb2.ContainerInfo:
        """As the API says it."""
        return containers_pb2.ContainerInfo(
            node=self.node, node_alive=self.alive, pipeline=self.pipeline, container=self.report
        )

    def ask(self, what: str, caller: str) -> control_pb2.SessionAsk:
        """A question to it."""
        of = self.report
        return control_pb2.SessionAsk(
            what=what, kind=of.kind, plan=of.plan, name=of.name, replica=of.replica, caller=caller
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """Something that a node reports of one of its containers."""

    node: str
    pipeline: str
    """Empty: its plan is not known any more."""
    event: control_pb2.ContainerEvent

    @property
    def order(self) -> tuple[str, ...]:
        """Its place in a list, the oldest first."""
        of = self.event
        return (
            f"{of.at_us:020}",
            self.node,
            of.plan,
            of.kind,
            of.name,
            f"{of.replica:06}",
            of.event,
            of.detail,
        )

    def to_wire(self) -> containers_pb2.EventInfo:
        """As the API says it."""
        return containers_pb2.EventInfo(node=self.node, pipeline=self.pipeline, event=self.event)


class Finder:
    """Looks through the newest reports."""

    def __init__(self, catalog: Catalog, board: Board) -> None:
        self._catalog = catalog
        self._board = board

    def all(self, tenant: str, *, pipeline: str = "", node: str = "") -> list[Found]:
        """Containers in order. Raises :class:`NotFound` for a pipeline or node that is not there."""
        self._check(tenant, pipeline, node)
        found = [one for one in self._each(tenant) if node in ("", one.node)]
        return sorted((one for one in found if pipeline in ("", one.pipeline)), key=lambda one: one.order)

    def events(self, tenant: str, *, pipeline: str = "", node: str = "") -> list[Happened]:
        """What happened to containers. Raises :class:`NotFound` for a pipeline or node that is not there."""
        self._check(tenant, pipeline, node)
        return [
            Happened(node=word.report.node, pipeline=of, event=event)
            for word in self._board.nodes(tenant)
            if node in ("", word.report.node)
            for event in word.report.events
            if pipeline in ("", of := self._pipeline(tenant, event.plan))
        ]

    def node(self, tenant: str, name: str) -> control_pb2.NodeReport:
        """A node's newest report. Raises :class:`NotFound`, :class:`NodeAway`."""
        words = {word.report.node: word for word in self._board.nodes(tenant)}
        if name not in words:
            names = ", ".join(sorted(words)[:20]) or "none"
            raise NotFound(f"there is no node {name!r}", hint=f"known are: {names}")
        return words[name].report

    def one(self, tenant: str, ask: containers_pb2.ExecAsk) -> Found:
        """The one container that is meant.

        Raises :class:`NotFound`, :class:`ContainerAbsent`, :class:`InvalidInput` if several are.
        """
        there = self.all(tenant, pipeline=ask.pipeline, node=ask.node)
        named = [one for one in there if one.report.name == ask.name]
        if ask.HasField("replica"):
            named = [one for one in named if one.report.replica == ask.replica]
        if not named:
            raise absent(f"nothing named {ask.name!r} runs on node {ask.node}", there)
        if len(pipelines := sorted({one.pipeline for one in named})) > 1:
            raise InvalidInput(
                f"{ask.name!r} runs on node {ask.node} for several pipelines",
                hint=f"say which: {', '.join(pipelines)}",
            )
        return min(named, key=lambda one: (one.report.state != "running", one.order))

    def several(self, tenant: str, request: containers_pb2.GetLogsRequest) -> list[Found]:
        """Containers whose logs are meant, at least one. Raises as :meth:`one` does, and :class:`NodeAway`."""
        there = self.all(tenant, pipeline=request.pipeline, node=request.node)
        found = [one for one in there if request.name in ("", one.report.name)]
        if request.HasField("replica"):
            found = [one for one in found if one.report.replica == request.replica]
        if not found:
            what = f"{request.name!r} of pipeline {request.pipeline}" if request.name else request.pipeline
            raise absent(f"no container of {what} runs", there)
        if request.node or any(one.alive for one in found):
            return [one for one in found if one.alive or request.node]
        raise NodeAway(f"node {found[0].node!r}, which had it, was not heard of for some seconds")

    def of(self, tenant: str, report: control_pb2.NodeReport, *, alive: bool) -> Iterator[Found]:
        """The containers of one report."""
        for one in report.containers:
            pipeline = self._pipeline(tenant, one.plan)
            yield Found(node=report.node, alive=alive, pipeline=pipeline, report=one)

    def _each(self, tenant: str) -> Iterator[Found]:
        for word in self._board.nodes(tenant):
            yield from self.of(tenant, word.report, alive=self._board.is_alive(word))

    def _pipeline(self, tenant: str, plan: str) -> str:
        known = self._catalog.plan(tenant, plan)
        return known.row.pipeline if known is not None else ""

    def _check(self, tenant: str, pipeline: str, node: str) -> None:
        if pipeline and self._catalog.pipeline(tenant, pipeline) is None:
            names = ", ".join(row.name for row in self._catalog.pipelines(tenant)[:20]) or "none"
            raise NotFound(f"there is no pipeline {pipeline!r}", hint=f"deployed are: {names}")
        if node:
            self.node(tenant, node)


def absent(words: str, there: Iterable[Found]) -> ContainerAbsent:
    """The error that says what there is instead."""
    names = ", ".join(sorted({one.report.name for one in there})[:20])
    return ContainerAbsent(words, hint=f"there are: {names}" if names else "")
