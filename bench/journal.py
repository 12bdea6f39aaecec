"""What the journal costs: messages a second, CPU seconds a million messages, fdatasyncs, bytes.

    python -m bench.journal [--messages N] [--batch N] [--bytes N] [--in-flight N] [--folder DIR] [--out FILE]

Batches are made before the clock starts, as the listener's arrays are made while it parses. One lane
reads every block again, so the figures contain what a node does with its journal.
"""

import argparse
import asyncio
import os
import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.report import Heading, Report, flags
from fog_node.journal import Journal, JournalSettings
from fog_node.journal.files import DiskFiles, DiskOutput, OutputFile
from fog_node.messages import Block, Messages
from fogline.model.clock import MILLISECOND, SystemClock


class CountedOutput(DiskOutput):
    """Counts what is synced."""

    syncs = 0

    def sync(self) -> None:
        CountedOutput.syncs += 1
        super().sync()


class CountedFiles(DiskFiles):
    """Counts folder syncs and makes counted files."""

    folder_syncs = 0

    def sync_folder(self, folder: Path) -> None:
        CountedFiles.folder_syncs += 1
        super().sync_folder(folder)

    def create(self, path: Path) -> OutputFile:
        return CountedOutput(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o640))


def batches(count: int, size: int, payload: int, seed: int, *, lengths: bool) -> list[Messages]:
    """As many different batches as are in flight, as parsing yields them: arrays and bytes."""
    rng = random.Random(seed)
    topics = [f"site/zone{n % 8}/sensor{n}/air" for n in range(64)]
    made = []
    for number in range(count):
        payloads = [b'{"ts":1700000000000,"temp":%05.2f,"pad":"' % (rng.random() * 90) for _ in range(size)]
        made.append(
            Messages(
                arrival_us=1_700_000_000_000_000 + number,
                client=f"device-{number % 20}",
                topics=topics,
                topic_codes=np.array([n % 64 for n in range(size)], np.uint32),
                payloads=[(p + b"x" * payload)[: payload - 2] + b'"}' for p in payloads],
                packet_ids=np.array([1 + n % 60_000 for n in range(size)], np.uint16),
                flags=bytes([1]) * size,
                lengths=np.full(size, payload, np.uint32) if lengths else None,
            )
        )
    return made


async def follow(journal: Journal, total: int, sink: list[int]) -> None:
    """Read every block once, right behind the writer."""
    origin = journal.origins("air")[-1].origin
    offset = 0
    while offset < total:
        await journal.grown(origin, offset)
        found = await journal.read(origin, offset)
        if isinstance(found, Block):
            sink.append(len(found.payloads))
            offset = found.end
            journal.progress("bench", origin, offset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The only line of the table."""

    batch: int
    in_flight_batches: int
    messages_s: float
    cpu_s_per_million: float
    fdatasyncs: int
    folder_syncs: int
    refused: int


COLUMNS = (
    Heading("batch", "messages a batch", ",d"),
    Heading("in_flight_batches", "batches in flight", "d"),
    Heading("messages_s", "messages/s", ",.0f"),
    Heading("cpu_s_per_million", "CPU-s/1M", ".3f"),
    Heading("fdatasyncs", "fdatasyncs", ",d"),
    Heading("folder_syncs", "folder syncs", ",d"),
    Heading("refused", "refused", ",d"),
)


async def measure(arguments: argparse.Namespace, folder: Path) -> Row:
    ready = batches(
        arguments.in_flight, arguments.batch, arguments.bytes, arguments.seed, lengths=arguments.lengths
    )
    total = arguments.messages // arguments.batch
    settings = JournalSettings(
        keep_bytes=64 << 20,
        commit_every_us=arguments.commit_every_ms * MILLISECOND,
    )
    async with Journal(
        settings,
        folder=folder / "journal",
        node="bench",
        clock=SystemClock(),
        entropy=os.urandom,
        files=CountedFiles(),
    ) as journal:
        journal.declare("air")
        await journal.plan_started("bench", journal.origins("air")[-1].origin)
        CountedOutput.syncs = CountedFiles.folder_syncs = 0
        sent = iter(range(total))

        async def feed() -> None:
            for number in sent:
                await journal.append("air", ready[number % len(ready)])

        wall, cpu = time.perf_counter(), time.process_time()
        async with asyncio.TaskGroup() as group:
            tidying = group.create_task(journal.run(), name="tidy the journal")
            async with asyncio.TaskGroup() as feeders:
                for _ in range(arguments.in_flight):
                    feeders.create_task(feed())
                if arguments.read:
                    feeders.create_task(follow(journal, total * arguments.batch, []))
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            tidying.cancel()
        counters = journal.counters("air")
        messages = counters.journaled
    return Row(
        batch=arguments.batch,
        in_flight_batches=arguments.in_flight,
        messages_s=messages / wall,
        cpu_s_per_million=cpu / messages * 1e6,
        fdatasyncs=CountedOutput.syncs,
        folder_syncs=CountedFiles.folder_syncs,
        refused=sum(counters.refused.values()),
    )


def main() -> None:
    parser = flags("journal", __doc__)
    parser.add_argument("--messages", type=int, default=3_000_000)
    parser.add_argument("--batch", type=int, default=10_000)
    parser.add_argument("--bytes", type=int, default=69, help="payload bytes a message")
    parser.add_argument("--in-flight", type=int, default=4, help="batches that wait at once")
    parser.add_argument("--commit-every-ms", type=int, default=5)
    parser.add_argument("--no-read", dest="read", action="store_false", help="no lane reads along")
    parser.add_argument("--lengths", action="store_true", help="hand the payloads' lengths in as a column")
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    report = Report("journal", arguments)
    with tempfile.TemporaryDirectory(prefix="fogline-bench-", dir=arguments.folder or Path.cwd()) as folder:
        row = asyncio.run(measure(arguments, Path(folder)))
    report.table(f"journal, {arguments.messages:,} messages of {arguments.bytes} bytes", [row], COLUMNS)
    report.end()


if __name__ == "__main__":
    main()
