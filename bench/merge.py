"""What an aggregator costs: its merging alone, and the process under a thousand senders.

    python -m bench.merge [--seconds 20] [--senders 1000] [--out bench/out/merge.json]

A **merge** is one key's states (count, avg, min, max, p99) going into others. The first lines are CPU time of
functions called in this process; the last ones are a real aggregator process, driven over gRPC by senders with a
connection each (``bench.senders``), whose parent acknowledges everything.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import IO, Any, Final

from aggregator.gathered import Gathered, GatheredMerger
from aggregator.merge import lane as core
from aggregator.merge.values import ChildRound, Limits, MergeLane
from bench.engine import NUMBERS, P99, table_of
from bench.processes import cost, free_port, stop, until_listening
from bench.report import Heading, Report, flags
from fogline.engine.merge import merge, merge_all
from fogline.engine.state import EMPTY, PartState, ReadingTerm
from fogline.intake.judgement import settle
from fogline.intake.sink import ChildLane
from fogline.model.clock import NEVER, SECOND
from fogline.model.part import Contribution, Origin, Part
from fogline.service.logs import set_up_logs
from fogline.testing.parents import Parent
from fogline.v1 import uplink_pb2
from fogline.wire.origins import OriginNumbers
from fogline.wire.part import part_from_wire, part_to_wire

KEYS: Final = 10
CHILDREN: Final = 1_000
MESSAGES: Final = 400
"""Of one part."""
ROUNDS: Final = 5
COUNTS: Final = {ReadingTerm("air", "", "decoded", ""): 400, ReadingTerm("air", "s", "counted", ""): 400}
INCARNATION: Final = b"\x01" * 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table. ``None``: not measured in this line."""

    what: str
    merges_s: float | None = None
    """Merges a second of one core, from CPU time."""
    us_a_part: float | None = None
    core_percent: float | None = None
    pss_mib: float | None = None
    detail: str = ""


COLUMNS: Final = (
    Heading("what", ""),
    Heading("merges_s", "merges/s/core", ",.0f"),
    Heading("us_a_part", "us a part"),
    Heading("core_percent", "core %"),
    Heading("pss_mib", "PSS MiB"),
    Heading("detail", ""),
)


