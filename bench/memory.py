"""Memory of every tier: idle, under load, and how it grows.

    python -m bench.memory [--minutes 30] [--rate 10000] [--out bench/out/memory.json]

PSS (each process' share of what it maps) of all processes that ``fogline up`` starts with one node. The slope is a
line fitted through the anonymous part of it, every ten seconds, after ``--settle`` minutes (default: a third of the
run, at most ten): what is mapped from files is shared, and changes with whatever else runs on the machine.
"""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.load import generating
from bench.processes import anonymous_mib, cost
from bench.report import Heading, Report, flags
from bench.site import Site, site

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


COLUMNS: Final = (
    Heading("tier", "MiB"),
    Heading("idle_mib", "PSS idle"),
    Heading("loaded_mib", "loaded"),
    Heading("anonymous_mib", "anonymous"),
    Heading("most_anonymous_mib", "most"),
    Heading("slope_mib_h", "slope MiB/h", ",.2f"),
    Heading("error_mib_h", "+-", ",.2f"),
    Heading("core_percent", "core %"),
)


def main() -> None:
    """Measure, print, write."""
    parser = flags("memory", __doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="under load")
    parser.add_argument("--settle", type=float, help="minutes that the slope leaves out")
    parser.add_argument("--rate", type=int, default=10_000, help="readings a second")
    arguments = parser.parse_args()
    settle = arguments.settle if arguments.settle is not None else min(arguments.minutes / 3, SETTLED_MINUTES)
    report = Report("memory", arguments)
    with (
        tempfile.TemporaryDirectory(prefix="fogline-bench-", dir=".") as folder,
        site(Path(folder)) as running,
    ):
        rows = measure(running, minutes=arguments.minutes, settle_s=settle * 60, rate=arguments.rate)
    title = f"{arguments.minutes:g} minutes at {arguments.rate:,} readings/s, slope after {settle:g} minutes"
    report.table(title, rows, COLUMNS)
    report.end()


def measure(running: Site, *, minutes: float, settle_s: float, rate: int) -> list[Row]:
    """Idle first, then under load."""
    pids = processes(running.pids)
    time.sleep(IDLE_S)
    idle = {tier: cost(pid) for tier, pid in pids.items()}
    samples = {tier: Samples([], []) for tier in pids}
    with generating(running.ports[0], seconds=minutes * 60, rate=rate) as generator:
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


def processes(pids: dict[str, Any]) -> dict[str, int]:
    """A name for each process that ``fogline up`` started, and for itself."""
    of_all = {tier: one if isinstance(one, list) else [one] for tier, one in pids.items()}
    return {
        f"{tier} {number}" if len(of_tier) > 1 else tier: pid
        for tier, of_tier in of_all.items()
        for number, pid in enumerate(of_tier)
    }


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


if __name__ == "__main__":
    main()
