"""A node in this process whose operators are real processes, started again by the test when they break."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
from asyncio.subprocess import DEVNULL, Process
from pathlib import Path
from random import Random

from fog_node.journal.journal import Journal
from fog_node.node import Node
from fog_node.operators.gateway import Operators
from fogline.model.clock import SystemClock
from tests.faults.house import House, accepts

HERE = Path(__file__).parent


class Workbench(House):
    """A house with replicas of one operator, which outlive the node as containers do."""

    def __init__(self, folder: Path, *parents: str, function: str, plan: str = "", step: str = "") -> None:
        super().__init__(folder, *parents)
        self.plan, self.step = plan, step
        self.deaths = 0
        self.broken: list[str] = []
        """Events that the gateway told."""
        self._function = function
        # A test's own folder may be too deep for a socket.
        self._sockets = Path(tempfile.mkdtemp(prefix="fl-"))
        self._processes: dict[int, Process] = {}
        self._operators: Operators | None = None
        self._clearing = False
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def operators(self) -> Operators:
        """The gateway of the node that runs now."""
        assert self._operators is not None
        return self._operators

    async def start(self) -> None:
        """As a house; the replicas that live are told to the new node."""
        self.folder.mkdir(exist_ok=True)
        ready = asyncio.Event()
        self._running = asyncio.create_task(self._run(ready), name="node")
        async with asyncio.timeout(30):
            while not await accepts("127.0.0.1", self.port):
                assert not self._running.done(), self._running.exception()
        await ready.wait()
        for replica in self._processes:
            self._up(replica)

    async def start_replica(self, replica: int) -> None:
        """Start one; when it dies it is started again, as a reconciler does."""
        socket = self._socket(replica)
        process = self._processes[replica] = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "fogline.operator", self._function, "--socket", str(socket)),
            env={**os.environ, "PYTHONPATH": f"{HERE}:{HERE.parents[1]}"},
            stderr=DEVNULL,
        )
        self._up(replica)
        task = asyncio.create_task(self._watch(replica, process))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def kill_replica(self, rng: Random) -> bool:
        """Kill -9 of one that lives; False: none does at this moment."""
        living = [process for process in self._processes.values() if process.returncode is None]
        if not living:
            return False
        self.deaths += 1
        # Whose death is not noticed yet may be gone already.
        with contextlib.suppress(ProcessLookupError):
            os.kill(rng.choice(living).pid, signal.SIGKILL)
        return True

    async def clear(self) -> None:
        """End all replicas."""
        self._clearing = True
        for process in self._processes.values():
            if process.returncode is None:
                process.kill()
        while self._tasks:
            await asyncio.gather(*self._tasks)
        shutil.rmtree(self._sockets)

    async def _run(self, ready: asyncio.Event) -> None:
        clock, stopping = SystemClock(), asyncio.Event()
        journal = Journal(
            self._settings.journal,
            folder=self.folder / "journal",
            node=self._settings.name,
            clock=clock,
            entropy=os.urandom,
        )
        async with journal:
            node = Node(self._settings, journal, clock=clock, rng=Random(1))
            self._operators = node.operators
            node.operators.broken = self._broken
            ready.set()
            await node.resume()
            await node.run(stopping)

    async def _watch(self, replica: int, process: Process) -> None:
        await process.wait()
        if not self._clearing:
            self.operators.replica_gone(self.plan, self.step, replica, died="exited")
            await self.start_replica(replica)

    def _broken(self, _plan: str, _step: str, replica: int, event: str, _reason: str) -> None:
        self.broken.append(event)
        if self._processes[replica].returncode is None:
            self._processes[replica].kill()

    def _up(self, replica: int) -> None:
        self.operators.replica_up(self.plan, self.step, replica, self._socket(replica))

    def _socket(self, replica: int) -> Path:
        return self._sockets / f"{replica}.sock"
