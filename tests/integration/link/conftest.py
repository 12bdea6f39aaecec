import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from fogline.model.part import Origin
from fogline.testing.parents import Parent
from fogline.testing.store import MemoryStore

Spawn = Callable[[Coroutine[Any, Any, Any]], "asyncio.Task[Any]"]


@pytest.fixture
def origin() -> Origin:
    return Origin(tenant="main", node="node-1", stream="air", epoch=b"\x07" * 16)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def parent(store: MemoryStore) -> AsyncIterator[Parent]:
    parent = Parent(store)
    async with parent.server:
        yield parent


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
