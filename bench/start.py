"""How long a node's start takes by what its journal holds: opening it, and recalling who sent what.

    python -m bench.start [--messages 60000] [--batch 3] [--out bench/out/start.json]

Small blocks are the hard case: a device that waits for each acknowledgement makes a block of a message or two. The
first start after a power cut finds no note of the newest segment and reads it; the next one finds notes of all.
"""

import argparse
import asyncio
import multiprocessing
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.report import Heading, Report, flags
from fog_node.ingest.listener import ListenerSettings, recalled_sessions
from fog_node.journal import Journal, JournalSettings
from fog_node.messages import Messages
from fogline.model.clock import SystemClock

DEVICES: Final = 5
EVERY: Final = JournalSettings(commit_every_us=1, commit_burst=1_000_000_000)
"""Each batch a block of its own, so that filling does not take hours."""


@dataclass(frozen=True, slots=True)
class Row:
    """One start."""

    start: str
    open_s: float
    recall_s: float


COLUMNS: Final = (
    Heading("start", ""),
    Heading("open_s", "journal open s", ".3f"),
    Heading("recall_s", "senders recalled s", ".3f"),
)


def main() -> None:
    """Measure, print, write."""
    parser = flags("start", __doc__)
    parser.add_argument("--messages", type=int, default=60_000)
    parser.add_argument("--batch", type=int, default=3, help="messages in a block")
    arguments = parser.parse_args()
    report = Report("start", arguments)
    with tempfile.TemporaryDirectory(prefix="fogline-bench-", dir=".") as made:
        folder = Path(made) / "journal"
        filling = multiprocessing.get_context("spawn").Process(target=_fill, args=(folder, arguments))
        filling.start()
        filling.join()
        rows = [Row(name, *asyncio.run(_start(folder))) for name in ("after a power cut", "the next one")]
    title = f"{arguments.messages:,} messages in {arguments.messages // arguments.batch:,} blocks"
    report.table(title, rows, COLUMNS)
    report.end()


def _fill(folder: Path, arguments: argparse.Namespace) -> None:
    asyncio.run(_filled(folder, arguments.messages, arguments.batch))


async def _filled(folder: Path, messages: int, batch: int) -> None:
    async with _journal(folder) as journal:
        journal.declare("air")
        for first in range(0, messages, batch):
            await journal.append(
                "air",
                Messages(
                    arrival_us=time.time_ns() // 1000,
                    client=f"device-{first % DEVICES}",
                    topics=["site/north/air"],
                    topic_codes=[0] * batch,
                    payloads=[
                        b'{"ts":1700000000000,"id":%d,"temp":21.5}' % (first + n) for n in range(batch)
                    ],
                    packet_ids=[1 + (first + n) % 60_000 for n in range(batch)],
                    flags=bytes([1]) * batch,
                ),
            )
        os._exit(0)  # as a power cut: nothing is closed in order


async def _start(folder: Path) -> tuple[float, float]:
    began = time.perf_counter()
    async with _journal(folder) as journal:
        opened = time.perf_counter()
        for stream in journal.streams():
            journal.declare(stream)
        now_us = time.time_ns() // 1000
        await recalled_sessions(journal, journal.streams(), ListenerSettings(), now_us=now_us)
        recalled = time.perf_counter()
    return opened - began, recalled - opened


def _journal(folder: Path) -> Journal:
    return Journal(EVERY, folder=folder, node="bench", clock=SystemClock(), entropy=os.urandom)


if __name__ == "__main__":
    main()
