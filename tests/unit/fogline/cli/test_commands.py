"""The command line's contract: what docs/cli.md promises to programs."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc

from fogline.cli.infer.heard import Message
from fogline.cli.tap import captured
from fogline.v1 import api_pb2, control_pb2
from tests.unit.fogline.cli.promised import DOCS, START_US, Run, documented, names, node_status
from tests.unit.fogline.scripted_cloud import ScriptedCloud


def window(**wishes: Any) -> api_pb2.Result:
    given: dict[str, Any] = {
        "pipeline": "lab",
        "step": "climate",
        "window_start_us": START_US,
        "window_end_us": START_US + 10_000_000,
        "key": [api_pb2.KeyValue(name="room", value="hall"), api_pb2.KeyValue(name="lot")],
        "values": [
            api_pb2.NamedValue(name="n", int_value=3),
            api_pb2.NamedValue(name="temp", float_value=21.5),
            api_pb2.NamedValue(name="p99", float_value=float("inf")),
        ],
        "status": api_pb2.WINDOW_STATUS_PARTIAL,
        "have": 1,
        "expected": 2,
        "missing": ["node-2"],
        "revision": 1,
        "change": 9,
        "readings": 3,
    }
    return api_pb2.Result(**{**given, **wishes})


def test_results_are_a_line_for_each_window_and_key(cloud: ScriptedCloud, run: Run) -> None:
    cloud.answers["ListResults"] = lambda *_: api_pb2.ListResultsResponse(
        results=[window(), window(revision=0)]
    )

    code, out, err = run("results", "lab", "--json", "--server", cloud.address)

    first, second = (json.loads(line) for line in out.splitlines())
    assert (code, err) == (0, "")
    assert first == {
        "pipeline": "lab",
        "step": "climate",
        "window_start": "2026-01-31T12:00:00Z",
        "window_end": "2026-01-31T12:00:10Z",
        "key": {"room": "hall", "lot": None},
        "values": {"n": 3, "temp": 21.5, "p99": None},
        "status": "partial",
        "have": 1,
        "expected": 2,
        "missing": ["node-2"],
        "revision": 1,
        "change": 9,
        "readings": 3,
    }
    assert second["revision"] == 0
    assert names(first) == documented("results")


def test_results_are_asked_for_as_the_flags_say(cloud: ScriptedCloud, run: Run) -> None:
    cloud.answers["ListResults"] = lambda *_: api_pb2.ListResultsResponse()
    flags = ("--since", "2026-01-31T12:00:00Z", "--until", "2026-01-31T13:00:00+01:00", "--step", "climate")

    code, out, _ = run("results", "lab", *flags, "--server", cloud.address)

    (asked,) = cloud.requests
    assert (asked.pipeline, asked.step, asked.page_token) == ("lab", "climate", "")
    assert asked.since_us == asked.until_us == START_US
    assert code == 0
    assert "no results yet" in out


def test_people_see_a_table_with_who_is_missing(cloud: ScriptedCloud, run: Run) -> None:
    cloud.answers["ListResults"] = lambda *_: api_pb2.ListResultsResponse(results=[window()])

    code, out, _ = run("results", "lab", "--server", cloud.address)

    assert code == 0
    assert re.search(
        r"2026-01-31 12:00:00 \+10s +hall +null +3 +21\.5 +inf +partial 1 of 2, without node-2 r1", out
    )


def test_a_ledger_is_a_line_for_each_stream_of_a_plan(cloud: ScriptedCloud, run: Run) -> None:
    line = api_pb2.StreamLedger(
        pipeline="lab",
        plan="ab",
        stream="room",
        received=10,
        journaled=9,
        refused={"full": 1},
        committed=9,
        steps=[api_pb2.StepLedger(step="climate", decoded=9, counted=8, dead={"malformed": 1})],
        adds_up=True,
    )
    cloud.answers["GetLedger"] = lambda *_: api_pb2.GetLedgerResponse(streams=[line, line])

    code, out, _ = run("ledger", "lab", "--json", "--server", cloud.address)
    assert code == 0
    assert [names(json.loads(one)) for one in out.splitlines()] == [documented("ledger")] * 2
    assert cloud.requests[0].pipeline == "lab"

    code, out, _ = run("ledger", "--server", cloud.address)
    assert code == 0
    assert "received 10 = journaled 9 + refused 1 (full 1)" in out
    assert "decoded 9 = counted 8 + filtered 0 + dead 1 (malformed 1) + too late 0" in out


def test_what_brokers_lost_comes_behind_the_streams(cloud: ScriptedCloud, run: Run) -> None:
    brokers = [
        api_pb2.BrokerLedger(node="n1", url="mqtt://a", dropped=7, known=True),
        api_pb2.BrokerLedger(node="n1", url="mqtt://b", dropped=0, known=False),
    ]
    cloud.answers["GetLedger"] = lambda *_: api_pb2.GetLedgerResponse(brokers=brokers)

    _, out, _ = run("ledger", "--json", "--server", cloud.address)
    assert [json.loads(line) for line in out.splitlines()] == [
        {"node": "n1", "url": "mqtt://a", "dropped": 7},
        {"node": "n1", "url": "mqtt://b", "dropped": None},
    ]
    _, out, _ = run("ledger", "--server", cloud.address)
    assert "broker mqtt://a as n1 sees it: dropped 7 messages" in out
    assert "broker mqtt://b as n1 sees it: does not say what it dropped" in out


def test_the_last_line_of_a_batch_of_changes_says_where_to_go_on(cloud: ScriptedCloud, run: Run) -> None:
    def answer(request: api_pb2.GetResultsRequest, context: grpc.ServicerContext) -> Any:
        assert (request.follow, request.resume_token) == (True, "before")
        yield api_pb2.GetResultsResponse(results=[window(), window()], resume_token="one")
        yield api_pb2.GetResultsResponse(results=[window()], resume_token="two")
        context.abort(grpc.StatusCode.INTERNAL, "enough")

    cloud.answers["GetResults"] = answer
    code, out, err = run("results", "lab", "--resume", "before", "--json", "--server", cloud.address)

    assert [json.loads(line).get("resume_token") for line in out.splitlines()] == [None, "one", "two"]
    assert (code, "enough [internal]" in err) == (1, True)


def test_pipelines_are_listed_and_the_spec_of_one_can_be_deployed_again(
    cloud: ScriptedCloud, run: Run
) -> None:
    image = "acme/clean:1@sha256:" + "2c" * 32
    operator = control_pb2.OperatorRelease(step="clean", image=image, min_replicas=1, max_replicas=2)
    service = control_pb2.ServiceRelease(name="viewer", image=image)
    info = api_pb2.PipelineInfo(
        name="lab",
        plan="ab",
        running=["ab", "cd"],
        steps=["climate"],
        release=api_pb2.ReleaseInfo(number=3, operators=[operator], services=[service]),
    )
    cloud.answers["ListPipelines"] = lambda *_: api_pb2.ListPipelinesResponse(pipelines=[info])
    cloud.answers["GetPipeline"] = lambda request, _: api_pb2.GetPipelineResponse(
        pipeline=info, spec=f"name: {request.name}\n"
    )
    _, out, _ = run("pipelines", "--json", "--server", cloud.address)
    assert names(json.loads(out)) == documented("pipelines")
    _, out, _ = run("pipelines", "--server", cloud.address)
    assert re.search(
        r"lab +ab +climate +3: clean acme/clean:1, viewer acme/clean:1 +1970-01-01 00:00:00 +its plan, and cd",
        out,
    )
    _, out, _ = run("pipelines", "lab", "--json", "--server", cloud.address)
    assert json.loads(out)["spec"] == "name: lab\n"
    _, out, _ = run("pipelines", "lab", "--server", cloud.address)
    assert out.splitlines() == [
        "# lab: plan ab, deployed 1970-01-01 00:00:00Z",
        f"# release 3: operator clean runs {image}",
        f"# release 3: service viewer runs {image}",
        "name: lab",
    ]


def test_deploy_says_what_became_of_it(cloud: ScriptedCloud, run: Run, tmp_path: Path) -> None:
    spec = tmp_path / "lab.yaml"
    spec.write_text("name: lab")
    cloud.answers["Deploy"] = lambda *_: api_pb2.DeployResponse(
        pipeline="lab", plan="ab", generation=3, changed=True
    )
    cloud.answers["GetStatus"] = lambda *_: api_pb2.GetStatusResponse(nodes=[node_status()])

    code, out, _ = run("deploy", str(spec), "--wait", "--json", "--server", cloud.address)
    assert code == 0
    assert names(json.loads(out)) == documented("deploy")

    code, out, _ = run("deploy", str(spec), "--wait", "--server", cloud.address)
    assert (code, out) == (0, "lab: plan ab deployed\nrunning on node-1\n")


def test_a_file_that_is_not_there_is_said(cloud: ScriptedCloud, run: Run, tmp_path: Path) -> None:
    code, _, err = run("deploy", str(tmp_path / "none.yaml"), "--server", cloud.address)

    assert code == 1
    assert "none.yaml cannot be read" in err


def test_a_command_ends_with_the_code_that_the_docs_name(
    cloud: ScriptedCloud, run: Run, tmp_path: Path
) -> None:
    def refuse(_request: Any, context: grpc.ServicerContext) -> None:
        context.abort(grpc.StatusCode.NOT_FOUND, "there is no pipeline 'x'")

    spec = tmp_path / "lab.yaml"
    spec.write_text("name: lab")
    cloud.answers["GetLedger"] = refuse
    cloud.answers["Deploy"] = lambda *_: api_pb2.DeployResponse(pipeline="lab", plan="ab", generation=9)
    cloud.answers["GetStatus"] = lambda *_: api_pb2.GetStatusResponse()

    assert run("ledger", "x", "--server", cloud.address)[0] == 1
    assert run("results", "x", "--since", "soon", "--server", cloud.address)[0] == 2
    assert run("status", "--server", "127.0.0.1:1")[0] == 3
    assert run("deploy", str(spec), "--wait", "--timeout", "0", "--server", cloud.address)[0] == 4
    assert run("status", "--dir", str(tmp_path))[0] == 1


def test_a_tapped_message_has_the_members_that_the_docs_name() -> None:
    message = Message(topic="a", payload=b"{}", arrival_us=START_US)

    assert names(captured(message)) == documented("tap")


def test_help_is_quick_because_it_loads_nothing_that_runs() -> None:
    code = (
        "import sys; sys.argv = ['fogline', '--help']\n"
        "from fogline.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print({'grpc', 'numpy', 'paho', 'psutil', 'sqlglot'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stdout.endswith("set()\n")
    commands = (
        "up node aggregator cloud deploy results pipelines streams nodes ledger status replay tap infer"
    )
    for command in commands.split():
        assert f"## fogline {command}\n" in DOCS.read_text()
        assert command in done.stdout


def test_help_shows_what_stands_in_brackets(run: Run) -> None:
    code, out, _ = run("doctor", "--help")

    assert code == 0
    assert "mqtt[s]://" in out
    assert "[default: SQLite]" in out


def test_a_tier_is_run_by_its_own_module(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fogline", "aggregator", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert "--parents" in done.stdout
