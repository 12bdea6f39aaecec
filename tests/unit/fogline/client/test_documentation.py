"""The examples in the SDK's docstrings, run against a scripted cloud; and what a notebook shows."""

import asyncio
import doctest
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import fogline
from fogline.client import AsyncClient, Client
from fogline.client.find import SERVER_VARIABLE
from fogline.v1 import access_pb2, api_pb2, containers_pb2, control_pb2
from tests.unit.fogline.client.messages import START_US
from tests.unit.fogline.scripted_cloud import ScriptedCloud

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def row(
    number: int, readings: int, temp: float, status: api_pb2.WindowStatus, key: str = "north"
) -> api_pb2.Result:
    return api_pb2.Result(
        pipeline="greenhouse",
        step="by_zone",
        window_start_us=START_US + number * 10_000_000,
        window_end_us=START_US + (number + 1) * 10_000_000,
        key=[api_pb2.KeyValue(name="zone", value=key)],
        values=[
            api_pb2.NamedValue(name="n", int_value=readings),
            api_pb2.NamedValue(name="temp", float_value=temp),
        ],
        status=status,
    )


ROWS = [row(0, 3, 21.5, api_pb2.WINDOW_STATUS_COMPLETE), row(1, 1, 20.0, api_pb2.WINDOW_STATUS_OPEN)]

CLEAN = containers_pb2.ContainerInfo(
    node="node-1",
    node_alive=True,
    pipeline="greenhouse",
    container=control_pb2.ContainerReport(
        kind="operator", name="clean", state="running", id="c1", memory_bytes=20 * 1024**2
    ),
)


@pytest.fixture
def greenhouse(cloud: ScriptedCloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ScriptedCloud:
    info = api_pb2.PipelineInfo(name="greenhouse", plan="a787d8d913d81b3b", steps=["by_zone"])
    node = api_pb2.NodeStatus(report=control_pb2.NodeReport(node="node-1"), alive=True)
    air = api_pb2.StreamLedger(
        pipeline="<greenhouse>", stream="air", received=4, journaled=4, committed=4, adds_up=True
    )
    answers: dict[str, Any] = {
        "Deploy": api_pb2.DeployResponse(pipeline="greenhouse", plan="a787d8d913d81b3b", changed=True),
        "ListPipelines": api_pb2.ListPipelinesResponse(pipelines=[info]),
        "GetPipeline": api_pb2.GetPipelineResponse(pipeline=info, spec="name: greenhouse\nstreams: {}\n"),
        "ListStreams": api_pb2.ListStreamsResponse(
            streams=[api_pb2.StreamInfo(name="air", topic="greenhouse/{zone}/air")]
        ),
        "ListReleases": api_pb2.ListReleasesResponse(
            releases=[
                api_pb2.PastRelease(
                    plan=info.plan, newest=number == 2, release=api_pb2.ReleaseInfo(number=number)
                )
                for number in (2, 1)
            ]
        ),
        "Rollback": api_pb2.RollbackResponse(
            deployed=api_pb2.DeployResponse(pipeline="greenhouse", plan=info.plan, changed=True, release=3)
        ),
        "ListNodes": api_pb2.ListNodesResponse(nodes=[node]),
        "ListResults": api_pb2.ListResultsResponse(results=ROWS),
        "GetResults": [api_pb2.GetResultsResponse(results=ROWS, resume_token="two")],
        "ListContainers": containers_pb2.ListContainersResponse(containers=[CLEAN]),
        "ListEvents": containers_pb2.ListEventsResponse(
            events=[
                containers_pb2.EventInfo(
                    node="node-1", event=control_pb2.ContainerEvent(name="clean", event="started")
                )
            ]
        ),
        "GetLogs": [containers_pb2.GetLogsResponse(node="node-1", channel=1, data=b"ready\n")],
        "Exec": [
            containers_pb2.ExecResponse(channel=1, data=b"hello"),
            containers_pb2.ExecResponse(ended=containers_pb2.ExecEnded()),
        ],
        "GetUsage": [
            containers_pb2.GetUsageResponse(
                nodes=[containers_pb2.NodeUsage(node="node-1", containers=[CLEAN])]
            )
        ],
        "GetStatus": api_pb2.GetStatusResponse(readings=4),
        "GetCaller": access_pb2.GetCallerResponse(about=access_pb2.ApiToken(rights=["deploy", "read"])),
        "GetLedger": api_pb2.GetLedgerResponse(streams=[air]),
    }
    for method, answer in answers.items():
        cloud.answers[method] = lambda *_, answer=answer: answer
    monkeypatch.setenv(SERVER_VARIABLE, cloud.address)
    monkeypatch.chdir(tmp_path)
    Path("greenhouse.yaml").write_text("name: greenhouse\n")
    return cloud


def examples() -> Iterator[Any]:
    finder = doctest.DocTestFinder(recurse=True)
    for kind in (Client, AsyncClient):
        yield from (pytest.param(t, id=t.name) for t in finder.find(kind, kind.__name__) if t.examples)


@pytest.mark.parametrize("example", list(examples()))
def test_an_example_shows_what_happens(greenhouse: ScriptedCloud, example: doctest.DocTest) -> None:
    said: list[str] = []
    with Client() as client:
        example.globs |= {
            "UTC": UTC,
            "asyncio": asyncio,
            "client": client,
            "datetime": datetime,
            "fogline": fogline,
            "Path": Path,
        }
        doctest.DocTestRunner(optionflags=OPTIONS).run(example, out=said.append, clear_globs=False)
    assert not said, "".join(said)


def test_a_notebook_shows_the_first_results(greenhouse: ScriptedCloud) -> None:
    many = [row(n, 1, 1.0, api_pb2.WINDOW_STATUS_OPEN, "<b>") for n in range(11)]
    with Client() as client:
        shown = client.results("greenhouse")._repr_html_()
        assert "<caption>greenhouse, all 2</caption>" in shown
        assert shown.count("<tr>") == 3
        greenhouse.answers["ListResults"] = lambda *_: api_pb2.ListResultsResponse(results=many)
        shown = client.results("greenhouse")._repr_html_()
        assert "the first 10" in shown
        assert "&lt;b&gt;" in shown
        assert "<b>" not in shown
        greenhouse.answers["ListResults"] = lambda *_: api_pb2.ListResultsResponse()
        assert "no results yet" in client.results("greenhouse")._repr_html_()


def test_a_notebook_shows_a_ledger(greenhouse: ScriptedCloud) -> None:
    with Client() as client:
        shown = client.ledger()._repr_html_()
    assert "&lt;greenhouse&gt;" in shown
    assert "<td>yes</td>" in shown


def test_everything_says_what_it_is(greenhouse: ScriptedCloud) -> None:
    at = greenhouse.address
    with Client() as client:
        following = client.follow("greenhouse")
        assert repr(client) == f"<Client of {at}>"
        assert repr(client.results("greenhouse")) == f"<Results of 'greenhouse' at {at}>"
        assert repr(following) == f"<Following 'greenhouse' at {at}, open>"
        following.close()
        assert repr(following) == f"<Following 'greenhouse' at {at}, closed>"
        assert list(following) == []


def test_both_clients_have_the_same_methods() -> None:
    def public(kind: type) -> set[str]:
        return {name for name in vars(kind) if not name.startswith("_")}

    assert public(Client) == public(AsyncClient)
