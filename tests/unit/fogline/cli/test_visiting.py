"""Looking into containers from the command line."""

import json
from typing import Any

import pytest

from fogline.cli.container_tables import Rates, usage_table
from fogline.cli.visiting import _SAFE
from fogline.client import containers
from fogline.v1 import containers_pb2, control_pb2
from tests.unit.fogline.cli.promised import START_US, Run, documented, names
from tests.unit.fogline.scripted_cloud import ScriptedCloud


def info(name: str = "clean", replica: int = 0, *, cpu_us: int = 0) -> containers_pb2.ContainerInfo:
    return containers_pb2.ContainerInfo(
        node="node-1",
        node_alive=True,
        pipeline="lab",
        container=control_pb2.ContainerReport(
            kind="operator", name=name, replica=replica, id=f"c{replica}", state="running", cpu_us=cpu_us
        ),
    )


def chunk(data: bytes, replica: int = 0, **more: Any) -> containers_pb2.GetLogsResponse:
    return containers_pb2.GetLogsResponse(
        node="node-1", kind="operator", name="clean", replica=replica, channel=1, data=data, **more
    )


def usage(at_s: float, *shown: containers_pb2.ContainerInfo) -> containers_pb2.NodeUsage:
    return containers_pb2.NodeUsage(
        node="node-1",
        at_us=START_US + round(at_s * 1e6),
        capacity=control_pb2.Capacity(cpu_millis=4000),
        containers=shown,
    )


def test_containers_are_listed_as_promised(cloud: ScriptedCloud, run: Run) -> None:
    cloud.answers["ListContainers"] = lambda *_: containers_pb2.ListContainersResponse(containers=[info()])
    code, out, _ = run("containers", "lab", "--node", "node-1", "--json", "--server", cloud.address)
    assert code == 0
    assert names(json.loads(out)) == documented("containers")
    assert (cloud.requests[-1].pipeline, cloud.requests[-1].node) == ("lab", "node-1")
    code, out, _ = run("containers", "--server", cloud.address)
    assert "clean.0" in out
    cloud.answers["ListContainers"] = lambda *_: containers_pb2.ListContainersResponse()
    code, out, _ = run("containers", "--server", cloud.address)
    assert "no containers" in out


def test_events_are_listed_as_promised(cloud: ScriptedCloud, run: Run) -> None:
    happened = control_pb2.ContainerEvent(
        at_us=START_US,
        kind="operator",
        plan="abc",
        name="clean",
        replica=1,
        event="exited",
        detail="[no model]",
    )
    shown = [containers_pb2.EventInfo(node="node-1", pipeline="lab", event=happened)]
    cloud.answers["ListEvents"] = lambda *_: containers_pb2.ListEventsResponse(events=shown)
    code, out, _ = run("events", "lab", "--node", "node-1", "--json", "--server", cloud.address)
    assert code == 0
    assert names(json.loads(out)) == documented("events")
    assert (cloud.requests[-1].pipeline, cloud.requests[-1].node) == ("lab", "node-1")
    _, out, _ = run("events", "--server", cloud.address)
    assert "clean.1" in out
    assert "[no model]" in out
    cloud.answers["ListEvents"] = lambda *_: containers_pb2.ListEventsResponse()
    _, out, _ = run("events", "--server", cloud.address)
    assert "nothing has happened" in out


def test_logs_of_several_containers_come_in_whole_lines(cloud: ScriptedCloud, run: Run) -> None:
    shown = [info(), info(replica=1)]
    cloud.answers["ListContainers"] = lambda *_: containers_pb2.ListContainersResponse(containers=shown)
    cloud.answers["GetLogs"] = lambda *_: [
        chunk(b"one"),
        chunk(b"other\n", replica=1),
        chunk(b" line\nand", dropped=7),
        chunk(b"", replica=1, fault="it went away"),
    ]
    code, out, err = run("logs", "lab", "--tail", "5", "--server", cloud.address)
    assert code == 0
    assert out == "node-1/clean.1 | other\nnode-1/clean.0 | one line\nnode-1/clean.0 | and\n"
    assert "node-1/clean.0: 7 bytes were left out" in err
    assert "node-1/clean.1: it went away" in err
    assert cloud.requests[-1].tail == 5


def test_logs_of_one_container_come_as_they_are_and_as_promised(cloud: ScriptedCloud, run: Run) -> None:
    cloud.answers["ListContainers"] = lambda *_: containers_pb2.ListContainersResponse(containers=[info()])
    cloud.answers["GetLogs"] = lambda *_: [chunk(b"\xffone\n")]
    asked = ("logs", "lab", "clean", "--replica", "0", "--server", cloud.address)
    code, out, _ = run(*asked, "--json")
    assert code == 0
    assert names(json.loads(out)) == documented("logs")
    assert json.loads(out)["data"] == "\\xffone\n"
    assert cloud.requests[-1].replica == 0
    assert not cloud.requests[-1].follow


def test_a_terminal_is_not_steered() -> None:
    assert b"\x1b[2Jred\x07\tpl\xc3\xa4in\r\n\x7f".translate(_SAFE) == b"?[2Jred?\tpl\xc3\xa4in\r\n?"


def test_exec_ends_as_its_command_ended(cloud: ScriptedCloud, run: Run) -> None:
    cloud.answers["Exec"] = lambda *_: [
        containers_pb2.ExecResponse(channel=1, data=b"out\n"),
        containers_pb2.ExecResponse(channel=2, data=b"err\n"),
        containers_pb2.ExecResponse(ended=containers_pb2.ExecEnded(exit_code=3)),
    ]
    code, out, err = run("exec", "node-1", "clean", "--server", cloud.address, "--", "ls", "-l")
    assert (code, out, err) == (3, "out\n", "err\n")
    first, last = cloud.requests[-1]
    assert (first.ask.node, first.ask.name, list(first.ask.command)) == ("node-1", "clean", ["ls", "-l"])
    assert last.end


def test_top_shows_what_was_used_between_two_samples(cloud: ScriptedCloud, run: Run) -> None:
    cloud.answers["GetUsage"] = lambda *_: [
        containers_pb2.GetUsageResponse(nodes=[usage(0, info(cpu_us=1_000_000))]),
        containers_pb2.GetUsageResponse(nodes=[usage(2, info(cpu_us=2_000_000))]),
    ]
    code, out, _ = run("top", "node-1", "--server", cloud.address)
    assert code == 0
    assert "0.50" in out
    assert "12 %" in out
    code, out, _ = run("top", "--once", "--json", "--server", cloud.address)
    (line,) = out.splitlines()
    shown = json.loads(line)
    (one,) = shown.pop("containers")
    assert names(shown) | {".containers"} == documented("top")
    assert names(one) == documented("containers")


def test_a_container_that_was_started_anew_is_measured_anew() -> None:
    rates = Rates()
    for at_s, cpu_us in ((0, 5_000_000), (0, 5_000_000)):
        sample = containers.usage(usage(at_s, info(cpu_us=cpu_us)))
        assert rates.of(sample, sample.containers[0]) is None
    assert usage_table([containers.usage(usage(1, info(cpu_us=5_500_000)))], rates).row_count == 1


@pytest.mark.parametrize(
    "arguments", [("exec", "node-1", "clean"), ("logs",), ("logs", "lab", "--tail", "0")]
)
def test_wrong_usage_is_said(arguments: tuple[str, ...], run: Run) -> None:
    assert run(*arguments)[0] == 2
