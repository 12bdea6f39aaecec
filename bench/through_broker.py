"""Ingest through a broker: a counting ``mosquitto_sub``, paho with a dict, and Fogline, by turns.

    python -m bench.through_broker [--rounds 5] [--out bench/out/through_broker.json]

One mosquitto, saturated by a publisher of prepared frames. In each round and at each QoS every consumer gets the
same number of messages by itself; a consumer's rate is that number by the time from the first message published
until it has the last one. Fogline has it when it is journaled, that is synced to disk; afterwards its ledger must
hold every message. The last rows send 10,000 readings a second and add up the CPU of everything that Fogline runs.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.frames import CHUNK
from bench.ingest import PIPELINE, Lag, free_port, until_listening
from bench.processes import cost, file_system

BROKER = """\
listener {port} 127.0.0.1
allow_anonymous true
max_queued_messages 0
max_inflight_messages 0
sys_interval 1
"""
WITHIN_S = 300.0
STEADY_RATE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one consumer did with one flood."""

    consumer: str
    qos: int
    messages: int
    seconds: float
    consumer_cpu_s: float
    broker_cpu_s: float
    lost: int

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds

    @property
    def cpu_s_per_million(self) -> float:
        """Of the consumer alone."""
        return self.consumer_cpu_s / self.messages * 1e6


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--messages", type=int, nargs=2, default=(1_000_000, 400_000), metavar=("QOS0", "QOS1")
    )
    parser.add_argument("--steady-seconds", type=float, default=30.0)
    parser.add_argument("--out", type=Path, default=Path("bench/out/through_broker.json"))
    arguments = parser.parse_args()
    if shutil.which("mosquitto") is None:
        raise SystemExit("this needs mosquitto and mosquitto_sub (Debian: mosquitto mosquitto-clients)")
    with (
        tempfile.TemporaryDirectory(prefix="fogline-bench-", dir=".") as folder,
        broker(Path(folder)) as mosquitto,
    ):
        with fogline(Path(folder) / "site", mosquitto.port) as site:
            consumers = (mosquitto_sub, paho_dict, site.take)
            turns = [
                consumer(mosquitto, qos, -(-arguments.messages[qos] // CHUNK) * CHUNK)
                for _ in range(arguments.rounds)
                for qos in (0, 1)
                for consumer in consumers
            ]
            steady = site.steady(mosquitto, arguments.steady_seconds)
            ledger = Lag(Path(folder) / "site").words()
        disk = file_system(Path(folder))
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.release()}, {disk}"
    show(turns, steady, ledger, machine)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    report = {"machine": machine, "turns": [asdict(t) for t in turns], "steady": steady, "ledger": ledger}
    arguments.out.write_text(json.dumps(report, indent=1) + "\n")


@dataclass(frozen=True, slots=True)
class Broker:
    """A running mosquitto."""

    port: int
    pid: int


@contextmanager
def broker(folder: Path) -> Iterator[Broker]:
    """A mosquitto of our own that queues without a limit, so that nothing is dropped."""
    port = free_port()
    config = folder / "mosquitto.conf"
    config.write_text(BROKER.format(port=port))
    process = subprocess.Popen(["mosquitto", "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        until_listening(port)
        yield Broker(port, process.pid)
    finally:
        process.terminate()
        process.wait()


def publish(port: int, *, qos: int, messages: int, prefix: str, rate: int = 0) -> None:
    """Run the publisher to its end."""
    module = "bench.generator" if qos else "bench.flood"
    command = [sys.executable, "-m", module, "--port", str(port), "--messages", str(messages)]
    command += ["--prefix", prefix, "--rate", str(rate)]
    if qos:
        command += ["--seconds", "0", "--in-flight", str(CHUNK), "--seed", str(time.monotonic_ns() % 2**31)]
    subprocess.run(command, check=True, capture_output=True)


@dataclass(frozen=True, slots=True)
class Flood:
    """What one consumer gets in one turn."""

    qos: int
    messages: int
    prefix: str


def measured(name: str, mosquitto: Broker, pid: int, flood: Flood, finished: Callable[[], int]) -> Turn:
    """Publish, wait until the consumer is finished, and say what it took; ``finished`` returns what it has got."""
    before, busy, began = cost(pid).cpu_s, cost(mosquitto.pid).cpu_s, time.monotonic()
    publish(mosquitto.port, qos=flood.qos, messages=flood.messages, prefix=flood.prefix)
    got, spent = 0, before
    while got < flood.messages and time.monotonic() - began < WITHIN_S:
        spent = _cpu(pid, spent)
        got = finished()
    return Turn(
        consumer=name,
        qos=flood.qos,
        messages=flood.messages,
        seconds=time.monotonic() - began,
        consumer_cpu_s=_cpu(pid, spent) - before,
        broker_cpu_s=cost(mosquitto.pid).cpu_s - busy,
        lost=flood.messages - got,
    )


def _cpu(pid: int, known: float) -> float:
    """CPU seconds so far; what was known if the process is gone."""
    try:
        return cost(pid).cpu_s
    except (FileNotFoundError, ProcessLookupError, StopIteration):
        return known


def mosquitto_sub(mosquitto: Broker, qos: int, messages: int) -> Turn:
    """A raw C subscriber that only counts."""
    command = ["mosquitto_sub", "-p", str(mosquitto.port), "-V", "mqttv5", "-i", "counting"]
    command += ["-D", "connect", "receive-maximum", "20000"]
    command += ["-t", "counting/#", "-q", str(qos), "-C", str(messages)]
    return _process("mosquitto_sub", command, mosquitto, Flood(qos, messages, "counting"))


def paho_dict(mosquitto: Broker, qos: int, messages: int) -> Turn:
    """Paho and a dict of windows."""
    command = [sys.executable, "-m", "bench.paho_dict", "--port", str(mosquitto.port)]
    command += ["--prefix", "paho", "--messages", str(messages)]
    return _process("paho + dict", command, mosquitto, Flood(qos, messages, "paho"))


def _process(name: str, command: list[str], mosquitto: Broker, flood: Flood) -> Turn:
    """A consumer that ends by itself when it has everything."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        time.sleep(2)  # until it has subscribed
        turn = measured(
            name, mosquitto, process.pid, flood, lambda: flood.messages if _ends(process, 0.05) else 0
        )
        process.kill()
    return turn


def _ends(process: subprocess.Popen[bytes], within: float) -> bool:
    try:
        process.wait(within)
    except subprocess.TimeoutExpired:
        return False
    return True


class Site:
    """All tiers, with one node that reads from the broker."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self._tiers = {tier: pids[0] for tier, pids in ready["pids"].items() if tier in TIERS}
        self._metrics = ready["metrics"]["node-1"]

    def journaled(self) -> int:
        """Messages that the node has synced to disk."""
        with urllib.request.urlopen(self._metrics, timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return sum(int(float(line.rpartition(" ")[2])) for line in lines if line.startswith(JOURNALED))

    def take(self, mosquitto: Broker, qos: int, messages: int) -> Turn:
        """Journal a flood."""
        before = self.journaled()

        def finished() -> int:
            time.sleep(0.05)
            return self.journaled() - before

        flood = Flood(qos, messages, "greenhouse")
        return measured("Fogline", mosquitto, self._tiers["node"], flood, finished)

    def steady(self, mosquitto: Broker, seconds: float) -> dict[str, float]:
        """CPU seconds for a million readings of each tier, and the PSS, at 10,000 readings a second, QoS 1."""
        messages = round(STEADY_RATE * seconds / CHUNK) * CHUNK
        before = {tier: cost(pid).cpu_s for tier, pid in self._tiers.items()}
        publish(mosquitto.port, qos=1, messages=messages, prefix="greenhouse", rate=STEADY_RATE)
        time.sleep(3)  # the last windows close and are committed: their CPU counts too
        after = {tier: cost(pid) for tier, pid in self._tiers.items()}
        spent = {tier: (after[tier].cpu_s - before[tier]) / messages * 1e6 for tier in self._tiers}
        memory = {f"{tier} MiB": after[tier].pss_mib for tier in self._tiers}
        return spent | {"all tiers": sum(spent.values())} | memory


TIERS = ("node", "aggregator", "cloud")
JOURNALED = "fogline_node_messages_journaled_total"


@contextmanager
def fogline(folder: Path, port: int) -> Iterator[Site]:
    """All tiers, their node reading from the broker as well as from its listener."""
    folder.mkdir()
    pipeline = folder / "bench.yaml"
    pipeline.write_text(PIPELINE)
    command = [sys.executable, "-m", "fogline", "up", "--dir", str(folder), "--nodes", "1", "--json"]
    command += ["--no-sensors", "--no-browser", "--pipeline", str(pipeline)]
    command += ["--broker", f"mqtt://127.0.0.1:{port}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Site(json.loads(process.stdout.readline()))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def show(turns: list[Turn], steady: dict[str, float], ledger: str, machine: str) -> None:
    """Print the tables."""
    print(f"\n{machine}\n")
    print(
        f"{'through mosquitto':18}{'QoS':>4}{'messages/s':>12}{'of sub':>8}{'CPU-s/1M':>10}"
        f"{'broker core':>12}{'lost':>6}"
    )
    for qos in (0, 1):
        yardstick = _median(turns, "mosquitto_sub", qos, lambda turn: turn.rate)
        for name in dict.fromkeys(turn.consumer for turn in turns):
            rate = _median(turns, name, qos, lambda turn: turn.rate)
            cpu = _median(turns, name, qos, lambda turn: turn.cpu_s_per_million)
            core = _median(turns, name, qos, lambda turn: turn.broker_cpu_s / turn.seconds)
            lost = sum(turn.lost for turn in turns if (turn.consumer, turn.qos) == (name, qos))
            print(f"{name:18}{qos:4}{rate:12,.0f}{rate / yardstick:8.2f}{cpu:10.2f}{core:11.0%} {lost:6,}")
    rounds = len(turns) // (2 * len({turn.consumer for turn in turns}))
    print(f"medians of {rounds} rounds; ledger: {ledger}\n")
    print(
        f"{STEADY_RATE:,} readings/s, QoS 1: "
        + ", ".join(f"{name} {value:.2f}" for name, value in steady.items())
    )


def _median(turns: list[Turn], consumer: str, qos: int, value: Callable[[Turn], float]) -> float:
    return statistics.median(value(turn) for turn in turns if (turn.consumer, turn.qos) == (consumer, qos))


if __name__ == "__main__":
    main()
