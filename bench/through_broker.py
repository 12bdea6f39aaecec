"""Ingest through a broker: a counting ``mosquitto_sub``, paho with a dict, and Fogline, by turns.

    python -m bench.through_broker [--rounds 5] [--out bench/out/through_broker.json]

One mosquitto, saturated by a publisher of prepared frames. In each round and at each QoS every consumer gets the
same number of messages by itself (paho a fifth of them, as it is that much slower); a consumer's rate is that number
by the time from the first message published until it has the last one. Fogline has it when it is journaled, that is
synced to disk; afterwards its ledger must hold every message. The last rows send 10,000 readings a second and add up
the CPU of everything that Fogline runs.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.brokers import Broker, broker
from bench.frames import CHUNK
from bench.load import flood, generate
from bench.processes import cpu_s, ended
from bench.report import Heading, Report, flags
from bench.site import Site, Spent, site

WITHIN_S = 300.0
STEADY_RATE = 10_000
ALL_CONNECTIONS = 20 * CHUNK
"""Floods are multiples of it: each connection of either publisher sends whole chunks."""
PAHO_SHARE = 5
JOURNALED = "fogline_node_messages_journaled_total"
SUB, PAHO, FOGLINE = "mosquitto_sub", "paho + dict", "Fogline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one consumer did with one flood."""

    consumer: str
    qos: int
    messages: int
    seconds: float
    consumer_cpu_s: float
    tiers_cpu_s: float
    """With everything behind the consumer: of Fogline all tiers."""
    broker_cpu_s: float
    publisher_cpu_s: float
    lost: int

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Median:
    """One line of the table: medians of the rounds."""

    consumer: str
    qos: int
    messages_s: float
    of_sub: float
    lowest_of_sub: float
    """The worst round's, compared with the same round's ``mosquitto_sub``."""
    cpu_s_per_million: float
    tiers_cpu_s_per_million: float
    broker_cpu_s_per_million: float
    broker_core_percent: float
    """Of a core: 100 is a saturated broker."""
    publisher_core_percent: float
    lost: int
    """In all rounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steady:
    """All tiers at a steady rate."""

    what: str
    cpu_s_per_million: float
    pss_mib: float
    detail: str


MEDIANS = (
    Heading("consumer", "through mosquitto"),
    Heading("qos", "QoS", "d"),
    Heading("messages_s", "messages/s", ",.0f"),
    Heading("of_sub", "of sub", ".2f"),
    Heading("lowest_of_sub", "lowest", ".2f"),
    Heading("cpu_s_per_million", "CPU-s/1M", ".2f"),
    Heading("tiers_cpu_s_per_million", "all tiers", ".2f"),
    Heading("broker_cpu_s_per_million", "broker's", ".2f"),
    Heading("broker_core_percent", "its core %", ".0f"),
    Heading("publisher_core_percent", "publisher core %", ".0f"),
    Heading("lost", "lost", ",d"),
)
STEADY = (
    Heading("what", ""),
    Heading("cpu_s_per_million", "CPU-s/1M", ".2f"),
    Heading("pss_mib", "PSS MiB"),
    Heading("detail", ""),
)


def main() -> None:
    """Measure, print, write."""
    parser = flags("through_broker", __doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--messages", type=int, nargs=2, default=(1_000_000, 400_000), metavar=("QOS0", "QOS1")
    )
    parser.add_argument("--steady-seconds", type=float, default=30.0)
    arguments = parser.parse_args()
    if shutil.which("mosquitto") is None or shutil.which("mosquitto_sub") is None:
        raise SystemExit("this needs mosquitto and mosquitto_sub (Debian: mosquitto mosquitto-clients)")
    report = Report("through_broker", arguments)
    with (
        tempfile.TemporaryDirectory(prefix="fogline-bench-", dir=".") as folder,
        broker(Path(folder)) as mosquitto,
        site(Path(folder) / "site", "--broker", f"mqtt://127.0.0.1:{mosquitto.port}") as running,
    ):
        turns = by_turns(mosquitto, Node(running), arguments)
        report.table(f"medians of {arguments.rounds} rounds", medians(turns), MEDIANS)
        report.keep("turns", [asdict(turn) for turn in turns])
        rows = [steady(running, mosquitto, arguments.steady_seconds) for _ in range(3)]
        report.table(f"all tiers at {STEADY_RATE:,}/s, QoS 1", rows, STEADY)
        report.say("ledger", running.settled())
    report.end()


def by_turns(mosquitto: Broker, node: "Node", arguments: argparse.Namespace) -> list[Turn]:
    """Every consumer at each QoS in every round; who begins changes with the round."""
    turns = []
    for number in range(arguments.rounds):
        for qos in (0, 1):
            messages = _whole(arguments.messages[qos])
            asked: list[Callable[[], Turn]] = [
                lambda qos=qos, messages=messages: mosquitto_sub(mosquitto, qos, messages),  # type: ignore[misc]
                lambda qos=qos, messages=messages: node.take(mosquitto, qos, messages),  # type: ignore[misc]
                lambda qos=qos, messages=messages: paho_dict(mosquitto, qos, _whole(messages // PAHO_SHARE)),  # type: ignore[misc]
            ]
            for place in range(len(asked)):
                turns.append(asked[(place + number) % len(asked)]())
                print(f"{number + 1}: {turns[-1].consumer}, QoS {qos}: {turns[-1].rate:,.0f}/s", flush=True)
    return turns


def _whole(messages: int) -> int:
    return -(-messages // ALL_CONNECTIONS) * ALL_CONNECTIONS


@dataclass(frozen=True, slots=True)
class Flood:
    """What one consumer gets in one turn."""

    qos: int
    messages: int
    prefix: str

    def publish(self, port: int) -> dict[str, Any]:
        """Send it; the publisher's report."""
        if self.qos == 0:
            return flood(port, messages=self.messages, prefix=self.prefix)
        return generate(port, messages=self.messages, prefix=self.prefix, seconds=0, in_flight=CHUNK)


