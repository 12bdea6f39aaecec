"""Containers of a pipeline or on a node, and what happened to them."""

from typing import Any, Final

from cloud.dashboard.live.snapshot import Snapshot
from cloud.dashboard.live.topics import ContainersTopic, EventsTopic
from cloud.dashboard.view.links import node_link, pipeline_link
from cloud.dashboard.view.table import Column, table
from fogline.client.containers import Container, Event
from fogline.model.clock import SECOND, from_datetime

DIGEST: Final = len("sha256:") + 12
"""Characters of a digest that are shown."""
LEVELS: Final = {"running": "good", "failed": "bad", "quarantined": "bad"}
"""How each state looks; those on their way, or waiting to be tried again, are something to look at."""
ALARMING: Final = {"quarantined", "out_of_memory", "timed_out", "bad_answer", "image_missing", "not_started"}

_CONTAINERS: Final = (
    Column("Node", "link"),
    Column("Pipeline", "link"),
    Column("Name"),
    Column("Kind"),
    Column("State", "badge"),
    Column("What is wrong"),
    Column("Runtime"),
    Column("Image", "mono"),
    Column("Starts", "exact"),
    Column("Since", "clock"),
    Column("CPU", "span"),
    Column("Memory", "bytes"),
)
_EVENTS: Final = (
    Column("At", "clock"),
    Column("Node", "link"),
    Column("Pipeline", "link"),
    Column("Name"),
    Column("What happened", "badge"),
    Column("In words"),
)


def containers(snapshot: Snapshot, topic: ContainersTopic) -> dict[str, Any]:
    """Each container, those in trouble first."""
    found = snapshot.of(topic)
    rows = [
        [
            [one.node, node_link(one.node)],
            _pipeline(one),
            _name(one),
            one.kind,
            _state(one),
            one.fault,
            one.runtime,
            _image(one.image),
            one.restarts + bool(one.id),
            from_datetime(one.since) if one.since else None,
            round(one.cpu_seconds * SECOND) if one.id else None,
            one.memory_bytes if one.id else None,
        ]
        for one in sorted(found or (), key=lambda one: one.state == "running")
    ]
    empty = "Not known yet." if found is None else "No container: nothing here asks for one."
    return table(_CONTAINERS, rows, empty=empty)


def events(snapshot: Snapshot, topic: EventsTopic) -> dict[str, Any]:
    """What happened to containers, the newest first."""
    found = snapshot.of(topic)
    rows = [
        [
            from_datetime(one.at),
            [one.node, node_link(one.node)],
            _pipeline(one),
            _name(one),
            [_alarm(one), one.event.replace("_", " ")],
            one.detail,
        ]
        for one in reversed(found or ())
    ]
    return table(_EVENTS, rows, empty="Not known yet." if found is None else "Nothing yet.")


def _pipeline(one: Container | Event) -> list[str]:
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


def _image(reference: str) -> str:
    name, _, digest = reference.partition("@")
    return f"{name}@{digest[:DIGEST]}" if digest else name
