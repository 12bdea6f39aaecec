"""All tiers as processes on this machine, started with ``fogline up`` as a user does."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.processes import Cost, cost, stop

TIERS: Final = ("node", "aggregator", "cloud")
PIPELINE: Final = """\
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
"""Fits what ``bench.generator`` and ``bench.flood`` send."""
BY_SITE: Final = (
    PIPELINE.replace('"greenhouse/', '"{site}/')
    .replace("SELECT zone", "SELECT site, zone")
    .replace("BY zone", "BY site, zone")
)
"""The same with a key more: the first level of the topics."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What the tiers used between two looks, and their memory at the second."""

    cpu_s: dict[str, float]
    pss_mib: dict[str, float]

    def words(self, readings: float) -> str:
        """CPU seconds for a million of so many readings, tier by tier."""
        each = (f"{tier} {spent / readings * 1e6:.2f}" for tier, spent in self.cpu_s.items())
        return ", ".join(each) + " CPU-s/1M"


class Site:
    """What ``fogline up`` runs, and its ledger."""

    def __init__(self, folder: Path, ready: dict[str, Any]) -> None:
        self._folder: Final = folder
        self.ready: Final = ready
        self.pids: Final[dict[str, Any]] = ready["pids"]
        self.tiers: Final[dict[str, int]] = {tier: self.pids[tier][0] for tier in TIERS}
        self.ports: Final = [int(address.rsplit(":", 1)[1]) for address in ready["mqtt"]]

    def costs(self) -> dict[str, Cost]:
        """What each tier has used so far."""
        return {tier: cost(pid) for tier, pid in self.tiers.items()}

    def spent_since(self, before: dict[str, Cost]) -> Spent:
        """What each tier has used since."""
        now = self.costs()
        return Spent(
            {tier: now[tier].cpu_s - before[tier].cpu_s for tier in now},
            {tier: now[tier].pss_mib for tier in now},
        )

    def pending(self) -> int:
        """Messages that the node has journaled and the cloud has not committed."""
        return int(self._ledger()["pending"])

    def settled(self) -> str:
        """Whether everything was counted, once it has settled."""
        deadline = time.monotonic() + 60
        while (ledger := self._ledger())["pending"] and time.monotonic() < deadline:
            time.sleep(0.5)
        verdict = "adds up" if ledger["adds_up"] else "; ".join(ledger["differences"])
        return f"{ledger['committed']:,} of {ledger['journaled']:,} committed, {verdict}"

    def _ledger(self) -> dict[str, Any]:
        words = subprocess.run(
            [sys.executable, "-m", "fogline", "ledger", "--dir", str(self._folder), "--json"],
            check=True,
            capture_output=True,
            text=True,
        )
        ledger: dict[str, Any] = json.loads(words.stdout.splitlines()[0])
        return ledger


@contextmanager
def site(folder: Path, *more: str, nodes: int = 1, pipeline: str = PIPELINE) -> Iterator[Site]:
    """All tiers with these nodes and the pipeline; ``more`` are further flags of ``fogline up``."""
    folder.mkdir(exist_ok=True)
    file = folder / "bench.yaml"
    file.write_text(pipeline)
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "fogline", "up", "--dir", str(folder), "--nodes", str(nodes)),
            *("--no-sensors", "--no-browser", "--pipeline", str(file), "--json", *more),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        if not said:
            raise SystemExit(f"fogline up ended at once; look into {folder / 'logs'}")
        yield Site(folder, json.loads(said))
    finally:
        stop(process)
