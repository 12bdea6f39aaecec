"""Containers and their events as tables."""

from dataclasses import replace

from cloud.dashboard.live.topics import ContainersTopic, EventsTopic
from cloud.dashboard.view import containers
from fogline.client.containers import Container, Event
from tests.unit.cloud.dashboard.values import START, at, snapshot, status

CONTAINER = Container(
    node="n1",
    node_alive=True,
    pipeline="p",
    plan="abc",
    kind="operator",
    name="clean",
    replica=1,
    id="c1",
    runtime="docker",
    image="registry.example/denoise:1@sha256:" + "ab" * 32,
    state="running",
    fault="",
    restarts=2,
    since=START,
    cpu_seconds=1.5,
    memory_bytes=1 << 20,
    throttled_seconds=0.0,
)
EVENT = Event(
    node="n1",
    pipeline="p",
    plan="abc",
    kind="operator",
    name="clean",
    replica=1,
    at=START,
    event="timed_out",
    detail="no answer within 5 s",
)


def test_a_container_that_is_in_trouble_stands_first() -> None:
    broken = replace(
        CONTAINER, name="broken", state="backing_off", fault="it ends at once", id="", since=None
    )
    lost = replace(CONTAINER, node="n2", node_alive=False, kind="service")
    topic = ContainersTopic(pipeline="p")
    drawn = containers.containers(snapshot(status(), {topic: (CONTAINER, broken, lost)}), topic)
    rows = [
        dict(zip((column["label"] for column in drawn["columns"]), row, strict=True)) for row in drawn["rows"]
    ]
    assert rows[0] == {
        "Node": ["n1", "/nodes/n1"],
        "Name": "broken.1",
        "Kind": "operator",
        "State": ["warning", "backing off"],
        "Runtime": "docker",
        "Image": "registry.example/denoise:1@sha256:abababababab…",
        "Starts": 2,
        "Since": None,
        "CPU": None,
        "Memory": None,
        "What is wrong": "it ends at once",
    }
    assert rows[1]["State"] == ["good", "running"]
    assert (rows[1]["Starts"], rows[1]["CPU"], rows[1]["Memory"]) == (3, 1_500_000, 1 << 20)
    assert (rows[2]["Name"], rows[2]["State"]) == ("clean", ["warning", "running, node away"])


def test_a_nodes_page_says_whose_each_container_is() -> None:
    topic = ContainersTopic(node="n1")
    strange = replace(CONTAINER, pipeline="")
    drawn = containers.containers(snapshot(status(), {topic: (CONTAINER, strange)}), topic)
    assert [row[0] for row in drawn["rows"]] == [["p", "/pipelines/p"], ["abc", "/pipelines"]]


def test_the_newest_event_stands_first() -> None:
    later = replace(EVENT, at=at(1), event="started", kind="service", detail="")
    topic = EventsTopic(node="n1")
    rows = containers.events(snapshot(status(), {topic: (EVENT, later)}), topic)["rows"]
    assert [row[2] for row in rows] == ["clean", "clean.1"]
    assert [row[3] for row in rows] == [["good", "started"], ["bad", "timed out"]]
    assert rows[1][-1] == "no answer within 5 s"


def test_what_is_not_known_yet_is_not_called_nothing() -> None:
    topic = ContainersTopic(node="n1")
    assert containers.containers(snapshot(status()), topic)["empty"] == "Not known yet."
    assert containers.containers(snapshot(status(), {topic: ()}), topic)["empty"].startswith("No container")
    assert containers.events(snapshot(status()), EventsTopic(node="n1"))["empty"] == "Not known yet."
