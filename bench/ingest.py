"""Ingest into the node's listener, beside paho and a dict doing the same windows behind mosquitto.

    python -m bench.ingest [--seconds 60] [--out bench/out/ingest.json]

All three tiers run as processes; the load comes from a separate process that writes pre-encoded QoS 1 frames
(``bench.generator``: 20 connections, half MQTT 5, half 3.1.1) and counts a reading when its PUBACK came, which is
after the fsync. Journal, windows (count, avg, min, max, p99 by zone and second) and commits are on.
"""

import json
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.brokers import broker
from bench.load import generate
from bench.processes import cost
from bench.report import Heading, Report, flags
from bench.site import Site, site

IN_FLIGHT = 4_000
STEADY_RATE = 10_000
STEADY_S = 20.0
COLUMNS = (
    Heading("what", ""),
    Heading("readings_s", "readings/s", ",.0f"),
    Heading("cpu_s_per_million", "CPU-s/1M", ".2f"),
    Heading("core_percent", "core %"),
    Heading("pss_mib", "PSS MiB"),
    Heading("detail", ""),
)


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
    parser = flags("ingest", __doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of the run at full rate")
    parser.add_argument("--rounds", type=int, default=5, help=f"of all tiers at {STEADY_RATE:,} readings/s")
    parser.add_argument(
        "--in-flight", type=int, default=IN_FLIGHT, help="unacknowledged messages a connection"
    )
    arguments = parser.parse_args()
    report = Report("ingest", arguments)
    with tempfile.TemporaryDirectory(prefix="fogline-bench-", dir=".") as folder:
        rows = fogline_rows(Path(folder), arguments.seconds, arguments.rounds, arguments.in_flight)
    if shutil.which("mosquitto"):
        rows.append(paho_row(min(arguments.seconds, 20.0)))
    else:
        rows.append(Row(what="paho + dict", detail="not measured: mosquitto is not installed"))
    report.table("ingest", rows, COLUMNS)
    report.end()


def fogline_rows(folder: Path, seconds: float, rounds: int, in_flight: int) -> list[Row]:
    """Idle, at two fixed rates, and as fast as it goes."""
    with site(folder) as running:
        rows = idle_rows(running)
        rows.append(all_tiers_row(running, rounds))
        for rate in (STEADY_RATE, 300_000):
            what = f"node at {rate:,}/s"
            rows.append(load_row(what, running, seconds=15.0, rate=rate, in_flight=in_flight))
        before = running.pending()
        rows.append(load_row("node, full rate", running, seconds=seconds, rate=0, in_flight=in_flight))
        after = running.pending()
        detail = f"{before:,} messages before, {after:,} after"
        rows.append(Row(what="lag behind the full rate", detail=detail))
        rows.append(Row(what="ledger", detail=running.settled()))
        return rows


def idle_rows(running: Site) -> list[Row]:
    """What each tier costs when nothing comes."""
    time.sleep(3)
    before = running.costs()
    time.sleep(10)
    spent = running.spent_since(before)
    return [
        Row(what=f"{tier} idle", core_percent=spent.cpu_s[tier] / 10 * 100, pss_mib=spent.pss_mib[tier])
        for tier in running.tiers
    ]


def all_tiers_row(running: Site, rounds: int) -> Row:
    """What node, aggregator and cloud cost together, from the message to the result: the median of the rounds."""
    found = sorted((all_tiers(running) for _ in range(rounds)), key=lambda row: row.cpu_s_per_million or 0.0)
    middle, costs = found[len(found) // 2], [row.cpu_s_per_million or 0.0 for row in found]
    return Row(
        what=f"all tiers at {STEADY_RATE:,}/s",
        readings_s=middle.readings_s,
        cpu_s_per_million=statistics.median(costs),
        core_percent=middle.core_percent,
        pss_mib=middle.pss_mib,
        detail=f"{middle.detail}; {rounds} rounds, {costs[0]:.2f} to {costs[-1]:.2f}",
    )


def all_tiers(running: Site) -> Row:
    """One round."""
    before, began = running.costs(), time.monotonic()
    report = generate(running.ports[0], seconds=STEADY_S, rate=STEADY_RATE)
    time.sleep(3)  # the last windows close and are committed: their CPU counts too
    spent, lasted = running.spent_since(before), time.monotonic() - began
    return Row(
        what="",
        readings_s=report["per_second"],
        cpu_s_per_million=sum(spent.cpu_s.values()) / report["acknowledged"] * 1e6,
        core_percent=sum(spent.cpu_s.values()) / lasted * 100,
        pss_mib=sum(spent.pss_mib.values()),
        detail=spent.words(report["acknowledged"]),
    )


def load_row(what: str, running: Site, *, seconds: float, rate: int, in_flight: int) -> Row:
    """Load the listener, and say what the node took."""
    pid = running.tiers["node"]
    before, began = cost(pid), time.monotonic()
    report = generate(running.ports[0], seconds=seconds, rate=rate, in_flight=in_flight)
    after, lasted = cost(pid), time.monotonic() - began
    spent = after.cpu_s - before.cpu_s
    return Row(
        what=what,
        readings_s=report["per_second"],
        cpu_s_per_million=spent / report["acknowledged"] * 1e6,
        core_percent=spent / lasted * 100,
        pss_mib=after.pss_mib,
        detail=(
            f"{report['acknowledged']:,} acknowledged; generator {report['cpu_s'] / report['seconds']:.2f} cores; "
            f"PUBACK p50 {report['latency_p50_ms']:.0f} ms p99 {report['latency_p99_ms']:.0f} ms"
        ),
    )


def paho_row(seconds: float) -> Row:
    """The same windows in paho and a dict, behind a mosquitto of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="fogline-bench-") as folder,
        broker(Path(folder)) as mosquitto,
        subprocess.Popen(
            [sys.executable, "-m", "bench.paho_dict", "--port", str(mosquitto.port)],
            stdout=subprocess.PIPE,
            text=True,
        ) as consumer,
    ):
        time.sleep(2)  # until it has subscribed
        before, began = cost(consumer.pid), time.monotonic()
        generate(mosquitto.port, seconds=seconds, in_flight=512)
        lasted, after = time.monotonic() - began, cost(consumer.pid)
        consumer.send_signal(signal.SIGTERM)
        words, _ = consumer.communicate(timeout=30)
    readings = json.loads(words)["readings"]
    return Row(
        what="paho + dict, QoS 1, mosquitto",
        readings_s=readings / lasted,
        cpu_s_per_million=(after.cpu_s - before.cpu_s) / max(readings, 1) * 1e6,
        core_percent=(after.cpu_s - before.cpu_s) / lasted * 100,
        pss_mib=after.pss_mib,
        detail="acknowledged on receipt, nothing journaled",
    )


if __name__ == "__main__":
    main()
