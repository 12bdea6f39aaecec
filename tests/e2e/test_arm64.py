"""A node of arm64 beside an amd64 cloud and aggregator: it joins, takes messages, runs an operator, reports."""

import asyncio
import contextlib
import json
import signal
import time
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fogline.cli.operator.engine import engine
from fogline.cli.operator.image import build_image
from fogline.cli.operator.project import read_project
from fogline.cli.operator.scaffold import new
from tests.arm64 import Arm64, unpacked
from tests.e2e.conftest import ARM64, TAG
from tests.e2e.test_join import free_ports, running, said
from tests.engine import DockerEngine
from tests.faults.device import Device

WITHIN_S = 120.0
MESSAGES = 300
SPEC = """\
name: lab
streams:
  room: {{mqtt: "lab/{{room}}/climate", format: json, time: ts, fields: {{temp: float}}}}
steps:
  clean: {{image: "{image}", from: room, fields: {{score: float}}, labels: [room], timeout: 60s}}
  climate:
    sql: SELECT room, count(*) AS n, max(score) AS score FROM clean GROUP BY room, TUMBLE(ts, INTERVAL '1 second')
late: {{disorder: 1s, wait: 1m, keep: 1d}}
"""

TRY = """
import json, platform, sys
sys.path[:0] = ["/app", "/app/site"]
from fogline.operator.testing import run
from tidy import tidy
rows = run(tidy, [{"temp": 21.0}, {"temp": 3000.0}])
print(json.dumps([platform.machine(), [{"time_us": row["time_us"], "score": row["score"]} for row in rows]]))
"""


async def obeyed(*arguments: str) -> str:
    """What a command printed; it must not fail."""
    code, out, err = await said(*arguments)
    assert code == 0, err
    return out


async def until_told(*arguments: str, holds: Any) -> list[dict[str, Any]]:
    """Ask with a command until its JSON lines are as they must become."""
    lines: list[dict[str, Any]] = []
    try:
        async with asyncio.timeout(WITHIN_S):
            while not holds(lines):
                code, out, _ = await said(*arguments, "--json")
                lines = [json.loads(line) for line in out.splitlines()] if code == 0 else []
    except TimeoutError:
        raise AssertionError(f"fogline {' '.join(arguments)} says {lines}") from None
    return lines


@asynccontextmanager
async def started(machine: Arm64, *words: str | Path, log: Path) -> AsyncIterator[None]:
    """A program of the machine that goes on; what it writes is in the log."""
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *machine.command(*words), stdin=DEVNULL, stdout=DEVNULL, stderr=file
        )
    try:
        yield
        assert process.returncode is None, await asyncio.to_thread(log.read_text)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(WITHIN_S):
            await process.wait()


@asynccontextmanager
async def parents(folder: Path) -> AsyncIterator[tuple[str, str]]:
    """A cloud and an aggregator that joined it; where people ask, and where nodes join."""
    listen, children, enrol, below, joining = free_ports(5)
    ports = ("--anonymous", "--listen", listen, "--children", children, "--enrol", enrol)
    hall = folder / "hall"
    async with running("cloud", "--folder", str(folder / "cloud"), *ports):
        async with asyncio.timeout(WITHIN_S):
            while (await said("token", "list", "--server", listen))[0] != 0:
                pass
        token = await obeyed("token", "create", "--role", "aggregator", "--name", "hall", "--server", listen)
        await obeyed("aggregator", "join", enrol, "--token", token, "--folder", str(hall))
        settings = ("--settings", str(hall / "aggregator.toml"), "--listen", below, "--enrol", joining)
        async with running("aggregator", *settings):
            yield listen, joining


async def published(port: int) -> None:
    """Publish and see everything acknowledged; every tenth message is nothing that a sensor can have measured."""
    device = Device("device-0", "127.0.0.1", port, in_flight=100, patience_s=WITHIN_S)
    link = asyncio.create_task(device.run(), name="device")
    now = time.time() - 5
    try:
        async with asyncio.timeout(WITHIN_S):
            for number in range(MESSAGES):
                temp = 3000 if number % 10 == 0 else number % 30
                payload = json.dumps({"ts": now + number / MESSAGES, "temp": temp})
                await device.publish(b"lab/kitchen/climate", payload.encode())
            await device.all_taken()
    finally:
        device.unplug()
        link.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await link


@pytest.mark.timeout(600)
def test_an_operators_image_for_arm64_is_made_here_and_runs_there(
    arm64_base: str, docker_engine: DockerEngine, tmp_path: Path
) -> None:
    project = read_project(new("tidy", tmp_path))
    with engine() as developers:
        image = build_image(
            developers, project, base=arm64_base, tag=TAG, target=ARM64, wheels=tmp_path, say=lambda _: None
        )
    try:
        reference = image.partition("@")[2]
        assert docker_engine.client.inspect_image(reference)["Architecture"] == "arm64"
        machine = unpacked(docker_engine, reference, tmp_path / "root")
        assert json.loads(machine.run("python3", "-c", TRY)) == ["aarch64", [{"time_us": 0, "score": 0.21}]]
    finally:
        docker_engine.client.remove_image(image.partition("@")[0], force=True)


@pytest.mark.timeout(600)
async def test_an_arm64_node_joins_takes_messages_runs_an_operator_and_reports(
    arm64_fogline: Arm64, tmp_path: Path
) -> None:
    machine = replace(arm64_fogline, shared=(tmp_path,))
    node = tmp_path / "pi"
    built = ("operator", "build", str(new("tidy", tmp_path)), "--process", "--arch", "arm64")
    image = (await obeyed(*built, "--into", str(node / "bundles"))).splitlines()[-1]
    spec = tmp_path / "lab.yaml"
    spec.write_text(SPEC.format(image=image))
    async with parents(tmp_path) as (listen, joining):
        token = await obeyed("token", "create", "--name", "pi", "--server", listen)
        join = ("fogline", "node", "join", joining, "--token", token, "--folder", node)
        out = await asyncio.to_thread(machine.run, *join)
        assert "this machine is node pi now" in out
        (port,) = free_ports(1)
        settings = (
            "--settings",
            node / "node.toml",
            "--allow-process",
            "--listener-port",
            port.split(":")[1],
        )
        more = (
            "--runtimes-docker",
            "",
            "--runtimes-bundles",
            node / "bundles",
            "--runtimes-start-within",
            "120",
        )
        async with started(machine, "fogline", "node", *settings, *more, log=tmp_path / "pi.log"):
            await obeyed("deploy", str(spec), "--server", listen)
            await until_told("containers", "--server", listen, holds=runs)
            await published(int(port.split(":")[1]))
            rows = await until_told(
                *("results", "lab", "--server", listen),
                holds=lambda rows: counted(rows) >= MESSAGES * 9 // 10,
            )
            assert counted(rows) == MESSAGES * 9 // 10
            assert max(row["values"]["score"] for row in rows) == pytest.approx(0.29)
            (usage,) = await until_told("top", "pi", "--once", "--server", listen, holds=bool)
            assert usage["arch"] == "aarch64"
            (operator,) = usage["containers"]
            assert (operator["name"], operator["runtime"], operator["state"]) == (
                "clean",
                "process",
                "running",
            )


def counted(rows: list[dict[str, Any]]) -> int:
    return sum(row["values"]["n"] for row in rows)


def runs(containers: list[dict[str, Any]]) -> bool:
    return [(one["node"], one["state"]) for one in containers] == [("pi", "running")]
