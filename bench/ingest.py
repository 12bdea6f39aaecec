"""Ingest into the node's listener, beside paho and a dict doing the same windows behind mosquitto.

    python -m bench.ingest [--seconds 60] [--out bench/out/ingest.json]

All three tiers run as processes; the load comes from a separate process that writes pre-encoded QoS 1 frames
(``bench.generator``: 20 connections, half MQTT 5, half 3.1.1) and counts a reading when its PUBACK came, which is
after the fsync. Journal, windows (count, avg, min, max, p99 by zone and second) and commits are on.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.processes import Cost, cost, file_system

IN_FLIGHT = 4_000
PIPELINE = """\
name: bench
streams:
  air:
    mqtt: "greenhouse/{zone}/{device}/air"
    format: json
    time: {path: ts, unit: ms}
    fields: {temp: {type: float, resolution: 0.01}}
steps:
  by_zone:
    sql: |
      SELECT zone, count(*) AS n, avg(temp) AS mean, min(temp) AS low, max(temp) AS high,
             quantile(temp, 0.99) AS p99
      FROM air GROUP BY zone, TUMBLE(ts, INTERVAL '1 second')
late: {disorder: 1s, wait: 2m, keep: 1d}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table. ``None``: not measured in this line."""

    what: str
    readings_s: float | None = None
    cpu_s_per_million: float | None = None
    """Of the measured process alone."""
    core_percent: float | None = None
    pss_mib: float | None = None
    detail: str = ""


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=60.0, help="of the run at full rate")
    parser.add_argument(
        "--in-flight", type=int, default=IN_FLIGHT, help="unacknowledged messages a connection"
    )
    parser.add_argument("--out", type=Path, default=Path("bench/out/ingest.json"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fogline-bench-", dir=".") as folder:
        rows = fogline_rows(Path(folder), arguments.seconds, arguments.in_flight)
        disk = file_system(Path(folder))
    if shutil.which("mosquitto"):
        rows.append(paho_row(min(arguments.seconds, 20.0)))
    else:
        rows.append(Row(what="paho + dict", detail="not measured: mosquitto is not installed"))
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.release()}, {disk}"
    show(rows, machine)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    report = {"machine": machine, "in_flight": arguments.in_flight, "rows": [asdict(row) for row in rows]}
    arguments.out.write_text(json.dumps(report, indent=1) + "\n")


def fogline_rows(folder: Path, seconds: float, in_flight: int) -> list[Row]:
    """Idle, at two fixed rates, and as fast as it goes."""
    with site(folder) as ready:
        pids = ready["pids"]
        tiers = {"cloud": pids["cloud"][0], "aggregator": pids["aggregator"][0], "node": pids["node"][0]}
        port = int(ready["mqtt"][0].rsplit(":", 1)[1])
        rows = idle_rows(tiers)
        rows.append(all_tiers_row(tiers, port, rate=10_000, in_flight=in_flight))
        for rate in (10_000, 300_000):
            rows.append(
                load_row(
                    f"node at {rate:,}/s", tiers["node"], port, seconds=15.0, rate=rate, in_flight=in_flight
                )
            )
        lag = Lag(folder)
        before = lag.pending()
        rows.append(
            load_row("node, full rate", tiers["node"], port, seconds=seconds, rate=0, in_flight=in_flight)
        )
        after = lag.pending()
        rows.append(
            Row(what="lag behind the full rate", detail=f"{before:,} messages before, {after:,} after")
        )
        rows.append(Row(what="ledger", detail=lag.words()))
        return rows


def idle_rows(tiers: dict[str, int]) -> list[Row]:
    """What each tier costs when nothing comes."""
    time.sleep(3)
    before = {tier: cost(pid) for tier, pid in tiers.items()}
    time.sleep(10)
    rows = []
    for tier, pid in tiers.items():
        now = cost(pid)
        percent = (now.cpu_s - before[tier].cpu_s) / 10 * 100
        rows.append(Row(what=f"{tier} idle", core_percent=percent, pss_mib=now.pss_mib))
    return rows


def load_row(what: str, pid: int, port: int, *, seconds: float, rate: int, in_flight: int) -> Row:
    """Load the listener, and say what it took."""
    before = cost(pid)
    began = time.monotonic()
    report = generate(port, seconds=seconds, rate=rate, in_flight=in_flight)
    after = cost(pid)
    return _loaded(what, before, after, report, time.monotonic() - began)


def all_tiers_row(tiers: dict[str, int], port: int, *, rate: int, in_flight: int) -> Row:
    """What node, aggregator and cloud cost together, from the message to the result."""
    before = {tier: cost(pid) for tier, pid in tiers.items()}
    began = time.monotonic()
    report = generate(port, seconds=20.0, rate=rate, in_flight=in_flight)
    time.sleep(3)  # the last windows close and are committed: their CPU counts too
    lasted = time.monotonic() - began
    after = {tier: cost(pid) for tier, pid in tiers.items()}
    spent = {tier: after[tier].cpu_s - before[tier].cpu_s for tier in tiers}
    million = report["acknowledged"] / 1e6
    return Row(
        what=f"all tiers at {rate:,}/s",
        readings_s=report["per_second"],
        cpu_s_per_million=sum(spent.values()) / million,
        core_percent=sum(spent.values()) / lasted * 100,
        pss_mib=sum(now.pss_mib for now in after.values()),
        detail=", ".join(f"{tier} {cpu / million:.2f}" for tier, cpu in spent.items()) + " CPU-s/1M",
    )


def _loaded(what: str, before: Cost, after: Cost, report: dict[str, Any], lasted: float) -> Row:
    cpu = after.cpu_s - before.cpu_s
    return Row(
        what=what,
        readings_s=report["per_second"],
        cpu_s_per_million=cpu / report["acknowledged"] * 1e6,
        core_percent=cpu / lasted * 100,
        pss_mib=after.pss_mib,
        detail=(
            f"{report['acknowledged']:,} acknowledged; generator {report['cpu_s'] / report['seconds']:.2f} cores; "
            f"PUBACK p50 {report['latency_p50_ms']:.0f} ms p99 {report['latency_p99_ms']:.0f} ms"
        ),
    )


def paho_row(seconds: float) -> Row:
    """The same windows in paho and a dict, behind a mosquitto of its own."""
    with tempfile.TemporaryDirectory(prefix="fogline-bench-") as folder:
        port = free_port()
        config = Path(folder) / "mosquitto.conf"
        config.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0\n"
        )
        broker = subprocess.Popen(["mosquitto", "-c", str(config)], stderr=subprocess.DEVNULL)
        try:
            until_listening(port)
            consumer = subprocess.Popen(
                [sys.executable, "-m", "bench.paho_dict", "--port", str(port)],
                stdout=subprocess.PIPE,
                text=True,
            )
            time.sleep(1)
            before, began = cost(consumer.pid), time.monotonic()
            generate(port, seconds=seconds, rate=0, in_flight=512)
            lasted, after = time.monotonic() - began, cost(consumer.pid)
            consumer.send_signal(signal.SIGTERM)
            words, _ = consumer.communicate(timeout=30)
        finally:
            broker.terminate()
            broker.wait()
    readings = json.loads(words)["readings"]
    return Row(
        what="paho + dict, QoS 1, mosquitto",
        readings_s=readings / lasted,
        cpu_s_per_million=(after.cpu_s - before.cpu_s) / max(readings, 1) * 1e6,
        core_percent=(after.cpu_s - before.cpu_s) / lasted * 100,
        pss_mib=after.pss_mib,
        detail="acknowledged on receipt, nothing journaled",
    )


class Lag:
    """What the node has journaled and the cloud has not committed, read from the ledger."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _ledger(self) -> dict[str, Any]:
        words = subprocess.run(
            [sys.executable, "-m", "fogline", "ledger", "--dir", str(self._folder), "--json"],
            check=True,
            capture_output=True,
            text=True,
        )
        ledger: dict[str, Any] = json.loads(words.stdout.splitlines()[0])
        return ledger

    def pending(self) -> int:
        """Messages that wait now."""
        return int(self._ledger()["pending"])

    def words(self) -> str:
        """Whether everything was counted, once it has settled."""
        deadline = time.monotonic() + 60
        while (ledger := self._ledger())["pending"] and time.monotonic() < deadline:
            time.sleep(0.5)
        verdict = "adds up" if ledger["adds_up"] else "; ".join(ledger["differences"])
        return f"{ledger['committed']:,} of {ledger['journaled']:,} committed, {verdict}"


