"""From `deploy` to an operator's first output, its image being on the node, and where the time goes.

    python -m bench.deploy [--deploys 20] [--runtimes docker process] [--out bench/out/deploy.json]

A ``fogline up`` with one node and a device that publishes 20 messages a second. Each deploy is of a new pipeline with
an operator of its own, made by ``fogline operator build`` as a user makes it; image and bundle are warm. The operator
writes the times into its rows, so that they come out as results. CPU of a container: 0.5 cores, what it gets where a
pipeline says nothing.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Final

from bench.made import built, flags_of_operators, operator_folder
from bench.report import Heading, Report, flags
from bench.site import site
from fogline.client import AsyncClient
from tests.faults.device import Device

NAME: Final = "fogline-bench-deployed"
EVERY_S: Final = 0.05
PAUSE_S: Final = 6.0
"""Between two deploys: nobody deploys faster, and the cloud makes a reader of specs ready meanwhile."""
WITHIN_S: Final = 60.0
FIRST: Final = """\
name: first
streams: {first: {mqtt: "first/{zone}", fields: {n: int}}}
steps: {all: {sql: "SELECT zone, count(*) AS n FROM first GROUP BY zone, TUMBLE(arrival, INTERVAL '1 hour')"}}
"""
SPEC: Final = """\
name: @name@
streams: {@name@: {mqtt: "@name@/{zone}", fields: {n: int}}}
steps:
  clean: {image: "@image@", from: @name@, fields: {began: int, ready: int, answered: int}, labels: [zone]}
  all:
    sql: |
      SELECT zone, count(*) AS n, min(began) AS began, min(ready) AS ready, min(answered) AS answered
      FROM clean GROUP BY zone, TUMBLE(arrival, INTERVAL '1 hour')
emit: {every: 100ms, on: change}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploy:
    """Milliseconds between one thing and the next."""

    stored: float
    """From the command until the plan is stored."""
    at_node: float
    """Until the node has applied the desired state."""
    began: float
    """Until the operator's process began."""
    ready: float
    """Until it had imported everything."""
    answered: float
    """Until it had answered its first batch: the first output."""
    result: float
    """Until a reader had the result."""

    @property
    def first_output(self) -> float:
        """The whole way to the first output."""
        return self.stored + self.at_node + self.began + self.ready + self.answered


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    p50: float
    p99: float
    worst: float


COLUMNS: Final = (
    Heading("what", ""),
    Heading("p50", "p50 ms", ",.0f"),
    Heading("p99", "p99 ms", ",.0f"),
    Heading("worst", "worst ms", ",.0f"),
)
STAGES: Final = {
    "first_output": "deploy to first output",
    "stored": "  plan stored",
    "at_node": "  desired state at the node",
    "began": "  its process began",
    "ready": "  it had imported everything",
    "answered": "  socket open, dialled, first batch answered",
    "result": "then until a reader has the result",
}


def main() -> None:
    """Measure, print, write."""
    parser = flags("deploy", __doc__)
    parser.add_argument("--deploys", type=int, default=20, help="for each runtime")
    flags_of_operators(parser)
    arguments = parser.parse_args()
    report = Report("deploy", arguments)
    with tempfile.TemporaryDirectory(prefix="fogline-bench-", dir=".") as made:
        folder = Path(made)
        source = Path(__file__).with_name("deployed.py").read_text()
        operator = operator_folder(folder, NAME, source)
        for runtime in arguments.runtimes:
            deploys = _measure(folder / runtime, operator, runtime, arguments)
            report.table(f"{runtime}: {len(deploys)} deploys", _rows(runtime, deploys), COLUMNS)
    report.end()


def _measure(folder: Path, operator: Path, runtime: str, arguments: argparse.Namespace) -> list[Deploy]:
    with built(operator, runtime, bundles=folder / "bundles", base=arguments.base) as image:
        return asyncio.run(_deploys(folder, image, arguments.deploys))


async def _deploys(folder: Path, image: str, number: int) -> list[Deploy]:
    with site(folder, pipeline=FIRST) as running:
        device = Device("bench", "127.0.0.1", running.ports[0], in_flight=1_000)
        async with AsyncClient(directory=folder) as client:
            link = asyncio.create_task(device.run())
            try:
                return [
                    await _deploy(client, device, folder / "logs" / "node-1.log", f"d{place}", image)
                    for place in range(number)
                ]
            finally:
                link.cancel()


async def _deploy(client: AsyncClient, device: Device, log: Path, name: str, image: str) -> Deploy:
    await asyncio.sleep(PAUSE_S)
    publishing = asyncio.create_task(_publish(device, f"{name}/north".encode()))
    began = time.time()
    try:
        generation = (await client.deploy(SPEC.replace("@name@", name).replace("@image@", image))).generation
        stored = time.time()
        async with asyncio.timeout(WITHIN_S), client.follow(name) as following:
            result = await anext(aiter(following))
        read = time.time()
    finally:
        publishing.cancel()
        with suppress(asyncio.CancelledError):
            await publishing
    process, ready, answered = (
        float(str(result.values[key])) / 1e6 for key in ("began", "ready", "answered")
    )
    instants = [began, stored, _applied(log, generation), process, ready, answered, read]
    return Deploy(
        **dict(
            zip(
                ("stored", "at_node", "began", "ready", "answered", "result"),
                ((after - before) * 1e3 for before, after in pairwise(instants)),
                strict=True,
            )
        )
    )


async def _publish(device: Device, topic: bytes) -> None:
    for number in range(10**9):
        await device.publish(topic, b'{"n":%d}' % number)
        await asyncio.sleep(EVERY_S)


def _applied(log: Path, generation: int) -> float:
    """When the node had applied this generation, by its log."""
    for line in log.read_text().splitlines():
        with suppress(ValueError):
            said = json.loads(line)
            if said.get("event") == "desired state applied" and said["generation"] >= generation:
                return datetime.fromisoformat(said["timestamp"]).timestamp()
    raise LookupError(f"{log} does not say that generation {generation} was applied")


def _rows(runtime: str, deploys: Sequence[Deploy]) -> list[Row]:
    rows = []
    for stage, words in STAGES.items():
        took = sorted(getattr(one, stage) for one in deploys)
        rows.append(
            Row(
                f"{runtime}: {words}" if stage == "first_output" else words,
                took[len(took) // 2],
                took[len(took) * 99 // 100],
                took[-1],
            )
        )
    return rows


if __name__ == "__main__":
    main()
