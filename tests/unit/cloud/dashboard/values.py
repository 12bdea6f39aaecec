"""Reports as the SDK hands them out, with what a test does not care about filled in."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cloud.dashboard.live.meter import Meter
from cloud.dashboard.live.snapshot import Snapshot
from cloud.dashboard.live.topics import STATUS
from fogline.client.installation import Aggregator, Commits, Node, Status
from fogline.client.values import Pipeline

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """An instant after the start."""
    return START + timedelta(seconds=seconds)


def node(name: str = "n1", **other: Any) -> Node:
    """A node that is well."""
    well = Node(
        name=name,
        parent="a1",
        alive=True,
        seen=START,
        generation=1,
        faults=(),
        listener="mqtt://127.0.0.1:1883",
        clients=1,
        journaled=0,
        pending=0,
        unrouted=0,
        journal_bytes=0,
        journal_limit_bytes=1000,
        version="1",
        dead_letters=(),
        brokers=(),
        journals=(),
        lanes=(),
    )
    return replace(well, **other)


def aggregator(name: str = "a1", **other: Any) -> Aggregator:
    """An aggregator that is well."""
    well = Aggregator(
        name=name,
        parent="cloud",
        alive=True,
        seen=START,
        generation=1,
        children=("n1",),
        parts_in=0,
        parts_out=0,
        held_bytes=0,
        refusals=0,
        version="1",
    )
    return replace(well, **other)


def pipeline(name: str = "p", *steps: str) -> Pipeline:
    """A pipeline that runs."""
    return Pipeline(name=name, plan="abc", deployed=START, running=("abc",), steps=steps or ("s",))


def status(**other: Any) -> Status:
    """An installation of nothing but a cloud."""
    alone = Status(
        version="1",
        at=START,
        generation=1,
        readings=0,
        incarnation=b"",
        store="sqlite",
        commits=Commits(transactions=0, parts=0, contributions=0, refusals=0, failures=0),
        nodes=(),
        aggregators=(),
        pipelines=(),
    )
    return replace(alone, **other)


def snapshot(said: Status, answers: dict[Any, Any] | None = None, **other: Any) -> Snapshot:
    """A look that found this."""
    return Snapshot(
        number=1,
        at_us=1,
        answers={STATUS: said, **(answers or {})},
        measured=Meter().read(said),
        **other,
    )
