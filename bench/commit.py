"""The store's commit: parts and contributions a second, into SQLite and into PostgreSQL.

    python -m bench.commit [--seconds 5] [--postgresql URL] [--out bench/out/commit.json]

Each committer is a process of its own with its own origins of one plan, so that all of them write into the same
windows. A part has a row of (count, avg, min, max, p99) for each of ten zones in the newest window; a window lasts a
second. What an aggregator of so many nodes sends is a part with as many contributions. Without a URL PostgreSQL is
started here, from this machine's binaries, with its usual fsync.
"""

import asyncio
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path

import numpy as np

from bench.report import Heading, Report, flags
from cloud.store.opening import open_store
from cloud.store.releases import NewPlan
from cloud.store.rows import layouts_of
from cloud.store.settlement import Submission
from cloud.store.store import Store
from fogline.engine.batch import Batch, NumberColumn, TextColumn
from fogline.engine.state import PartState, ReadingTerm
from fogline.engine.windows import WindowProgram
from fogline.model.clock import SECOND
from fogline.model.part import Contribution, Origin, Part
from fogline.model.plan import Plan
from fogline.spec import make_plan, read_spec
from fogline.wire.plan import plan_id, plan_to_wire
from tests.postgres import PostgresAbsent, private_postgres

T0 = 1_700_000_000 * SECOND
ZONES = 10
PIPELINE = """\
name: bench
streams:
  air: {mqtt: "greenhouse/{zone}/air", format: json, time: ts, fields: {temp: {type: float, resolution: 0.01}}}
steps:
  by_zone:
    sql: |
      SELECT zone, count(*) AS n, avg(temp) AS mean, min(temp) AS low, max(temp) AS high,
             quantile(temp, 0.99) AS p99
      FROM air GROUP BY zone, TUMBLE(ts, INTERVAL '1 second')
late: {disorder: 1s, wait: 2m, keep: 1d}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one line measures."""

    committers: int
    contributions: int
    """In one part."""
    parts: int = 1
    """In one transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What one committer does."""

    url: str
    folder: Path
    number: int
    load: Load
    seconds: float


