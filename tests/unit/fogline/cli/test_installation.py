"""The state of the installation on the command line."""

import json
import re

from fogline.v1 import api_pb2, containers_pb2, control_pb2
from tests.unit.fogline.cli.promised import START_US, Run, documented, names, node_status
from tests.unit.fogline.scripted_cloud import ScriptedCloud

TROUBLED = containers_pb2.ContainerInfo(
    node="node-1",
    node_alive=True,
    pipeline="lab",
    container=control_pb2.ContainerReport(
        kind="operator", name="clean", state="backing_off", fault="it ended with code 3"
    ),
)


def test_status_is_one_object(cloud: ScriptedCloud, run: Run) -> None:
    aggregator = control_pb2.AggregatorReport(aggregator="aggregator", parent="cloud", children=["node-1"])
    cloud.answers["GetStatus"] = lambda *_: api_pb2.GetStatusResponse(
        version="0.1.0",
        at_us=START_US,
        nodes=[node_status()],
        aggregators=[api_pb2.AggregatorStatus(report=aggregator)],
        pipelines=[api_pb2.PipelineInfo(name="lab", plan="ab", running=["ab"], steps=["climate"])],
        incarnation=b"\x01" * 16,
        figures=[control_pb2.Figure(of="clients", total=1, most=1, nodes=1)],
    )

    code, out, _ = run("status", "--json", "--server", cloud.address)
    status = json.loads(out)

    assert code == 0
    assert names(status) == documented("status")
    assert status["nodes"][0]["journaled"] == 8
    assert status["nodes"][0]["dead_letters"][0]["payload"] == "{\\xff"
    assert status["incarnation"] == "01" * 16

    cloud.answers["ListContainers"] = lambda *_: containers_pb2.ListContainersResponse(containers=[TROUBLED])
    code, out, _ = run("status", "--server", cloud.address)
    assert code == 0
    assert "clean.0 of lab on node-1: backing_off: it ended with code 3" in out
    assert re.search(r"node +node-1 +well +aggregator", out)
    assert re.search(r"aggregator +aggregator +silent +cloud", out)


def test_nodes_are_listed_shown_and_retired(cloud: ScriptedCloud, run: Run) -> None:
    broker = control_pb2.BrokerReport(url="mqtt://b", fault="no route [to it]", warnings=["keeps nothing"])
    node = node_status()
    node.report.brokers.append(broker)
    node.report.journal_bytes = 3 << 20
    cloud.answers["ListNodes"] = lambda *_: api_pb2.ListNodesResponse(nodes=[node])
    cloud.answers["GetNode"] = lambda *_: api_pb2.GetNodeResponse(node=node)
    cloud.answers["RetireNode"] = lambda *_: api_pb2.RetireNodeResponse()

    _, out, _ = run("nodes", "--json", "--server", cloud.address)
    assert names(json.loads(out)) == documented("nodes")
    _, out, _ = run("nodes", "--server", cloud.address)
    assert re.search(r"node-1 +well +aggregator +mqtt://127.0.0.1:1883 +0 +2 +3.0 MiB of 0 B", out)
    _, out, _ = run("nodes", "node-1", "--json", "--server", cloud.address)
    assert json.loads(out)["brokers"][0]["dropped"] is None
    cloud.answers["ListContainers"] = lambda *_: containers_pb2.ListContainersResponse(containers=[TROUBLED])
    _, out, _ = run("nodes", "node-1", "--server", cloud.address)
    assert "it ended with code 3" in out
    assert "broker mqtt://b no route [to it]: 0 messages" in out
    assert "keeps nothing" in out
    assert "dead letter of room: malformed" in out
    assert run("nodes", "retire", "node-1", "--server", cloud.address)[:2] == (0, "node-1 is retired\n")
    assert [cloud.requests[at].name for at in (-3, -1)] == ["node-1", "node-1"]
    assert run("nodes", "retire", "--server", cloud.address)[0] == 2
    assert run("nodes", "a", "b", "--server", cloud.address)[0] == 2


def test_streams_are_listed(cloud: ScriptedCloud, run: Run) -> None:
    stream = api_pb2.StreamInfo(pipeline="lab", name="room", topic="lab/{room}/climate", journaled=1200)
    cloud.answers["ListStreams"] = lambda *_: api_pb2.ListStreamsResponse(streams=[stream])

    _, out, _ = run("streams", "lab", "--json", "--server", cloud.address)
    assert names(json.loads(out)) == documented("streams")
    assert cloud.requests[0].pipeline == "lab"
    _, out, _ = run("streams", "--server", cloud.address)
    assert re.search(r"lab +room +lab/\{room\}/climate +arrival +1,200 +0", out)


def test_people_see_how_operators_go(cloud: ScriptedCloud, run: Run) -> None:
    counts = {"rows_in": 1_200, "rows_out": 1_100, "queued": 3, "replays": 2, "quarantined_messages": 7}
    figures = [
        control_pb2.Figure(of=f"step.{of}", plan="ab", name="clean", total=total, most=total, nodes=2)
        for of, total in counts.items()
    ]
    cloud.answers["GetStatus"] = lambda *_: api_pb2.GetStatusResponse(
        pipelines=[api_pb2.PipelineInfo(name="lab", plan="ab", running=["ab"])],
        figures=[*figures, control_pb2.Figure(of="clients", total=5, most=5, nodes=2)],
    )
    cloud.answers["ListContainers"] = lambda *_: containers_pb2.ListContainersResponse(containers=[TROUBLED])
    code, out, _ = run("status", "--server", cloud.address)
    assert code == 0
    assert "clean.0 of lab on node-1: backing_off: it ended with code 3" in out
    assert re.search(r"lab +clean +2 +1,200 +1,100 +3 +2 +7", out)
