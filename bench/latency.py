"""From a pane's end to its result: through node, aggregator and cloud, until a reader of the API has it.

    python -m bench.latency [--seconds 60] [--rate 10000] [--nodes 2] [--out bench/out/latency.json]

Each node has a generator of its own (``bench.generator``) whose readings bear the time of their making, and a key
``site`` of its own, so that its rows depend on nobody else's readings. A row's **values** count from the window's
end until the last of its readings was in what a follower of the results was handed; **complete** counts from the
window's end plus the allowed ``disorder`` (1 s) until the follower was also told that nothing is missing. The second
part kills the last node with ``kill -9`` every ten seconds: the first line is what that means for the others' rows
(their values are there; complete they are when the node is back), the second for its own, whose devices send again
what was not acknowledged.
"""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.processes import file_system
from fogline import Client
from fogline.client.values import Result, WindowStatus

DISORDER_S: Final = 1.0
KILL_EVERY_S: Final = 10.0
WARM_S: Final = 5.0
"""Windows that end so soon after the load began are left out, as are the last ones."""
PIPELINE: Final = """\
name: bench
streams:
  air:
    mqtt: "{site}/{zone}/{device}/air"
    format: json
    time: {path: ts, unit: ms}
    fields: {temp: {type: float, resolution: 0.01}}
steps:
  by_zone:
    sql: |
      SELECT site, zone, count(*) AS n, avg(temp) AS mean, min(temp) AS low, max(temp) AS high,
             quantile(temp, 0.99) AS p99
      FROM air GROUP BY site, zone, TUMBLE(ts, INTERVAL '1 second')
late: {disorder: 1s, wait: 2m, keep: 1d}
"""

FIGURES: Final = ("values_p50", "values_p99", "complete_p50", "complete_p99", "complete_most")