LOADS = (
    Load(committers=1, contributions=1),
    Load(committers=4, contributions=1),
    Load(committers=1, contributions=1, parts=100),
    Load(committers=1, contributions=10),
    Load(committers=1, contributions=100),
    Load(committers=1, contributions=1000),
    Load(committers=2, contributions=1000),
    Load(committers=4, contributions=1000),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table."""

    store: str
    committers: int
    contributions_a_part: int
    parts_a_commit: int
    parts_s: float
    contributions_s: float
    cpu_ms_a_commit: float
    """Of the committing processes alone; a database's own is not in it."""
    p50_ms: float
    p99_ms: float


COLUMNS = (
    Heading("store", ""),
    Heading("committers", "committers", "d"),
    Heading("contributions_a_part", "contributions a part", ",d"),
    Heading("parts_a_commit", "parts a commit", ",d"),
    Heading("parts_s", "parts/s", ",.0f"),
    Heading("contributions_s", "contributions/s", ",.0f"),
    Heading("cpu_ms_a_commit", "CPU ms a commit", ".2f"),
    Heading("p50_ms", "p50 ms"),
    Heading("p99_ms", "p99 ms"),
)


def main() -> None:
    """Measure, print, write."""
    parser = flags("commit", __doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each line")
    parser.add_argument("--postgresql", default="", help="URL of an empty database, instead of one made here")
    parser.add_argument("--only", choices=("sqlite", "postgresql"), help="one store alone")
    arguments = parser.parse_args()
    url, arguments.postgresql = arguments.postgresql, bool(arguments.postgresql)  # no password in the file
    report = Report("commit", arguments)
    with tempfile.TemporaryDirectory(prefix="fogline-bench-", dir=".") as folder:
        for store in ("sqlite", "postgresql") if arguments.only is None else (arguments.only,):
            rows = list(measured(store, url, Path(folder), arguments.seconds))
            report.table(f"commits into {store}", rows, COLUMNS)
    report.end()


def measured(store: str, given: str, folder: Path, seconds: float) -> Iterator[Row]:
    """The lines of one store."""
    with ExitStack() as stack:
        server = None
        if store == "postgresql" and not given:
            try:
                server = stack.enter_context(private_postgres(durable=True))
            except PostgresAbsent as missing:
                print(f"not measured: {missing}")
                return
        for number, load in enumerate(LOADS):
            place = folder / f"{store}-{number}"
            url = given if server is None else server.database()
            yield run(store, url if store == "postgresql" else "", place, load, seconds)


def run(store: str, url: str, folder: Path, load: Load, seconds: float) -> Row:
    """One line: its committers, all at once."""
    folder.mkdir()
    asyncio.run(deploy(url, folder))
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(load.committers), context.Queue()
    processes = [
        context.Process(target=committer, args=(task, barrier, answers))
        for task in (
            Task(url=url, folder=folder, number=number, load=load, seconds=seconds)
            for number in range(load.committers)
        )
    ]
    for process in processes:
        process.start()
    told: list[tuple[float, list[float]]] = [answers.get() for _ in processes]
    for process in processes:
        process.join()
    waits = np.concatenate([np.array(waits) for _, waits in told])
    commits_s = sum(len(waits) / sum(waits) for _, waits in told)
    return Row(
        store=store,
        committers=load.committers,
        contributions_a_part=load.contributions,
        parts_a_commit=load.parts,
        parts_s=commits_s * load.parts,
        contributions_s=commits_s * load.parts * load.contributions,
        cpu_ms_a_commit=1000 * sum(cpu for cpu, _ in told) / len(waits),
        p50_ms=1000 * float(np.quantile(waits, 0.5)),
        p99_ms=1000 * float(np.quantile(waits, 0.99)),
    )


def committer(
    task: Task, barrier: Barrier, answers: "multiprocessing.Queue[tuple[float, list[float]]]"
) -> None:
    """The process of one committer."""
    answers.put(asyncio.run(commit(task, barrier)))


async def commit(task: Task, barrier: Barrier) -> tuple[float, list[float]]:
    """CPU seconds, and how long each commit took."""
    plan = make_plan(read_spec(PIPELINE), "main")
    async with open_store(task.url, task.folder, T0) as store:
        offset, waits, cpu = 0, [], 0.0
        # Once unmeasured: plans, origins and statements are then known.
        for _ in range(3):
            await store.commit(submissions(plan, task.number, task.load, offset, T0), T0)
            offset += 1
        barrier.wait()
        until = time.monotonic() + task.seconds
        while time.monotonic() < until:
            at_us = T0 + (time.time_ns() // 1000) % (3600 * SECOND)
            batch = submissions(plan, task.number, task.load, offset, at_us)
            before, began = _cpu(), time.monotonic()
            told = await store.commit(batch, at_us)
            waits.append(time.monotonic() - began)
            cpu += _cpu() - before
            assert not any(answer.refused for answer in told)
            offset += 1
    return cpu, waits


def submissions(plan: Plan, number: int, load: Load, offset: int, at_us: int) -> list[Submission]:
    """A transaction's parts: each origin goes on by one message."""
    state = state_of(plan, at_us)
    return [
        Submission(
            tenant="main",
            plan=plan_id(plan),
            part=Part(
                contributions=tuple(
                    Contribution(origin=name, start=0, first=offset, end=offset + 1, watermark=at_us)
                    for name in _origins(number, part, load.contributions)
                ),
                state=state,
            ),
        )
        for part in range(load.parts)
    ]


def state_of(plan: Plan, at_us: int) -> PartState:
    """What a hundred readings of each zone say."""
    rows = ZONES * 100
    batch = Batch(
        rows=rows,
        time_us=np.full(rows, at_us, dtype=np.int64),
        columns={
            "zone": TextColumn(
                codes=np.arange(rows, dtype=np.int32) % ZONES,
                dictionary=tuple(f"zone-{zone}" for zone in range(ZONES)),
            ),
            "temp": NumberColumn(values=20 + np.sin(np.arange(rows)), resolution=0.01),
        },
    )
    answer = WindowProgram(plan.steps[0], plan.max_keys).run(batch)
    counted = ReadingTerm("air", plan.steps[0].name, "counted")
    return PartState(tables=(answer.table,), counts={counted: answer.counted})


async def deploy(url: str, folder: Path) -> None:
    """Make the store and its plan."""
    plan = make_plan(read_spec(PIPELINE), "main")
    async with open_store(url, folder, T0) as store:
        await _deploy(store, plan)


async def _deploy(store: Store, plan: Plan) -> None:
    wire = plan_to_wire(plan).SerializeToString(deterministic=True)
    new = NewPlan(
        tenant="main",
        plan=plan_id(plan),
        pipeline="bench",
        wire=wire,
        spec=PIPELINE,
        steps=tuple(layouts_of(plan).values()),
    )
    await store.deploy(new, T0)


def _origins(number: int, part: int, count: int) -> list[Origin]:
    return [
        Origin(tenant="main", node=f"c{number}-p{part}-n{node}", stream="air", epoch=bytes(16))
        for node in range(count)
    ]


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
