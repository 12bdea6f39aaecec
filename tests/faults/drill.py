"""Random kills under load: ``python -m tests.faults.drill --kills 200 --seed 7``.

Devices publish at a fixed rate while processes are killed with -9 at random moments. At the end every window
of every device must say exactly what was published, and the ledger must add up.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.device import Device
from tests.faults.site import Site
from tests.faults.truth import PIPELINE, Truth

RATE = 12_000
"""Messages a second over all devices."""
DEVICES = 8
TICK_S = 0.01
IN_FLIGHT = 2_000
CATCH_UP_S = 5.0
"""A device that could not publish catches up on so much."""
SETTLE_WITHIN_S = 120.0


@dataclass
class Report:
    """What the drill saw."""

    seed: int
    kills: Counter[str] = field(default_factory=Counter)
    messages: int = 0
    seconds: float = 0.0
    repeated: int = 0
    reconnects: int = 0
    differences: list[str] = field(default_factory=list)
    ledger: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        kills = ", ".join(f"{tier} {n}" for tier, n in sorted(self.kills.items())) or "none"
        rate = self.messages / self.seconds if self.seconds else 0
        lines = [
            f"seed {self.seed}: {sum(self.kills.values())} kills ({kills})",
            f"{self.messages} messages in {self.seconds:.0f} s ({rate:.0f}/s)",
            f"{self.repeated} sent again, {self.reconnects} reconnects",
        ]
        wrong = self.differences + self.ledger
        lines += wrong[:20] or ["every message counted exactly once; the ledger adds up"]
        return "\n".join(lines)


class Load:
    """Devices that publish at a rate; messages that could not be taken wait, none is forgotten."""

    def __init__(self, listeners: list[tuple[str, int]], rng: random.Random) -> None:
        self.truth = Truth()
        self._rng = rng
        self._devices = [
            Device(f"device-{i}", *listeners[i % len(listeners)], in_flight=IN_FLIGHT) for i in range(DEVICES)
        ]
        self.stopping = asyncio.Event()

    async def run(self) -> None:
        """Publish until :attr:`stopping`, then until everything is acknowledged."""
        async with asyncio.TaskGroup() as group:
            links = [group.create_task(device.run(), name="device") for device in self._devices]
            async with asyncio.TaskGroup() as publishing:
                for index, device in enumerate(self._devices):
                    publishing.create_task(self._publish(index, device), name="publish")
            for link in links:
                link.cancel()

    async def _publish(self, index: int, device: Device) -> None:
        name, topic = f"d{index}", f"drill/d{index}/beat".encode()
        next_at, id_ = time.monotonic(), index
        while not self.stopping.is_set():
            next_at += TICK_S
            for _ in range(round(RATE / DEVICES * TICK_S)):
                id_ += DEVICES
                ts_ms, dice = time.time_ns() // 1_000_000, self._rng.randrange(2**30)
                self.truth.add(name, ts_ms, id_, dice)
                await device.publish(topic, b'{"ts":%d,"id":%d,"dice":%d}' % (ts_ms, id_, dice))
            await device.flush()
            await asyncio.sleep(max(0.0, next_at - time.monotonic()))
            next_at = max(next_at, time.monotonic() - CATCH_UP_S)
        await device.all_taken()

    @property
    def repeated(self) -> int:
        return sum(device.repeated for device in self._devices)

    @property
    def reconnects(self) -> int:
        return sum(max(0, device.connections - 1) for device in self._devices)


async def drill(folder: Path, *, kills: int, seed: int, progress: bool = False) -> Report:
    """Run the tiers, load them, kill at random, and compare."""
    rng = random.Random(seed)
    report = Report(seed=seed)
    pipeline = folder / "drill.yaml"
    pipeline.write_text(PIPELINE)
    async with Site(folder / "site", pipeline) as site:
        load = Load(site.listeners, random.Random(seed + 1))
        started = time.monotonic()
        async with asyncio.TaskGroup() as group:
            group.create_task(load.run(), name="load")
            try:
                for number in range(kills):
                    await asyncio.sleep(rng.uniform(0.05, 2.0))
                    tier = rng.choice(["node", "node", "aggregator", "cloud"])
                    await site.kill(tier, rng.randrange(len(site.pids()[tier])))
                    report.kills[tier] += 1
                    if progress:
                        sys.stderr.write(f"\r{number + 1} of {kills} kills, {load.truth.messages} messages ")
                await asyncio.sleep(rng.uniform(0.5, 1.5))
            finally:
                load.stopping.set()
        report.messages, report.seconds = load.truth.messages, time.monotonic() - started
        report.repeated, report.reconnects = load.repeated, load.reconnects
        await settle(site, load.truth, report)
    return report


async def settle(site: Site, truth: Truth, report: Report) -> None:
    """Compare until everything agrees, or for as long as results may take to settle."""
    deadline = time.monotonic() + SETTLE_WITHIN_S
    while True:
        report.differences = truth.differences(await site.results("drill"))
        report.ledger = _ledger_differences(await site.ledger(), truth)
        if not (report.differences or report.ledger) or time.monotonic() > deadline:
            return
        await asyncio.sleep(0.5)


def _ledger_differences(ledger: list[dict[str, Any]], truth: Truth) -> list[str]:
    wrong = [f"ledger: {words}" for entry in ledger for words in entry["differences"]]
    committed = sum(entry["committed"] for entry in ledger)
    if committed != truth.messages:
        wrong.append(f"ledger: {committed} messages committed, {truth.messages} published")
    return wrong


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None, help="printed; the same draws the same victims")
    parser.add_argument("--folder", type=Path, default=None, help="keeps the site's folder there")
    arguments = parser.parse_args()
    seed = random.SystemRandom().randrange(2**32) if arguments.seed is None else arguments.seed
    sys.stderr.write(f"seed {seed}\n")
    with tempfile.TemporaryDirectory(prefix="fogline-drill-") as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        report = asyncio.run(drill(folder, kills=arguments.kills, seed=seed, progress=True))
    sys.stdout.write(f"\n{report}\n")
    return 1 if report.differences or report.ledger else 0


if __name__ == "__main__":
    sys.exit(main())
