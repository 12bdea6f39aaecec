"""How many bytes the disk writes for so many bytes of messages: what wears an SD card out.

    python bench/journal_wear.py --folder DIR --device NAME [--seconds N] [--rate N] [--commit-every-ms N]

``DIR`` lies on a file system that nobody else uses; ``NAME`` is its block device in /sys/block.
"""

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path

from fog_node.journal import Journal, JournalSettings
from fog_node.messages import Messages
from fogline.model.clock import MILLISECOND, SystemClock

SECTOR = 512
DAY = 86_400


def written(device: str) -> int:
    """Bytes that the device was asked to write since it came up."""
    return int(Path(f"/sys/block/{device}/stat").read_text().split()[6]) * SECTOR


async def send(journal: Journal, arguments: argparse.Namespace) -> int:
    """One message a device and turn, evenly, as sensors do."""
    payload = b'{"ts":1700000000000,"temp":21.50,"pad":"' + b"x" * (arguments.bytes - 42) + b'"}'
    clock = SystemClock()
    began, sent = time.monotonic(), 0
    async with asyncio.TaskGroup() as group:
        while time.monotonic() - began < arguments.seconds:
            group.create_task(
                journal.append(
                    "air",
                    Messages(
                        arrival_us=clock.now_us(),
                        client=f"device-{sent % 20}",
                        topics=[f"site/device-{sent % 20}/air"],
                        topic_codes=[0],
                        payloads=[payload],
                        packet_ids=[1 + sent % 60_000],
                        flags=b"\1",
                    ),
                )
            )
            sent += 1
            await asyncio.sleep(max(began + sent / arguments.rate - time.monotonic(), 0))
    return sent


async def measure(arguments: argparse.Namespace, folder: Path) -> None:
    settings = JournalSettings(commit_every_us=arguments.commit_every_ms * MILLISECOND)
    async with Journal(
        settings, folder=folder / "journal", node="bench", clock=SystemClock(), entropy=os.urandom
    ) as journal:
        journal.declare("air")
        os.sync()
        before = written(arguments.device)
        sent = await send(journal, arguments)
        os.sync()
        device = written(arguments.device) - before
        stored = journal.usage().used
    payload = sent * arguments.bytes
    a_day = device / sent * arguments.rate * DAY
    print(
        f"{arguments.rate:>7} messages/s, commit every {arguments.commit_every_ms:>4} ms: payload "
        f"{payload / sent:.0f} B, journal {stored / sent:.0f} B, disk {device / sent:.0f} B a message; "
        f"{device / payload:.1f} x the payload, {a_day / 1e9:.2f} GB a day"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--device", required=True, help="for example mmcblk0 or loop0")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", type=float, default=10, help="messages a second")
    parser.add_argument("--bytes", type=int, default=69, help="payload bytes a message")
    parser.add_argument("--commit-every-ms", type=int, default=100)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        asyncio.run(measure(arguments, Path(folder)))


if __name__ == "__main__":
    main()