def main() -> None:
    """Measure, print, write."""
    parser = flags("merge", __doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each run under senders")
    parser.add_argument("--senders", type=int, default=CHILDREN)
    arguments = parser.parse_args()
    set_up_logs(level="error", tier="bench", name="parent")
    report = Report("merge", arguments)
    rows = core_rows()
    rows.append(process_row(senders=arguments.senders, keys=KEYS, seconds=arguments.seconds))
    rows.append(process_row(senders=20, keys=1_000, seconds=arguments.seconds))
    report.table("merges", rows, COLUMNS)
    report.end()


# --- in this process


def core_rows() -> list[Row]:
    """The engine's merging, and what the rules and the wire add to it."""
    states = [_state(seed) for seed in range(CHILDREN)]
    pair = _best(lambda: [merge(a, b) for a, b in zip(states[:100], states[100:200], strict=True)]) / 100
    many = _best(lambda: merge_all(states)) / CHILDREN
    parts = [_part(number, state, MESSAGES, SECOND) for number, state in enumerate(states)]
    proven = _proven(_RULES, CHILDREN)
    lane = _best(lambda: _through_the_lane(proven, parts)) / CHILDREN
    encoded = [_encoded(part) for part in parts]
    wire = _best(lambda: _from_wire_to_wire(proven, encoded)) / CHILDREN
    return [
        _core_row("merge two tables of 10 keys, pairwise", pair),
        _core_row("merge 1,000 tables of 10 keys at once", many),
        _core_row("merge core, 1,000 children with 10 keys", lane, "all rules, sealed by time"),
        _core_row("the same, decoded from and encoded for the wire", wire),
    ]


def _core_row(what: str, seconds: float, detail: str = "") -> Row:
    return Row(what=what, merges_s=KEYS / seconds, us_a_part=seconds * 1e6, detail=detail)


def _best(run: Callable[[], object]) -> float:
    """CPU seconds of one call: the best of the rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        run()
        best = min(best, time.process_time() - start)
    return best


def _state(seed: int) -> PartState:
    """Other values in each state, but the same keys: names by their place."""
    table = table_of(KEYS, seed % 16, (*NUMBERS, P99))
    keys = tuple(replace(key, dictionary=_names(len(key.dictionary))) for key in table.keys)
    return PartState(tables=(replace(table, keys=keys),), counts=COUNTS)


def _names(count: int) -> tuple[str, ...]:
    return tuple(f"device-{number:06d}" for number in range(count))


_ORIGINS: Final = [
    Origin(tenant="main", node=f"n{number}", stream="air", epoch=bytes(16)) for number in range(CHILDREN)
]
_KEYS: Final = [ChildRound(child=f"n{number}", stream=number, round=0) for number in range(CHILDREN)]
_RULES: Final = core.Rules(merger=GatheredMerger(Limits().part_bytes), limits=Limits())


def _part(number: int, state: PartState, first: int, watermark: int) -> Part[PartState]:
    contribution = Contribution(
        origin=_ORIGINS[number], start=0, first=first, end=first + MESSAGES, watermark=watermark
    )
    return Part(contributions=(contribution,), state=state)


def _proven(rules: core.Rules[Gathered], children: int) -> MergeLane[Gathered]:
    """A lane whose children have all been told where they are."""
    lane: MergeLane[Gathered] = core.upstream_opened(MergeLane())
    for number in range(children):
        key = _KEYS[number]
        lane, _ = core.child_opened(lane, key)
        probe = Contribution(origin=_ORIGINS[number], start=0, first=0, end=0, watermark=NEVER)
        empty = Part(contributions=(probe,), state=Gathered.of(EMPTY))
        lane, _ = core.delivered(lane, key, empty, rules=rules, now=0)
        lane, _ = core.answered(lane, {_ORIGINS[number]: 0}, INCARNATION, rules=rules, now=0)
    for number in range(children):
        first = Part(contributions=_part(number, EMPTY, 0, 0).contributions, state=Gathered.of(EMPTY))
        lane, _ = core.delivered(lane, _KEYS[number], first, rules=rules, now=0)
    lane, _ = core.flush(lane, rules=rules, now=0)
    told = {_ORIGINS[number]: MESSAGES for number in range(children)}
    lane, _ = core.answered(lane, told, INCARNATION, rules=rules, now=0)
    assert lane.open is None
    assert not lane.inflight
    return lane


def _through_the_lane(proven: MergeLane[Gathered], parts: list[Part[PartState]]) -> list[Part[PartState]]:
    """One part of each child goes in; the sealed parts come out."""
    lane = proven
    for key, part in zip(_KEYS, parts, strict=True):
        given = Part(contributions=part.contributions, state=Gathered.of(part.state))
        lane, _ = core.delivered(lane, key, given, rules=_RULES, now=1)
    lane, _ = core.flush(lane, rules=_RULES, now=SECOND)
    sealed: list[Part[PartState]] = []
    while True:
        lane, out = core.next_part(lane)
        if out is None:
            return sealed
        sealed.append(Part(contributions=out.contributions, state=out.state.merged()))


def _encoded(part: Part[PartState]) -> tuple[bytes, OriginNumbers]:
    numbers = OriginNumbers()
    numbers.name(c.origin for c in part.contributions)
    return part_to_wire(part, numbers, lane=0, round_=0).SerializeToString(), numbers


def _from_wire_to_wire(proven: MergeLane[Gathered], encoded: list[tuple[bytes, OriginNumbers]]) -> None:
    parts = [part_from_wire(uplink_pb2.Part.FromString(raw), numbers) for raw, numbers in encoded]
    for part in _through_the_lane(proven, parts):
        _encoded(part)


# --- a real aggregator


class Acknowledging:
    """A parent's sink that judges and acknowledges at once, and keeps nothing but offsets."""

    def __init__(self) -> None:
        self.offsets: dict[Origin, int] = {}
        self.parts = 0

    async def open_lane(self, lane: ChildLane) -> None:
        """A round begins."""

    async def close_lane(self, lane: ChildLane) -> None:
        """A round is over."""

    async def take(self, lane: ChildLane, part: Part[PartState]) -> None:
        """Judge, and tell."""
        settlement = settle(part.contributions, self.offsets)
        self.offsets |= settlement.write
        self.parts += 1
        lane.ack(settlement.told, INCARNATION)


class ParentThread(threading.Thread):
    """The parent on a loop of its own."""

    def __init__(self) -> None:
        super().__init__(name="parent", daemon=True)
        self.sink = Acknowledging()
        self.port = 0
        self.ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()

    def run(self) -> None:
        """Serve until stopped."""
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        parent = Parent(self.sink, credit_bytes=4 << 20)
        async with parent.server:
            self.port = parent.server.port
            self.ready.set()
            await self._ended.wait()

    def stop(self) -> None:
        """End it."""
        self._loop.call_soon_threadsafe(self._ended.set)
        self.join()


@contextmanager
def aggregator(parent_port: int) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A real aggregator below that parent; its process and port."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="fogline-bench-") as folder:
        command = [
            *(
                sys.executable,
                "-m",
                "aggregator",
                "--plaintext",
                "--name",
                "bench",
                "--listen",
                f"127.0.0.1:{port}",
            ),
            *("--parents", f"127.0.0.1:{parent_port}", "--folder", folder, "--log-level", "error"),
        ]
        process = subprocess.Popen(command)
        try:
            until_listening(port)
            yield process, port
        finally:
            stop(process)


def process_row(*, senders: int, keys: int, seconds: float) -> Row:
    """The aggregator's process under senders of one part a second each."""
    parent = ParentThread()
    parent.start()
    parent.ready.wait()
    try:
        with aggregator(parent.port) as (process, port):
            reports, cpu_s, lasted, pss = _drive(process.pid, port, senders, keys, seconds)
    finally:
        parent.stop()
    parts = sum(report["acknowledged"] for report in reports)
    sent = sum(report["sent"] for report in reports)
    worst = max(report["ack_p99_ms"] for report in reports)
    return Row(
        what=f"process, {senders:,} senders with {keys:,} keys a second",
        merges_s=parts * keys / cpu_s,
        us_a_part=cpu_s / parts * 1e6,
        core_percent=cpu_s / lasted * 100,
        pss_mib=pss,
        detail=(
            f"{parts:,} of {sent:,} parts acknowledged, ack p99 {worst:,.0f} ms; "
            f"{parent.sink.parts:,} parts up; {reports[0]['part_bytes']:,} bytes a part"
        ),
    )


def _drive(
    pid: int, port: int, senders: int, keys: int, seconds: float
) -> tuple[list[dict[str, Any]], float, float, float]:
    halves = [senders // 2, senders - senders // 2]
    processes = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "bench.senders", "--port", str(port), "--senders", str(half)),
                *("--first", str(halves[0] * number), "--keys", str(keys), "--seconds", str(seconds)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number, half in enumerate(halves)
    ]
    for process in processes:
        assert _pipe(process.stdout).readline() == "connected\n"
    before, began = cost(pid), time.monotonic()
    for process in processes:
        _pipe(process.stdin).write("go\n")
        _pipe(process.stdin).flush()
    reports = [json.loads(_pipe(process.stdout).readline()) for process in processes]
    after, lasted = cost(pid), time.monotonic() - began
    for process in processes:
        process.communicate(timeout=30)
    return reports, after.cpu_s - before.cpu_s, lasted, after.pss_mib


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


if __name__ == "__main__":
    main()
