"""From a pane's end to its result: through node, aggregator and cloud, until a reader of the API has it.

    python -m bench.latency [--seconds 60] [--rate 10000] [--nodes 2] [--out bench/out/latency.json]

Each node has a generator of its own (``bench.generator``) whose readings bear the time of their making, and a key
``site`` of its own, so that its rows depend on nobody else's readings. A row's **values** count from the window's
end until the last of its readings was in what a follower of the results was handed; **complete** counts from the
window's end plus the allowed ``disorder`` (1 s) until the follower was also told that nothing is missing.

The second part kills the last node with ``kill -9`` every ten seconds. Of the others' rows the values are there as
before; complete they are when the node is back. Its own rows wait for its new process: a third table says how long
that takes, from the kill until it admits devices again (``listens``), and until the follower had readings made after
that (``has results``, which contains up to a second of waiting for the next pane's end).
"""

import argparse
import os
import signal
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from bench.frames import connect_packet
from bench.load import generating
from bench.processes import child_of
from bench.report import Heading, Report, flags
from bench.site import BY_SITE, Site, site
from fogline import Client
from fogline.client.following import Following
from fogline.client.values import Result, WindowStatus

DISORDER_S: Final = 1.0
KILL_EVERY_S: Final = 10.0
WARM_S: Final = 5.0
"""Windows that end so soon after the load began are left out, as are the last ones."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """How long a killed node was away; milliseconds from the kill."""

    what: str
    kills: int
    median: float
    most: float


LINES: Final = (
    Heading("what", "milliseconds"),
    Heading("rows", "rows", ",d"),
    Heading("values_p50", "values p50", ",.0f"),
    Heading("values_p99", "p99", ",.0f"),
    Heading("complete_p50", "complete p50", ",.0f"),
    Heading("complete_p99", "p99", ",.0f"),
    Heading("complete_most", "most", ",.0f"),
)
BACK: Final = (
    Heading("what", "milliseconds from the kill"),
    Heading("kills", "kills", ",d"),
    Heading("median", "median", ",.0f"),
    Heading("most", "most", ",.0f"),
)


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
    grew_at: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """When a site's rows got more readings."""

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Follow in a thread."""
        with self.client.follow("bench") as following:
            thread = threading.Thread(target=self._run, args=(following,), name="follow results", daemon=True)
            thread.start()
            yield
        thread.join()

    def _run(self, following: Following) -> None:
        for result in following:
            self._take(result, time.time())

    def _take(self, result: Result, now: float) -> None:
        key = (result.window_end, str(result.key["site"]), str(result.key["zone"]))
        seen = self.rows.setdefault(key, Seen(final_at=now, readings=0))
        if result.readings > seen.readings:
            seen.final_at, seen.readings = now, result.readings
            seen.complete_at = None
            self.grew_at[key[1]].append(now)
        if result.status is not WindowStatus.OPEN and seen.complete_at is None:
            seen.complete_at = now


@dataclass(frozen=True, slots=True)
class Kill:
    """One ``kill -9``: seconds since 1970."""

    at: float
    listens_at: float


def main() -> None:
    """Measure, print, write."""
    parser = flags("latency", __doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each part")
    parser.add_argument("--rate", type=int, default=10_000, help="readings a second of all nodes together")
    parser.add_argument("--nodes", type=int, default=2)
    arguments = parser.parse_args()
    report = Report("latency", arguments)
    with tempfile.TemporaryDirectory(prefix="fogline-bench-", dir=".") as folder:
        lines, back = measure(Path(folder), arguments)
    title = f"from a pane's end (complete: + disorder), {arguments.rate:,} readings/s over {arguments.nodes} nodes"
    report.table(title, lines, LINES)
    report.table("until a killed node is back", back, BACK)
    report.end()


def measure(folder: Path, arguments: argparse.Namespace) -> tuple[list[Line], list[Back]]:
    """Steady first, then with kills."""
    names = [f"site{number}" for number in range(arguments.nodes)]
    with (
        site(folder, nodes=arguments.nodes, pipeline=BY_SITE) as running,
        Client(running.ready["grpc"]) as client,
        (follower := Follower(client)).at_work(),
    ):
        per_node = arguments.rate // arguments.nodes
        with loads(running.ports, names, per_node, arguments.seconds):
            time.sleep(arguments.seconds)
        lines = [line_of("steady", follower, names)]
        follower.rows.clear()
        with loads(running.ports, names, per_node, arguments.seconds):
            kills = kill_now_and_then(running, arguments.nodes, arguments.seconds)
        time.sleep(5)
        lines.append(line_of("a node killed: the others' rows", follower, names[:-1]))
        lines.append(line_of("a node killed: its own rows", follower, names[-1:]))
        return lines, back_lines(kills, follower.grew_at[names[-1]])


def kill_now_and_then(running: Site, node: int, seconds: float) -> list[Kill]:
    """``kill -9`` for the last node every ten seconds; the supervisor starts it again."""
    until = time.monotonic() + seconds
    kills: list[Kill] = []
    while time.monotonic() + KILL_EVERY_S < until:
        time.sleep(KILL_EVERY_S)
        pid = child_of(running.pids["supervisor"], "fog_node", f"node-{node}")
        at = time.time()
        os.kill(pid, signal.SIGKILL)
        kills.append(Kill(at, admitted_at(running.ports[-1], len(kills))))
    time.sleep(max(until - time.monotonic(), 0.0))
    return kills


def admitted_at(port: int, number: int) -> float:
    """When a new process let a device in."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), 30) as device:
                device.sendall(connect_packet(f"probe-{number}", 5))
                if device.recv(1):
                    return time.time()
        except OSError:
            time.sleep(0.005)
    raise SystemExit(f"nobody listens on port {port} since the kill")


def back_lines(kills: list[Kill], grew_at: list[float]) -> list[Back]:
    """Summaries of how long it took."""
    listens = [kill.listens_at - kill.at for kill in kills]
    results = [min((at for at in grew_at if at >= kill.listens_at), default=float("nan")) for kill in kills]
    waited = [at - kill.at for at, kill in zip(results, kills, strict=True)]
    named = (("its new process admits devices", listens), ("a follower has readings of it", waited))
    return [
        Back(what=what, kills=len(kills), median=statistics.median(times) * 1000, most=max(times) * 1000)
        for what, times in named
        if times
    ]


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
def loads(ports: list[int], names: list[str], rate: int, seconds: float) -> Iterator[None]:
    """A generator for each node."""
    with ExitStack() as stack:
        for port, name in zip(ports, names, strict=True):
            stack.enter_context(generating(port, "--reconnect", rate=rate, seconds=seconds, prefix=name))
        yield


if __name__ == "__main__":
    main()
