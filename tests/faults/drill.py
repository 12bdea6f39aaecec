"""Random kills under load: ``python -m tests.faults.drill --kills 200 --seed 7 [--parts]``.

Devices publish at a fixed rate while processes are killed with -9 at random moments. At the end every window
of every device must say exactly what was published, and the ledger must add up.

With ``--parts`` half of the devices publish to a mosquitto that the node reads from, and the store is a PostgreSQL;
both are among the victims. A device that repeats a message to a broker makes it a new message there, and what a killed
mosquitto had acknowledged and not yet written is gone before any node could journal it. So two pipelines read the
messages there, and must say exactly what the node's journal holds: one each offset once, the other, which has an
``identity``, each message id once. What devices gave to the node itself must be in the journal, and once; what the
broker lost is counted.
"""

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.device import Device
from tests.faults.parts import Journaled, Parts, journaled
from tests.faults.site import Site, fogline
from tests.faults.truth import BY_OFFSET, IDENTIFIED, PIPELINE, Truth
from tests.postgres import PostgresServer, private_postgres

RATE = 12_000
"""Messages a second over all devices."""
RATE_WITH_PARTS = 4_000
"""A mosquitto that writes everything it holds after each change takes no more."""
DEVICES = 8
TICK_S = 0.01
IN_FLIGHT = 2_000
IN_FLIGHT_TO_A_BROKER = 200
"""What is sent again to a broker is a new message there: with too much of it, it gets no further."""
PATIENCE_WITH_A_BROKER_S = 30.0
"""It says nothing while it writes."""
CATCH_UP_S = 5.0
"""A device that could not publish catches up on so much."""
SETTLE_WITHIN_S = 120.0
WORKING = 0.7
"""Share of the kills that wait until messages are acknowledged again: on a busy machine the others would all hit
processes that are still starting.
"""
GOES_ON = 500
GOES_ON_WITHIN_S = 30.0
QUIET_S = 10.0
"""If the node received nothing for so long, the broker has no more; it pauses while it writes."""


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
    parts: Journaled | None = None
    """What came out of the broker, if there was one."""

    def __str__(self) -> str:
        kills = ", ".join(f"{tier} {n}" for tier, n in sorted(self.kills.items())) or "none"
        rate = self.messages / self.seconds if self.seconds else 0
        lines = [
            f"seed {self.seed}: {sum(self.kills.values())} kills ({kills})",
            f"{self.messages} messages in {self.seconds:.0f} s ({rate:.0f}/s)",
            f"{self.repeated} sent again, {self.reconnects} reconnects",
        ]
        if self.parts is not None:
            lines += [
                f"{held} journaled with {len(ids)} message ids; the broker lost {self.messages - len(ids)}"
                for held, ids in (
                    (self.parts.messages, self.parts.once.ids),
                    (self.parts.every.messages, self.parts.every.ids),
                )
            ]
        wrong = self.differences + self.ledger
        lines += wrong[:20] or ["every message counted exactly once; the ledger adds up"]
        return "\n".join(lines)


class Load:
    """Devices that publish at a rate; messages that could not be taken wait, none is forgotten."""

    def __init__(
        self,
        listeners: list[tuple[str, int]],
        rng: random.Random,
        rate: int,
        *,
        broker: tuple[str, int] | None = None,
    ) -> None:
        ways = [*listeners, broker] if broker else listeners
        self.truth = Truth()
        self._rng = rng
        self._rate = rate
        self._devices = [_device(i, ways[i % len(ways)], broker) for i in range(DEVICES)]
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

    async def goes_on(self) -> None:
        """Wait until some more messages are acknowledged, but not for ever."""
        enough = self.acknowledged + GOES_ON
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOES_ON_WITHIN_S):
                while self.acknowledged < enough:  # noqa: ASYNC110  # devices have no event for it
                    await asyncio.sleep(TICK_S)

    async def _publish(self, index: int, device: Device) -> None:
        name, topic = f"d{index}", f"drill/d{index}/beat".encode()
        next_at, id_ = time.monotonic(), index
        while not self.stopping.is_set():
            next_at += TICK_S
            for _ in range(round(self._rate / DEVICES * TICK_S)):
                id_ += DEVICES
                ts_ms, dice = time.time_ns() // 1_000_000, self._rng.randrange(2**30)
                self.truth.add(name, ts_ms, id_, dice)
                await device.publish(topic, b'{"ts":%d,"id":%d,"dice":%d}' % (ts_ms, id_, dice))
            await device.flush()
            await asyncio.sleep(max(0.0, next_at - time.monotonic()))
            next_at = max(next_at, time.monotonic() - CATCH_UP_S)
        await device.all_taken()

    @property
    def acknowledged(self) -> int:
        return sum(device.acknowledged for device in self._devices)

    @property
    def repeated(self) -> int:
        return sum(device.repeated for device in self._devices)

    @property
    def reconnects(self) -> int:
        return sum(max(0, device.connections - 1) for device in self._devices)