def generate(port: int, *, seconds: float, rate: int, in_flight: int) -> dict[str, Any]:
    """Run the load generator; its report."""
    words = subprocess.run(
        [
            *(sys.executable, "-m", "bench.generator", "--port", str(port), "--seconds", str(seconds)),
            *("--rate", str(rate), "--in-flight", str(in_flight), "--seed", str(time.monotonic_ns() % 2**31)),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    report: dict[str, Any] = json.loads(words.stdout.splitlines()[-1])
    return report


@contextmanager
def site(folder: Path) -> Iterator[dict[str, Any]]:
    """All tiers with one node, running the benchmark's pipeline; the line that `up --json` prints."""
    pipeline = folder / "bench.yaml"
    pipeline.write_text(PIPELINE)
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "fogline", "up", "--dir", str(folder), "--nodes", "1"),
            *("--no-sensors", "--no-browser", "--pipeline", str(pipeline), "--json"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(30)


def free_port() -> int:
    """A port on loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until_listening(port: int) -> None:
    """Return when somebody accepts on the port."""
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def show(rows: list[Row], machine: str) -> None:
    """Print the table."""
    print(f"\n{machine}\n")
    print(f"{'':34}{'readings/s':>12}{'CPU-s/1M':>10}{'core %':>8}{'PSS MiB':>9}")
    for row in rows:
        numbers = (
            f"{row.readings_s:12,.0f}" if row.readings_s is not None else " " * 12,
            f"{row.cpu_s_per_million:10.2f}" if row.cpu_s_per_million is not None else " " * 10,
            f"{row.core_percent:8.1f}" if row.core_percent is not None else " " * 8,
            f"{row.pss_mib:9.1f}" if row.pss_mib is not None else " " * 9,
        )
        print(f"{row.what:34}{''.join(numbers)}  {row.detail}")


if __name__ == "__main__":
    main()
