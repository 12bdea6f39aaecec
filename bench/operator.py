"""What an operator in Python costs: the round trip of a batch over the socket, and readings a second and core.

    python -m bench.operator [--seconds 3] [--out bench/out/operator.json]

The node's gateway and one replica, a process each, with the operator of docs/operators.md over readings of two
labels and a float. A core's readings a second are readings by the CPU time of both processes: what a node with one
core would reach.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.engine import batch_of
from bench.processes import cpu_s, stop
from bench.report import Heading, Report, flags
from fog_node.messages import Range
from fog_node.operators.gateway import Operators
from fog_node.operators.settings import OperatorSettings
from fog_node.steps.graph import RowStep
from fogline.engine.batch import Batch
from fogline.model.clock import SystemClock
from fogline.model.part import Origin
from fogline.model.plan import FieldSpec, LabelSpec, OperatorQuery, OutputColumn, Plan, StepSpec, StreamSpec
from fogline.operator import Batch as Rows
from fogline.operator import operator

ROUND_TRIPS: Final = 500
UNDER_WAY: Final = 8
"""Batches that wait or are under way, so that the replica always has one."""
ORIGIN: Final = Origin(tenant="main", node="n1", stream="air", epoch=b"b" * 16)


@operator
def clean(batch: Rows) -> Rows:
    """Leave out what is too hot, and add a score."""
    good = batch.filter(batch["temp"] < 85)
    return good.with_columns(score=good["temp"] / 85)


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """One line: a batch at a time."""

    what: str
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Rate:
    """One line: as many as the gateway gives."""

    what: str
    readings_s: float
    readings_s_core: float
    operator_s_per_million: float
    node_s_per_million: float


def plan() -> Plan:
    """``air`` -> ``clean`` (operator)."""
    labels = ("device", "zone")
    air = StreamSpec(
        name="air",
        topic="air/{zone}/{device}",
        format="json",
        time=None,
        labels=tuple(LabelSpec(name=name) for name in labels),
        fields=(FieldSpec(name="temp", path=("temp",), resolution=0.01),),
    )
    output = (
        *(OutputColumn(name=name, type="text") for name in labels),
        OutputColumn(name="temp", type="float", resolution=0.01),
        OutputColumn(name="score", type="float"),
    )
    query = OperatorQuery(columns=output)
    step = StepSpec(name="clean", source="air", stream="air", where=None, query=query)
    return Plan(
        tenant="main",
        pipeline="bench",
        streams=(air,),
        steps=(step,),
        disorder_us=0,
        wait_us=0,
        keep_us=1,
        emit_every_us=1,
        max_keys=1,
    )


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[tuple[RowStep, int]]:
    """The step, and the process id of its replica."""
    operators = Operators(OperatorSettings(), folder=folder, clock=SystemClock())
    step = operators.row_steps("p1", plan())["clean"]
    carrying = asyncio.create_task(operators.run())
    socket = folder / "0.sock"
    command = [sys.executable, "-m", "fogline.operator", "bench.operator:clean", "--socket", str(socket)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: ASYNC220 - before anything is measured
    try:
        operators.replica_up("p1", "clean", 0, socket)
        await answer(step, batch_of(1, 1))
        yield step, process.pid
    finally:
        carrying.cancel()
        await asyncio.wait((carrying,))
        stop(process)


async def answer(step: RowStep, batch: Batch) -> None:
    """One batch there and back."""
    found = await step.answer(batch, Range(ORIGIN, 0, batch.rows))
    assert found.batch.rows == batch.rows - found.filtered


async def round_trips(step: RowStep, rows: int) -> RoundTrip:
    """Batch after batch, one at a time."""
    batch, took = batch_of(rows, 1), []
    for _ in range(ROUND_TRIPS):
        began = time.perf_counter()
        await answer(step, batch)
        took.append((time.perf_counter() - began) * 1e3)
    took.sort()
    return RoundTrip(f"a batch of {rows:,}", took[len(took) // 2], took[len(took) * 99 // 100])


async def rate(step: RowStep, pid: int, rows: int, seconds: float) -> Rate:
    """Readings through the replica while there is always more."""
    batch, ends = batch_of(rows, 1), time.perf_counter() + seconds
    answered = 0

    async def one_after_the_other() -> None:
        nonlocal answered
        while time.perf_counter() < ends:
            await answer(step, batch)
            answered += rows

    began, theirs, ours = time.perf_counter(), cpu_s(pid), cpu_s(os.getpid())
    await asyncio.gather(*(one_after_the_other() for _ in range(UNDER_WAY)))
    took, theirs, ours = time.perf_counter() - began, cpu_s(pid) - theirs, cpu_s(os.getpid()) - ours
    return Rate(
        f"batches of {rows:,}",
        answered / took,
        answered / (theirs + ours),
        theirs / answered * 1e6,
        ours / answered * 1e6,
    )


async def measure(arguments: argparse.Namespace) -> tuple[list[RoundTrip], list[Rate]]:
    """All lines of both tables."""
    with tempfile.TemporaryDirectory(prefix="fl-") as folder:
        async with running(Path(folder)) as (step, pid):
            trips = [await round_trips(step, rows) for rows in (1, 100, 1_000, 10_000)]
            rates = [await rate(step, pid, rows, arguments.seconds) for rows in (100, 1_000, 10_000, 50_000)]
    return trips, rates


def main() -> None:
    """Print the tables, and write the file."""
    parser = flags("operator", __doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each rate")
    arguments = parser.parse_args()
    report = Report("operator", arguments)
    trips, rates = asyncio.run(measure(arguments))
    report.table(
        "round trip over the socket",
        trips,
        (
            Heading("what", "one at a time"),
            Heading("p50_ms", "p50 ms", ",.2f"),
            Heading("p99_ms", "p99 ms", ",.2f"),
        ),
    )
    report.table(
        "readings through an operator in Python",
        rates,
        (
            Heading("what", "always more"),
            Heading("readings_s", "readings/s", ",.0f"),
            Heading("readings_s_core", "readings/s/core", ",.0f"),
            Heading("operator_s_per_million", "operator CPU-s/1M", ",.2f"),
            Heading("node_s_per_million", "node CPU-s/1M", ",.2f"),
        ),
    )
    report.end()


if __name__ == "__main__":
    main()
