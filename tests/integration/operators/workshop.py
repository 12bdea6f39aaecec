"""The gateway in this process, replicas as real processes, and somebody who starts again what breaks."""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
from blockbuster import blockbuster_ctx

from fog_node.messages import Range
from fog_node.operators.gateway import Operators
from fog_node.operators.settings import OperatorSettings
from fog_node.steps.graph import RowStep
from fogline.engine.answer import RowAnswer
from fogline.engine.batch import Batch, NumberColumn, text_column
from fogline.model.clock import SystemClock
from fogline.model.part import Origin
from fogline.model.plan import FieldSpec, OperatorQuery, OutputColumn, Plan, StepSpec
from tests.unit.fog_node.steps.stage import NOON, plan

PLAN, STEP = "p1", "score"
ORIGIN = Origin(tenant="main", node="n1", stream="air", epoch=b"e" * 16)
OUTPUT = (
    OutputColumn(name="device", type="text"),
    OutputColumn(name="seq", type="int"),
    OutputColumn(name="score", type="float"),
)
HERE = Path(__file__).parent
HANG_S = 60.0
"""A guard, no measure."""


def spec(output: tuple[OutputColumn, ...]) -> Plan:
    """``air`` -> ``score`` (operator)."""
    step = StepSpec(name=STEP, source="air", stream="air", where=None, query=OperatorQuery(columns=output))
    air = plan().streams[0]
    more = tuple(FieldSpec(name=name, path=(name,)) for name in ("temp", "humidity"))
    return replace(plan(), streams=(replace(air, fields=air.fields + more),), steps=(step,))


def batch(seqs: Sequence[int]) -> Batch:
    """Readings of one device."""
    n = len(seqs)
    return Batch(
        rows=n,
        time_us=np.full(n, NOON),
        columns={
            "device": text_column(["d"] * n),
            "seq": NumberColumn(values=np.array(seqs, dtype=np.int64)),
        },
    )


class Workshop:
    """One step of one plan."""

    def __init__(
        self,
        folder: Path,
        command: Sequence[str],
        settings: OperatorSettings,
        output: tuple[OutputColumn, ...],
        environment: Mapping[str, str],
    ) -> None:
        self.folder = folder
        self.operators = Operators(settings, folder=folder, clock=SystemClock())
        self.operators.broken = self._broken
        self.step: RowStep = self.operators.row_steps(PLAN, spec(output))[STEP]
        self.broken: list[tuple[str, str]] = []
        """Events and reasons that the gateway told."""
        self.processes: dict[int, Process] = {}
        self.starts = 0
        self._command = command
        self._environment = {**os.environ, "PYTHONPATH": f"{HERE}:{HERE.parents[2]}", **environment}
        self._starting: set[asyncio.Task[None]] = set()

    async def start(self, replica: int) -> None:
        """Start a replica; what it was before is killed."""
        await self._kill(replica)
        socket = self.folder / f"{replica}.sock"
        self.starts += 1
        self.processes[replica] = await asyncio.create_subprocess_exec(
            *self._command,
            cwd=self.folder,
            env={**self._environment, "FOGLINE_SOCKET": str(socket)},
            stderr=DEVNULL,
        )
        self.operators.replica_up(PLAN, STEP, replica, socket)

    async def answer(self, seqs: Sequence[int], first: int = 0) -> RowAnswer:
        """Ask as a lane does."""
        return await self.ask(batch(seqs), first)

    async def ask(self, given: Batch, first: int = 0) -> RowAnswer:
        """Ask with any batch."""
        async with asyncio.timeout(HANG_S):
            return await self.step.answer(given, Range(ORIGIN, first, first + given.rows))

    def scores(self, answer: RowAnswer) -> list[float]:
        """The column that the operator computed."""
        column = answer.batch.columns["score"]
        assert isinstance(column, NumberColumn)
        return [float(value) for value in column.values]

    def kill(self, replica: int) -> None:
        """Kill -9."""
        os.kill(self.processes[replica].pid, signal.SIGKILL)

    async def stop(self) -> None:
        """End everything."""
        while self._starting:
            await asyncio.gather(*self._starting)
        for replica in tuple(self.processes):
            await self._kill(replica)

    def _broken(self, plan: str, step: str, replica: int, event: str, reason: str) -> None:
        assert (plan, step) == (PLAN, STEP)
        self.broken.append((event, reason))
        if not self._command:
            return
        task = asyncio.create_task(self.start(replica))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _kill(self, replica: int) -> None:
        process = self.processes.pop(replica, None)
        if process is not None:
            if process.returncode is None:
                process.kill()
            await process.wait()


def function(name: str) -> list[str]:
    """The command that serves one of ``functions``."""
    return [sys.executable, "-m", "fogline.operator", f"functions:{name}"]


@asynccontextmanager
async def workshop(
    command: Sequence[str] = (),
    *,
    replicas: int = 1,
    settings: OperatorSettings | None = None,
    folder: Path | None = None,
    output: tuple[OutputColumn, ...] = OUTPUT,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[Workshop]:
    """The gateway and its replicas, running; what blocks the event loop fails the test.

    A socket's path is short: a test's own folder may be too deep for it.
    """
    made = folder or Path(tempfile.mkdtemp(prefix="fl-"))
    shop = Workshop(
        made, command, settings=settings or OperatorSettings(), output=output, environment=environment
    )
    running = asyncio.create_task(shop.operators.run())
    try:
        for replica in range(replicas if command else 0):
            await shop.start(replica)
        with blockbuster_ctx(scanned_modules=["fog_node", "fogline.wire", "fogline.engine"]):
            yield shop
    finally:
        shop.operators.broken = lambda *_: None
        await shop.stop()
        running.cancel()
        await asyncio.wait((running,))
        if folder is None:
            shutil.rmtree(made)
