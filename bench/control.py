"""What a group costs the cloud when nothing happens but counting: bytes and CPU a second, by the group's size.

    python -m bench.control [--seconds 20]

Every node's counters move each second. Measured are the control stream's bytes and the CPU time of the cloud's end of
it with its writes into a store (SQLite), called in this process: once with sums, once with whole reports, as a parent
is told that takes no sums.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aggregator.group import Group
from cloud.board import Board
from cloud.store.opening import open_store
from fogline.control.condensing import Condenser, Expander
from fogline.control.desired import Desired
from fogline.control.summing import Summing
from fogline.model.caller import LOCAL
from fogline.model.clock import SECOND
from fogline.testing.clock import ManualClock
from fogline.v1 import control_pb2, types_pb2

SIZES: Final = (10, 1_000)
SETTLE_S: Final = 3
"""Seconds before it is measured: the stream begins with everything."""
STREAMS: Final = ("air", "water")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of one group, a second."""

    nodes: int
    sums: bool
    bytes_s: float
    reports_s: float
    cloud_ms_s: float
    """CPU time of the cloud."""


def report_of(node: str, now_us: int, second: int) -> control_pb2.NodeReport:
    """A node that ingests two streams and runs an operator."""
    report = control_pb2.NodeReport(node=node, at_us=now_us, generation=1, version="1", instance=node)
    report.capacity.arch, report.capacity.cpu_millis = "aarch64", 4000
    for stream in STREAMS:
        origin = types_pb2.Origin(tenant="main", node=node, stream=stream, epoch=bytes(16))
        count = 1000 * second
        report.journals.add(origin=origin, received=count, journaled=count)
        report.lanes.add(plan="0123456789abcdef", origin=origin, committed=count, watermark_us=now_us)
    report.steps.add(plan="0123456789abcdef", step="clean", batches=second, busy_us=count)
    report.containers.add(
        kind="operator", plan="0123456789abcdef", name="clean", state="running", cpu_us=count
    )
    return report


async def measure(nodes: int, *, sums: bool, seconds: int) -> Cost:
    """Let a group count for so many seconds of a clock that nobody waits for."""
    clock = ManualClock()
    sent_bytes = sent_reports = 0
    cpu = 0.0
    summing, condenser, expander = Summing(), Condenser(), Expander()
    with tempfile.TemporaryDirectory() as folder:
        async with open_store("", Path(folder), clock.now_us()) as store:
            group, board = (
                _group(clock, Path(folder)),
                Board(
                    store,
                    clock,
                    Desired(),
                    outbid=_ignore,
                    astray=_ignore,
                    depose=_nobody,
                    moved=lambda: None,
                ),
            )
            for second in range(1, SETTLE_S + seconds + 1):
                await clock.advance(1)
                for number in range(nodes):
                    told = report_of(f"node-{number}", clock.now_us(), second)
                    group.reported(
                        control_pb2.AttachRequest(child=told.node, role="node", nodes=[told]), LOCAL
                    )
                request = group.report()
                if sums:
                    summing.condense(request, int(clock.monotonic() * SECOND))
                else:
                    request.ClearField("sums")
                    condenser.condense(request, clock.now_us())
                raw = request.SerializeToString()
                began = time.process_time()
                heard = control_pb2.AttachRequest.FromString(raw)
                expander.expand(heard)
                board.reported(heard, LOCAL)
                await board.keep()
                if second > SETTLE_S:
                    cpu += time.process_time() - began
                    sent_bytes += len(raw)
                    sent_reports += len(request.nodes)
    return Cost(
        nodes=nodes,
        sums=sums,
        bytes_s=sent_bytes / seconds,
        reports_s=sent_reports / seconds,
        cloud_ms_s=cpu * 1000 / seconds,
    )


def _group(clock: ManualClock, folder: Path) -> Group:
    def own() -> control_pb2.AggregatorReport:
        return control_pb2.AggregatorReport(aggregator="north", at_us=clock.now_us())

    return Group(
        "north",
        desired=Desired(),
        own=own,
        changed=lambda: None,
        assignments_file=folder / "assignments",
        clock=clock,
    )


async def _ignore(_: object) -> None:
    """Nobody is told."""


async def _nobody() -> None:
    """Nobody is deposed."""


def table(costs: Sequence[Cost]) -> str:
    """The figures, a line each."""
    lines = [f"{'nodes':>6} {'told':>8} {'reports/s':>10} {'bytes/s':>10} {'cloud CPU ms/s':>15}"]
    lines += [
        f"{c.nodes:>6} {'sums' if c.sums else 'whole':>8} {c.reports_s:>10.1f} {c.bytes_s:>10.0f} "
        f"{c.cloud_ms_s:>15.2f}"
        for c in costs
    ]
    return "\n".join(lines)


async def measure_all(seconds: int, sizes: Sequence[int] = SIZES) -> list[Cost]:
    """Each size, with sums and without."""
    return [await measure(size, sums=sums, seconds=seconds) for sums in (True, False) for size in sizes]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=int, default=20)
    costs = asyncio.run(measure_all(parser.parse_args().seconds))
    sys.stdout.write(table(costs) + "\n")


if __name__ == "__main__":
    main()
