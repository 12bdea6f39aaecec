"""Containers of a pipeline or on a node, and what happened to them."""

import re
from typing import Any, Final

from cloud.dashboard.live.snapshot import Snapshot
from cloud.dashboard.live.topics import ContainersTopic, EventsTopic
from cloud.dashboard.view.links import node_link, pipeline_link
from cloud.dashboard.view.table import Column, table
from fogline.client.containers import Container, Event
from fogline.model.clock import SECOND, from_datetime

SHOWN: Final = 12
"""Characters of a digest that are shown."""
_DIGEST: Final = re.compile(r"\b[0-9a-f]{64}\b")
LEVELS: Final = {"running": "good", "failed": "bad", "quarantined": "bad"}
"""How each state looks; those on their way, or waiting to be tried again, are something to look at."""
ALARMING: Final = {"quarantined", "out_of_memory", "timed_out", "bad_answer", "image_missing", "not_started"}

NODE, PIPELINE = Column("Node", "link"), Column("Pipeline", "link")
_CONTAINERS: Final = (
    Column("Name"),
    Column("Kind"),
    Column("State", "badge"),
    Column("Runtime"),
    Column("Image", "mono"),
    Column("Starts", "exact"),
    Column("Since", "clock"),
    Column("CPU", "span"),
    Column("Memory", "bytes"),
    Column("What is wrong"),
)
_EVENTS: Final = (
    Column("At", "clock"),
    Column("Name"),
    Column("What happened", "badge"),
    Column("In words"),
)


def containers(snapshot: Snapshot, topic: ContainersTopic) -> dict[str, Any]:
    """Each container, those in trouble first."""
    found = snapshot.of(topic)
    rows = [
        [
            _where(one, topic),
            _name(one),
            one.kind,
            _state(one),
            one.runtime,
            _short(one.image),
            one.restarts + bool(one.id),
            from_datetime(one.since) if one.since else None,
            round(one.cpu_seconds * SECOND) if one.id else None,
            one.memory_bytes if one.id else None,
            _short(one.fault),
        ]
        for one in sorted(found or (), key=lambda one: one.state == "running")
    ]
    empty = "Not known yet." if found is None else "No container: nothing here asks for one."
    return table((PIPELINE if topic.node else NODE, *_CONTAINERS), rows, empty=empty)


def events(snapshot: Snapshot, topic: EventsTopic) -> dict[str, Any]:
    """What happened to containers, the newest first."""
    found = snapshot.of(topic)
    rows = [
        [
            _where(one, topic),
            from_datetime(one.at),
            _name(one),
            [_alarm(one), one.event.replace("_", " ")],
            _short(one.detail),
        ]
        for one in reversed(found or ())
    ]
    empty = "Not known yet." if found is None else "Nothing yet."
    return table((PIPELINE if topic.node else NODE, *_EVENTS), rows, empty=empty)


def _where(one: Container | Event, topic: ContainersTopic | EventsTopic) -> list[str]:
    """What the page does not say already: the pipeline on a node's, the node on a pipeline's."""
    if not topic.node:
        return [one.node, node_link(one.node)]
    return [one.pipeline, pipeline_link(one.pipeline)] if one.pipeline else [one.plan, "/pipelines"]


def _name(one: Container | Event) -> str:
    return f"{one.name}.{one.replica}" if one.kind == "operator" else one.name


def _state(one: Container) -> list[str]:
    if not one.node_alive:
        return ["warning", f"{one.state}, node away"]
    return [LEVELS.get(one.state, "warning"), one.state.replace("_", " ")]


def _alarm(one: Event) -> str:
    if one.event in ALARMING:
        return "bad"
    return "good" if one.event == "started" else "warning"


def _short(text: str) -> str:
    """A text whose digests no table is too narrow for."""
    return _DIGEST.sub(lambda found: f"{found[0][:SHOWN]}…", text)
