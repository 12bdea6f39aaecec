"""Memory of every tier: idle, under load, and how it grows.

    python -m bench.memory [--minutes 30] [--rate 10000] [--out bench/out/memory.json]

PSS (each process' share of what it maps) of all processes that ``fogline up`` starts with one node. The slope is a
line fitted through the anonymous part of it, every ten seconds, after ``--settle`` minutes (default: a third of the
run, at most ten): what is mapped from files is shared, and changes with whatever else runs on the machine.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.ingest import site
from bench.processes import cost

SAMPLE_S: Final = 10.0
IDLE_S: Final = 20.0
SETTLED_MINUTES: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One process."""

    tier: str
    idle_mib: float
    loaded_mib: float
    """At the end of the run."""
    anonymous_mib: float
    """Of that, what is not mapped from a file."""
    most_anonymous_mib: float
    slope_mib_h: float
    """After the settling."""
    error_mib_h: float
    """Standard error of the slope."""
    core_percent: float
    """Under load."""


@dataclass(slots=True)
class Samples:
    """What was seen of one process: seconds since the load began, and MiB of anonymous memory."""

    at_s: list[float]
    mib: list[float]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0, help="under load")
    parser.add_argument("--settle", type=float, help="minutes that the slope leaves out")
    parser.add_argument("--rate", type=int, default=10_000, help="readings a second")
    parser.add_argument("--out", type=Path, default=Path("bench/out/memory.json"))
    arguments = parser.parse_args()
    settle = arguments.settle if arguments.settle is not None else min(arguments.minutes / 3, SETTLED_MINUTES)
    with tempfile.TemporaryDirectory(prefix="fogline-bench-", dir=".") as folder, site(Path(folder)) as ready:
        rows = measure(ready, minutes=arguments.minutes, settle_s=settle * 60, rate=arguments.rate)
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.release()}"
    show(rows, machine, arguments.minutes, settle, arguments.rate)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    report = {
        "machine": machine,
        "minutes": arguments.minutes,
        "settle_minutes": settle,
        "rate": arguments.rate,
        "rows": [asdict(row) for row in rows],
    }
    arguments.out.write_text(json.dumps(report, indent=1) + "\n")


def measure(ready: dict[str, Any], *, minutes: float, settle_s: float, rate: int) -> list[Row]:
    """Idle first, then under load."""
    of_all = {tier: one if isinstance(one, list) else [one] for tier, one in ready["pids"].items()}
    pids = {
        f"{tier} {number}" if len(of_tier) > 1 else tier: pid
        for tier, of_tier in of_all.items()
        for number, pid in enumerate(of_tier)
    }
    time.sleep(IDLE_S)
    idle = {tier: cost(pid) for tier, pid in pids.items()}
    samples = {tier: Samples([], []) for tier in pids}
    port = int(ready["mqtt"][0].rsplit(":", 1)[1])
    with load(port, seconds=minutes * 60, rate=rate) as generator:
        began = time.monotonic()
        while generator.poll() is None:
            time.sleep(SAMPLE_S)
            for tier, pid in pids.items():
                samples[tier].at_s.append(time.monotonic() - began)
                samples[tier].mib.append(anonymous_mib(pid))
        lasted = time.monotonic() - began
    rows = []
    for tier, pid in pids.items():
        now, seen = cost(pid), samples[tier]
        slope, error = fit(seen, settle_s)
        rows.append(
            Row(
                tier=tier,
                idle_mib=idle[tier].pss_mib,
                loaded_mib=now.pss_mib,
                anonymous_mib=seen.mib[-1],
                most_anonymous_mib=max(seen.mib),
                slope_mib_h=slope,
                error_mib_h=error,
                core_percent=(now.cpu_s - idle[tier].cpu_s) / lasted * 100,
            )
        )
    return rows


def anonymous_mib(pid: int) -> float:
    """What a process holds that is not mapped from a file."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss_Anon:")) / 1024


def fit(samples: Samples, settle_s: float) -> tuple[float, float]:
    """MiB an hour of the line of least squares through what came after ``settle_s``, and its standard error."""
    at = np.array([a for a in samples.at_s if a >= settle_s])
    mib = np.array(samples.mib[len(samples.at_s) - len(at) :])
    if len(at) < 3:
        return float("nan"), float("nan")
    centred = at - at.mean()
    slope = float((centred * mib).sum() / (centred**2).sum())
    left = mib - mib.mean() - slope * centred
    error = float(np.sqrt((left**2).sum() / (len(at) - 2) / (centred**2).sum()))
    return slope * 3600, error * 3600


@contextmanager
def load(port: int, *, seconds: float, rate: int) -> Iterator[subprocess.Popen[bytes]]:
    """The generator at work."""
    command = [
        *(sys.executable, "-m", "bench.generator", "--port", str(port), "--seconds", str(seconds)),
        *("--rate", str(rate), "--seed", str(time.monotonic_ns() % 2**31)),
    ]
    generator = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield generator
    finally:
        generator.terminate()
        generator.wait()


def show(rows: list[Row], machine: str, minutes: float, settle: float, rate: int) -> None:
    """Print the table."""
    print(f"\n{machine}\n{minutes:g} minutes at {rate:,} readings/s, slope after {settle:g} minutes\n")
    print(
        f"{'PSS in MiB':20}{'idle':>8}{'loaded':>8}{'anon':>8}{'most':>8}{'slope MiB/h':>13}{'+-':>7}{'core %':>8}"
    )
    for row in rows:
        print(
            f"{row.tier:20}{row.idle_mib:8.1f}{row.loaded_mib:8.1f}{row.anonymous_mib:8.1f}{row.most_anonymous_mib:8.1f}"
            f"{row.slope_mib_h:13.2f}{row.error_mib_h:7.2f}{row.core_percent:8.1f}"
        )


if __name__ == "__main__":
    main()