def measured(
    name: str,
    mosquitto: Broker,
    sent: Flood,
    pids: list[int],
    finished: Callable[[], int],
) -> Turn:
    """Publish, wait until the consumer is finished, and say what it took; ``finished`` returns what it has got.

    The first of ``pids`` is the consumer, the others stand behind it.
    """
    before, busy = [cpu_s(pid) for pid in pids], cpu_s(mosquitto.pid)
    report = sent.publish(mosquitto.port)
    if report["sent"] != sent.messages:
        raise SystemExit(f"{report['sent']:,} messages were sent instead of {sent.messages:,}")
    while (got := finished()) < sent.messages and time.monotonic() - report["began_s"] < WITHIN_S:
        time.sleep(0.02)
    seconds = time.monotonic() - report["began_s"]
    spent = [cpu_s(pid) - earlier for pid, earlier in zip(pids, before, strict=True)]
    return Turn(
        consumer=name,
        qos=sent.qos,
        messages=sent.messages,
        seconds=seconds,
        consumer_cpu_s=spent[0],
        tiers_cpu_s=sum(spent),
        broker_cpu_s=cpu_s(mosquitto.pid) - busy,
        publisher_cpu_s=report["cpu_s"],
        lost=sent.messages - got,
    )


def mosquitto_sub(mosquitto: Broker, qos: int, messages: int) -> Turn:
    """A raw C subscriber that only counts."""
    command = ["mosquitto_sub", "-p", str(mosquitto.port), "-V", "mqttv5", "-i", "counting"]
    command += ["-D", "connect", "receive-maximum", "20000"]
    command += ["-t", "counting/#", "-q", str(qos), "-C", str(messages)]
    return _process(SUB, command, mosquitto, Flood(qos, messages, "counting"))