def _device(number: int, at: tuple[str, int], broker: tuple[str, int] | None) -> Device:
    name = f"device-{number}"
    if at == broker:
        return Device(name, *at, in_flight=IN_FLIGHT_TO_A_BROKER, patience_s=PATIENCE_WITH_A_BROKER_S)
    return Device(name, *at, in_flight=IN_FLIGHT)


async def drill(folder: Path, *, kills: int, seed: int, progress: bool = False) -> Report:
    """Run the tiers, load them, kill at random, and compare."""
    report = Report(seed=seed)
    pipeline = folder / "drill.yaml"
    pipeline.write_text(PIPELINE)
    async with Site(folder / "site", pipeline) as site:
        truth = await killing(site, None, report, kills=kills, progress=progress)
        await settle(site, {"drill": truth}, {"beats": truth.messages}, report)
    return report


async def drill_with_parts(
    folder: Path, postgres: PostgresServer, *, kills: int, seed: int, progress: bool = False
) -> Report:
    """The same through a mosquitto into a PostgreSQL, with both among the victims."""
    report = Report(seed=seed)
    pipeline = folder / "drill.yaml"
    pipeline.write_text(IDENTIFIED)
    by_offset = folder / "offsets.yaml"
    by_offset.write_text(BY_OFFSET)
    async with Parts(folder, postgres) as parts:
        async with Site(folder / "site", pipeline, nodes=1, environment=parts.environment) as site:
            await fogline("deploy", str(by_offset), "--wait", "--dir", str(site.folder))
            published = await killing(site, parts, report, kills=kills, progress=progress)
            await drained(site)
        # Nothing may come any more that is not compared; what the broker still had counts as lost.
        await parts.end_broker()
        # The journal has one writer: it is read while the site is stopped.
        report.parts = held = await journaled(site.folder / "node-1" / "journal")
        async with site:
            wanted = {"drill": held.once, "drill-offsets": held.every}
            await settle(site, wanted, {"beats": held.messages, "deliveries": held.every.messages}, report)
    report.differences += _journal_differences(held, published, broker_died=bool(report.kills["mosquitto"]))
    return report


def _journal_differences(held: Journaled, published: Truth, *, broker_died: bool) -> Iterator[str]:
    for ids in (held.once.ids, held.every.ids):
        yield from (f"{id_} was never published" for id_ in ids - published.ids)
        for id_ in published.ids - ids:
            if _through_the_node(id_) or not broker_died:
                yield f"{id_} was acknowledged and is not in the journal"
    yield from (f"{id_} is in the journal again" for id_ in held.repeats if _through_the_node(id_))


def _through_the_node(id_: int) -> bool:
    """Whether the device of this message publishes to the node's listener, the first of two ways."""
    return id_ % DEVICES % 2 == 0