RowKey = tuple[datetime, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the table; milliseconds."""

    what: str
    rows: int
    values_p50: float
    values_p99: float
    complete_p50: float
    complete_p99: float
    complete_most: float


@dataclass(slots=True)
class Seen:
    """What became of one row."""

    final_at: float
    readings: int
    complete_at: float | None = None


@dataclass(slots=True)
class Follower:
    """Reads every change of every result, and notes when it came."""

    client: Client
    rows: dict[RowKey, Seen] = field(default_factory=dict)

    def start(self) -> None:
        """Follow in a thread, for ever."""
        threading.Thread(target=self._run, name="follow results", daemon=True).start()

    def _run(self) -> None:
        with self.client.follow("bench") as following:
            for result in following:
                self._take(result, time.time())

    def _take(self, result: Result, now: float) -> None:
        key = (result.window_end, str(result.key["site"]), str(result.key["zone"]))
        seen = self.rows.setdefault(key, Seen(final_at=now, readings=0))
        if result.readings > seen.readings:
            seen.final_at, seen.readings = now, result.readings
            seen.complete_at = None
        if result.status is not WindowStatus.OPEN and seen.complete_at is None:
            seen.complete_at = now


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="of each part")
    parser.add_argument("--rate", type=int, default=10_000, help="readings a second of all nodes together")
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("bench/out/latency.json"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fogline-bench-", dir=".") as folder:
        lines = measure(Path(folder), arguments)
        disk = file_system(Path(folder))
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.release()}, {disk}"
    print(f"\n{machine}; {arguments.rate:,} readings/s over {arguments.nodes} nodes")
    print("milliseconds; values from the pane's end, complete from the pane's end + disorder\n")
    print(f"{'':36}{'rows':>7}{'values p50':>12}{'p99':>8}{'complete p50':>14}{'p99':>8}{'most':>8}")
    for line in lines:
        print(
            f"{line.what:36}{line.rows:7}{line.values_p50:12.0f}{line.values_p99:8.0f}"
            f"{line.complete_p50:14.0f}{line.complete_p99:8.0f}{line.complete_most:8.0f}"
        )
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    report = {"machine": machine, "rate": arguments.rate, "nodes": arguments.nodes}
    arguments.out.write_text(
        json.dumps(report | {"lines": [asdict(line) for line in lines]}, indent=1) + "\n"
    )


def measure(folder: Path, arguments: argparse.Namespace) -> list[Line]:
    """Steady first, then with kills."""
    names = [f"site{number}" for number in range(arguments.nodes)]
    with site(folder, arguments.nodes) as ready, Client(ready["grpc"]) as client:
        follower = Follower(client)
        follower.start()
        per_node = arguments.rate // arguments.nodes
        lines = []
        with loads(ready["mqtt"], names, per_node, arguments.seconds):
            time.sleep(arguments.seconds)
        lines.append(line_of("steady", follower, names))
        follower.rows.clear()
        with loads(ready["mqtt"], names, per_node, arguments.seconds):
            until = time.monotonic() + arguments.seconds
            while time.monotonic() + KILL_EVERY_S < until:
                time.sleep(KILL_EVERY_S)
                kill(ready["pids"]["supervisor"], f"node-{arguments.nodes}")
            time.sleep(max(until - time.monotonic(), 0.0))
        time.sleep(5)
        lines.append(line_of("a node killed: the others' rows", follower, names[:-1]))
        lines.append(line_of("a node killed: its own rows", follower, names[-1:]))
    return lines


def line_of(what: str, follower: Follower, sites: list[str]) -> Line:
    """Percentiles over the rows of some sites."""
    rows = {key: seen for key, seen in dict(follower.rows).items() if key[1] in sites}
    first = min(end for end, _, _ in rows) + timedelta(seconds=WARM_S)
    last = max(end for end, _, _ in rows) - timedelta(seconds=WARM_S)
    kept = [(end.timestamp(), seen) for (end, _, _), seen in rows.items() if first <= end <= last]
    values = np.array([seen.final_at - end for end, seen in kept]) * 1000
    whole = np.array([seen.complete_at - end for end, seen in kept if seen.complete_at is not None])
    if len(whole) < len(values):
        print(f"{what}: {len(values) - len(whole)} rows were never complete", file=sys.stderr)
    complete = (whole - DISORDER_S) * 1000
    figures = [*np.percentile(values, [50, 99]), *np.percentile(complete, [50, 99, 100])]
    return Line(
        what=what,
        rows=len(values),
        **{name: round(float(figure), 1) for name, figure in zip(FIGURES, figures, strict=True)},
    )


@contextmanager
def site(folder: Path, nodes: int) -> Iterator[dict[str, Any]]:
    """All tiers with these nodes; the line that ``up --json`` prints."""
    pipeline = folder / "bench.yaml"
    pipeline.write_text(PIPELINE)
    command = [
        *(sys.executable, "-m", "fogline", "up", "--dir", str(folder), "--nodes", str(nodes)),
        *("--no-sensors", "--no-browser", "--pipeline", str(pipeline), "--json"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def loads(addresses: list[str], names: list[str], rate: int, seconds: float) -> Iterator[None]:
    """A generator for each node."""
    with ExitStack() as stack:
        for address, name in zip(addresses, names, strict=True):
            command = [
                *(
                    sys.executable,
                    "-m",
                    "bench.generator",
                    "--port",
                    address.rsplit(":", 1)[1],
                    "--reconnect",
                ),
                *("--rate", str(rate), "--seconds", str(seconds), "--prefix", name),
                *("--seed", str(time.monotonic_ns() % 2**31)),
            ]
            process = stack.enter_context(subprocess.Popen(command, stdout=subprocess.DEVNULL))
            stack.callback(process.terminate)
        yield


def kill(supervisor: int, name: str) -> None:
    """``kill -9`` the supervisor's child of that name; the supervisor starts it again."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
            words = (status.parent / "cmdline").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == supervisor and "fog_node" in words and name in words:
            os.kill(int(status.parent.name), signal.SIGKILL)


if __name__ == "__main__":
    main()
