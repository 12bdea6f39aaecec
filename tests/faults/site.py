"""A `fogline up` under test, seen from outside: its command line, its folder, its process ids."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

START_WITHIN_S = 60.0


async def fogline(*arguments: str) -> str:
    """Run a client command; what it printed. Raises RuntimeError with its words if it failed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "fogline", *arguments, stdout=PIPE, stderr=PIPE
    )
    out, err = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"fogline {' '.join(arguments)}: {process.returncode}\n{err.decode()}")
    return out.decode()


class Site:
    """All tiers on this machine, started and stopped by the supervisor."""

    def __init__(
        self,
        folder: Path,
        pipeline: Path,
        *more: str,
        nodes: int = 2,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self._environment = {**os.environ, **(environment or {})}
        self._arguments = ("--dir", str(folder), "--nodes", str(nodes), "--pipeline", str(pipeline), *more)
        self._process: Process | None = None
        self.ready: dict[str, Any] = {}

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "supervisor.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "fogline", "up", *self._arguments),
                *("--no-sensors", "--no-browser", "--json"),
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=log,
                env=self._environment,
            )
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(START_WITHIN_S):
                line = await self._process.stdout.readline()
        except TimeoutError:
            line = b""
        if not line:
            await self.__aexit__()
            raise RuntimeError(f"`fogline up` did not start:\n{self.logs()}")
        self.ready = json.loads(line)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), 30)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

    @property
    def listeners(self) -> list[tuple[str, int]]:
        """Host and port of every node's listener."""
        parts = [url.removeprefix("mqtt://").rsplit(":", 1) for url in self.ready["mqtt"]]
        return [(host, int(port)) for host, port in parts]

    def pids(self) -> dict[str, list[int]]:
        """Process ids by tier, as they are now."""
        pids: dict[str, list[int]] = json.loads((self.folder / "up.json").read_text())["pids"]
        return {tier: pids[tier] for tier in ("cloud", "aggregator", "node")}

    async def kill(self, tier: str, index: int) -> None:
        """Kill -9 a process, and return when the supervisor has put another in its place."""
        before = self.pids()[tier]
        os.kill(before[index], signal.SIGKILL)
        async with asyncio.timeout(START_WITHIN_S):
            while not self._replaced(tier, before[index], len(before)):  # noqa: ASYNC110  # another process's file
                await asyncio.sleep(0.02)

    def _replaced(self, tier: str, pid: int, count: int) -> bool:
        now = self.pids()[tier]
        return pid not in now and len(now) == count

    async def results(self, pipeline: str) -> list[str]:
        """All results, a JSON line each."""
        return (await fogline("results", pipeline, "--dir", str(self.folder), "--json")).splitlines()

    async def ledger(self) -> list[dict[str, Any]]:
        """The ledger, an object for each stream of each plan."""
        lines = (await fogline("ledger", "--dir", str(self.folder), "--json")).splitlines()
        found = [json.loads(line) for line in lines]
        return [line for line in found if "stream" in line]  # what brokers lost has lines of its own

    def logs(self) -> str:
        """The end of every log, for a person."""
        files = [self.folder / "supervisor.log", *sorted((self.folder / "logs").glob("*"))]
        return "\n".join(f"--- {f.name}\n{f.read_text()[-2000:]}" for f in files if f.exists())