async def killing(site: Site, parts: Parts | None, report: Report, *, kills: int, progress: bool) -> Truth:
    """Load the site and kill; returns when every message is acknowledged."""
    rng = random.Random(report.seed)
    rate, broker = (RATE_WITH_PARTS, parts.broker) if parts else (RATE, None)
    load = Load(site.listeners, random.Random(report.seed + 1), rate, broker=broker)
    victims = ["node", "node", "aggregator", "cloud", *(parts.victims if parts else ())]
    first = rng.sample(victims, len(victims))
    started = time.monotonic()
    async with asyncio.TaskGroup() as group:
        group.create_task(load.run(), name="load")
        try:
            for number in range(kills):
                await asyncio.sleep(rng.uniform(0.05, 2.0))
                if rng.random() < WORKING:
                    await load.goes_on()
                # Everybody's turn comes in a short drill, too.
                victim = first.pop() if first else rng.choice(victims)
                if parts and victim in parts.victims:
                    await parts.kill(victim)
                else:
                    await site.kill(victim, rng.randrange(len(site.pids()[victim])))
                report.kills[victim] += 1
                if progress:
                    sys.stderr.write(f"\r{number + 1} of {kills} kills, {load.truth.messages} messages ")
            await asyncio.sleep(rng.uniform(0.5, 1.5))
        finally:
            load.stopping.set()
    report.messages, report.seconds = load.truth.messages, time.monotonic() - started
    report.repeated, report.reconnects = load.repeated, load.reconnects
    return load.truth


async def drained(site: Site) -> None:
    """Wait until nothing more comes out of the broker, and what came is committed."""
    deadline, before = time.monotonic() + SETTLE_WITHIN_S, -1
    while time.monotonic() < deadline:
        ledger = await site.ledger()
        # A broker that comes back first repeats what it may have sent.
        came = sum(entry["received"] + entry["redelivered"] for entry in ledger)
        if came == before and not any(entry["pending"] for entry in ledger):
            return
        if came != before:
            deadline, before = time.monotonic() + SETTLE_WITHIN_S, came
        await asyncio.sleep(QUIET_S)
    raise RuntimeError(f"for {SETTLE_WITHIN_S} s nothing came, and messages are pending")


async def settle(site: Site, wanted: Mapping[str, Truth], held: Mapping[str, int], report: Report) -> None:
    """Compare until everything agrees, or for as long as results may take to settle.

    ``wanted`` is what each pipeline must say, ``held`` how many messages each stream has.
    """
    deadline = time.monotonic() + SETTLE_WITHIN_S
    while True:
        report.differences = []
        for name, truth in wanted.items():
            report.differences += [
                f"{name}: {words}" for words in truth.differences(await site.results(name))
            ]
        report.ledger = _ledger_differences(await site.ledger(), held)
        if not (report.differences or report.ledger) or time.monotonic() > deadline:
            return
        await asyncio.sleep(0.5)


def _ledger_differences(ledger: list[dict[str, Any]], held: Mapping[str, int]) -> list[str]:
    wrong = [f"ledger: {words}" for entry in ledger for words in entry["differences"]]
    for stream, messages in held.items():
        committed = sum(entry["committed"] for entry in ledger if entry["stream"] == stream)
        if committed != messages:
            wrong.append(f"ledger: {committed} messages of {stream} committed, there are {messages}")
    return wrong


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None, help="printed; the same draws the same victims")
    parser.add_argument("--parts", action="store_true", help="through a mosquitto, into a PostgreSQL")
    parser.add_argument("--folder", type=Path, default=None, help="keeps the site's folder there")
    arguments = parser.parse_args()
    seed = random.SystemRandom().randrange(2**32) if arguments.seed is None else arguments.seed
    sys.stderr.write(f"seed {seed}\n")
    with tempfile.TemporaryDirectory(prefix="fogline-drill-") as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if arguments.parts:
            with private_postgres(durable=True) as postgres:
                run = drill_with_parts(folder, postgres, kills=arguments.kills, seed=seed, progress=True)
                report = asyncio.run(run)
        else:
            report = asyncio.run(drill(folder, kills=arguments.kills, seed=seed, progress=True))
    sys.stdout.write(f"\n{report}\n")
    return 1 if report.differences or report.ledger else 0


if __name__ == "__main__":
    sys.exit(main())