def paho_dict(mosquitto: Broker, qos: int, messages: int) -> Turn:
    """Paho and a dict of windows."""
    command = [sys.executable, "-m", "bench.paho_dict", "--port", str(mosquitto.port)]
    command += ["--prefix", "paho", "--messages", str(messages)]
    return _process(PAHO, command, mosquitto, Flood(qos, messages, "paho"))


def _process(name: str, command: list[str], mosquitto: Broker, sent: Flood) -> Turn:
    """A consumer that ends by itself when it has everything."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        time.sleep(2)  # until it has subscribed
        try:
            return measured(
                name, mosquitto, sent, [process.pid], lambda: sent.messages if ended(process.pid) else 0
            )
        finally:
            process.kill()


class Node:
    """The node that reads from the broker, and the tiers behind it."""

    def __init__(self, running: Site) -> None:
        self._pids = [running.tiers[tier] for tier in ("node", "aggregator", "cloud")]
        self._metrics = running.ready["metrics"]["node-1"]

    def journaled(self) -> int:
        """Messages that the node has synced to disk."""
        with urllib.request.urlopen(self._metrics, timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return sum(int(float(line.rpartition(" ")[2])) for line in lines if line.startswith(JOURNALED))

    def take(self, mosquitto: Broker, qos: int, messages: int) -> Turn:
        """Journal a flood."""
        before = self.journaled()
        sent = Flood(qos, messages, "greenhouse")
        turn = measured(FOGLINE, mosquitto, sent, self._pids, lambda: self.journaled() - before)
        time.sleep(2)  # its windows are committed, so that the next consumer has the machine
        return turn


def medians(turns: list[Turn]) -> list[Median]:
    """The table."""
    rows = []
    for qos in (0, 1):
        yardstick = [turn.rate for turn in turns if (turn.consumer, turn.qos) == (SUB, qos)]
        for name in (SUB, FOGLINE, PAHO):
            mine = [turn for turn in turns if (turn.consumer, turn.qos) == (name, qos)]
            rate = statistics.median(turn.rate for turn in mine)
            rows.append(
                Median(
                    consumer=name,
                    qos=qos,
                    messages_s=rate,
                    of_sub=rate / statistics.median(yardstick),
                    lowest_of_sub=min(turn.rate / sub for turn, sub in zip(mine, yardstick, strict=True)),
                    cpu_s_per_million=_median(mine, lambda t: t.consumer_cpu_s / t.messages * 1e6),
                    tiers_cpu_s_per_million=_median(mine, lambda t: t.tiers_cpu_s / t.messages * 1e6),
                    broker_cpu_s_per_million=_median(mine, lambda t: t.broker_cpu_s / t.messages * 1e6),
                    broker_core_percent=_median(mine, lambda t: t.broker_cpu_s / t.seconds * 100),
                    publisher_core_percent=_median(mine, lambda t: t.publisher_cpu_s / t.seconds * 100),
                    lost=sum(turn.lost for turn in mine),
                )
            )
    return rows


def _median(turns: list[Turn], value: Callable[[Turn], float]) -> float:
    return statistics.median(value(turn) for turn in turns)


def steady(running: Site, mosquitto: Broker, seconds: float) -> Steady:
    """CPU seconds for a million readings of each tier, and the PSS, at a steady rate, QoS 1."""
    before = running.costs()
    report = generate(
        mosquitto.port, prefix="greenhouse", rate=STEADY_RATE, seconds=seconds, in_flight=CHUNK * 4
    )
    time.sleep(3)  # the last windows close and are committed: their CPU counts too
    spent: Spent = running.spent_since(before)
    return Steady(
        what=f"{report['per_second']:,.0f}/s sent",
        cpu_s_per_million=sum(spent.cpu_s.values()) / report["sent"] * 1e6,
        pss_mib=sum(spent.pss_mib.values()),
        detail=spent.words(report["sent"]),
    )


if __name__ == "__main__":
    main()
