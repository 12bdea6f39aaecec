import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from pathlib import Path
from random import Random
from typing import Any

import pytest

from aggregator.main import Aggregator
from aggregator.settings import AggregatorSettings, MergeSettings
from fogline.model.clock import MILLISECOND, SystemClock
from fogline.testing.parents import IMPATIENT
from fogline.testing.store import MemoryStore

Spawn = Callable[[Coroutine[Any, Any, Any]], "asyncio.Task[Any]"]
Start = Callable[..., Awaitable[Aggregator]]


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def spawn() -> AsyncIterator[Spawn]:
    """Runs something beside the test and cuts it off at its end; what breaks there breaks the test."""
    tasks: list[asyncio.Task[Any]] = []

    def start(what: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        tasks.append(asyncio.get_running_loop().create_task(what))
        return tasks[-1]

    yield start
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
            raise result


@pytest.fixture
def start(spawn: Spawn, tmp_path: Path) -> Start:
    """Starts an aggregator in this process and waits until it listens."""

    async def start(
        *parents: str,
        name: str = "group-1",
        stopping: asyncio.Event | None = None,
        merge: MergeSettings | None = None,
        credit: int = 1 << 20,
    ) -> Aggregator:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        settings = AggregatorSettings(
            name=name,
            listen="127.0.0.1:0",
            parents=parents,
            folder=folder,
            credit=credit,
            merge=merge or MergeSettings(seal_after=20 * MILLISECOND),
            link=IMPATIENT,
        )
        aggregator = Aggregator(settings, clock=SystemClock(), rng=Random(5))
        spawn(aggregator.run(stopping or asyncio.Event()))
        await aggregator.server.started.wait()
        return aggregator

    return start
