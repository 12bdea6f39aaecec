"""Records a journal as this release writes it: ``python -m tests.contract.formats.record_journal``.

Run it once for each release that changes the format, into a new folder, and keep the folders of all earlier ones:
test_journal_formats.py opens every one of them.
"""

import asyncio
import shutil
from pathlib import Path
from random import Random

from fog_node.journal import Journal, JournalSettings
from fog_node.messages import Messages
from fogline.testing.clock import ManualClock

FOLDER = Path(__file__).parent / "journal-0.1.0"
SETTINGS = JournalSettings(commit_every_us=0, reserve_bytes=4096, block_bytes=2048, segment_bytes=4096)
ARRIVAL_US = 1_700_000_000_000_000
NODE, STREAM, PLAN = "n1", "air", "0123456789abcdef"


def open_journal(folder: Path, run: int) -> Journal:
    """A journal of the recorded node; each run of the writer has an epoch of its own."""
    return Journal(SETTINGS, folder=folder, node=NODE, clock=ManualClock(), entropy=Random(run).randbytes)


def payload(run: int, number: int) -> bytes:
    """What message ``number`` of one run of the writer says."""
    return b'{"run": %d, "number": %d, "text": "%s"}' % (run, number, b"x" * (number % 40))


def batch(run: int, numbers: range) -> Messages:
    """Messages of one device."""
    return Messages(
        arrival_us=ARRIVAL_US + run,
        client=f"device-{run}",
        topics=["site/a", "site/b"],
        topic_codes=[number % 2 for number in numbers],
        payloads=[payload(run, number) for number in numbers],
        packet_ids=[1 + number for number in numbers],
        flags=bytes([1]) * len(numbers),
    )


async def record(folder: Path) -> None:
    """Two runs: of the first, half is committed; the second one follows."""
    for run in range(2):
        async with open_journal(folder, run) as journal:
            journal.declare(STREAM)
            for first in range(0, 100, 20):
                await journal.append(STREAM, batch(run, range(first, first + 20)))
            if run == 0:
                [origin] = [state.origin for state in journal.origins(STREAM)]
                await journal.plan_started(PLAN, origin)
                journal.progress(PLAN, origin, 50)


if __name__ == "__main__":
    shutil.rmtree(FOLDER, ignore_errors=True)
    asyncio.run(record(FOLDER))
