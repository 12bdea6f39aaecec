"""From the join line on a machine where Fogline is installed to a node that is seen and runs an operator.

    python -m bench.join [--joins 5] [--runtimes docker process] [--out bench/out/join.json]

A ``fogline up``, and a pipeline with an operator on all nodes. Each join is of another machine's folder, with a token
of its own: ``fogline node join HOST:PORT --token ... --start``. Image and bundle are warm; what fetching one costs is
in docs/image-cache.md. The node is new, so identity, first report, desired state, container and the first answer to a
message that a device publishes to it are all in the time.
"""

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from bench.made import built, flags_of_operators, fogline, operator_folder
from bench.processes import stop
from bench.report import Heading, Report, flags
from bench.site import site
from fogline.client import AsyncClient
from tests.faults.device import Device
from tests.faults.house import free_port

NAME: Final = "fogline-bench-joined"
EVERY_S: Final = 0.05
WITHIN_S: Final = 120.0
PIPELINE: Final = """\
name: joins
streams: {joins: {mqtt: "joins/{zone}", fields: {n: int}}}
steps: {all: {sql: "SELECT zone, count(*) AS n FROM joins GROUP BY zone, TUMBLE(arrival, INTERVAL '1 hour')"}}
"""
WITH_OPERATOR: Final = """\
name: joins
streams: {joins: {mqtt: "joins/{zone}", fields: {n: int}}}
steps:
  clean: {image: "@image@", from: joins, fields: {began: int, ready: int, answered: int}, labels: [zone]}
  all:
    sql: |
      SELECT zone, count(*) AS n, min(began) AS began, min(ready) AS ready, min(answered) AS answered
      FROM clean GROUP BY zone, TUMBLE(arrival, INTERVAL '1 hour')
emit: {every: 100ms, on: change}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """Seconds between one thing and the next."""

    seen: float
    """From the join line until the cloud shows the node."""
    runs: float
    """Until it shows the operator's replica on it as running."""
    result: float
    """Until a reader had a result that its operator answered for."""

    @property
    def whole(self) -> float:
        """From the join line to the result."""
        return self.seen + self.runs + self.result


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    p50: float
    worst: float


COLUMNS: Final = (
    Heading("what", ""),
    Heading("p50", "p50 s", ".2f"),
    Heading("worst", "worst s", ".2f"),
)
STAGES: Final = {
    "whole": "join line to the first result of the node's operator",
    "seen": "  the cloud shows the node",
    "runs": "  it shows the operator as running there",
    "result": "  a reader has its first result",
}


def main() -> None:
    """Measure, print, write."""
    parser = flags("join", __doc__)
    parser.add_argument("--joins", type=int, default=5, help="for each runtime")
    flags_of_operators(parser)
    arguments = parser.parse_args()
    report = Report("join", arguments)
    with tempfile.TemporaryDirectory(prefix="fogline-bench-", dir=".") as made:
        folder = Path(made).absolute()
        source = Path(__file__).with_name("deployed.py").read_text()
        operator = operator_folder(folder, NAME, source)
        for runtime in arguments.runtimes:
            joins = _measure(folder / runtime, operator, runtime, arguments)
            report.table(f"{runtime}: {len(joins)} joins", _rows(runtime, joins), COLUMNS)
    report.end()


def _measure(folder: Path, operator: Path, runtime: str, arguments: argparse.Namespace) -> list[Join]:
    bundles = folder / "bundles"
    with built(operator, runtime, bundles=bundles, base=arguments.base) as image:
        return asyncio.run(_joins(folder, image, arguments.joins))


async def _joins(folder: Path, image: str, number: int) -> list[Join]:
    with site(folder, pipeline=PIPELINE):
        enrol = tomllib.loads((folder / "settings" / "aggregator.toml").read_text())["enrol"]
        async with AsyncClient(directory=folder) as client:
            await client.deploy(WITH_OPERATOR.replace("@image@", image))
            return [await _join(client, folder, f"fresh-{place}", enrol) for place in range(number)]


async def _join(client: AsyncClient, folder: Path, name: str, enrol: str) -> Join:
    port = free_port()
    if (folder / "bundles").is_dir():
        shutil.copytree(folder / "bundles", folder / name / "bundles")
    token = fogline("token", "create", "--name", name, "--dir", str(folder)).splitlines()[-1].split()[-1]
    began = time.monotonic()
    async with _joined(folder, name, enrol, token, port), asyncio.timeout(WITHIN_S):
        device = Device(name, "127.0.0.1", port, in_flight=1_000)
        link, publishing = asyncio.create_task(device.run()), asyncio.create_task(_publish(device, name))
        try:
            instants = [began]
            for happened in (_is_seen, _runs, _has_result):
                while not await happened(client, name):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
                instants.append(time.monotonic())
        finally:
            for task in (link, publishing):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
    seen, runs, result = (after - before for before, after in pairwise(instants))
    return Join(seen=seen, runs=runs, result=result)


async def _is_seen(client: AsyncClient, name: str) -> bool:
    return any([node.name == name async for node in client.nodes()])


async def _runs(client: AsyncClient, name: str) -> bool:
    return any([one.state == "running" async for one in client.containers(node=name)])


async def _has_result(client: AsyncClient, name: str) -> bool:
    return any([result.key["zone"] == name async for result in client.results("joins")])


async def _publish(device: Device, name: str) -> None:
    for number in range(10**9):
        await device.publish(f"joins/{name}".encode(), b'{"n":%d}' % number)
        await asyncio.sleep(EVERY_S)


@asynccontextmanager
async def _joined(folder: Path, name: str, enrol: str, token: str, port: int) -> AsyncIterator[None]:
    """The node, until the end."""
    words = ("node", "join", enrol, "--name", name, "--folder", str(folder / name), "--start")
    environment = {
        **os.environ,
        "FOGLINE_JOIN_TOKEN": token,
        "FOGLINE_NODE_LISTENER_PORT": str(port),
        "FOGLINE_NODE_ALLOW_PROCESS": "true",
    }
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: ASYNC220 - nothing else is timed meanwhile
            [sys.executable, "-m", "fogline", *words], env=environment, stdout=log, stderr=log
        )
    try:
        yield
    except TimeoutError:
        said = (folder / f"{name}.log").read_text()[-3000:]
        raise SystemExit(f"{name} was not at work after {WITHIN_S:g} s; it said:\n{said}") from None
    finally:
        await asyncio.to_thread(stop, process)
        await asyncio.to_thread(_remove_containers, name)


def _remove_containers(node: str) -> None:
    """A node that stops leaves its containers to its next life, and this one has none."""
    asked = ["docker", "ps", "--all", "--quiet", "--filter", f"label=fogline.node={node}"]
    with suppress(FileNotFoundError):
        found = subprocess.run(asked, check=False, capture_output=True, text=True).stdout.split()
        if found:
            subprocess.run(["docker", "rm", "--force", *found], check=False, capture_output=True)


def _rows(runtime: str, joins: Sequence[Join]) -> list[Row]:
    rows = []
    for stage, words in STAGES.items():
        took = sorted(getattr(one, stage) for one in joins)
        rows.append(Row(f"{runtime}: {words}" if stage == "whole" else words, took[len(took) // 2], took[-1]))
    return rows


if __name__ == "__main__":
    main()
