"""The stores that the contract holds for. PostgreSQL is to be the next parameter."""

import shutil
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest

from cloud.store.migrate import migrate
from cloud.store.sql import SqlStore, open_sqlite
from cloud.store.store import Store
from tests.contract.installation import T0, Installation


class OpenStore(Protocol):
    """Opens the same store again, or with ``name`` another, empty one."""

    def __call__(self, name: str = "store") -> AbstractAsyncContextManager[SqlStore]: ...


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with tables and nothing in them: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("empty") / "store.sqlite"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path, empty_sqlite: Path) -> OpenStore:
    assert request.param == "sqlite"

    @asynccontextmanager
    async def opened(name: str = "store") -> AsyncIterator[SqlStore]:
        path = tmp_path / f"{name}.sqlite"
        if not path.exists():
            shutil.copy(empty_sqlite, path)
        async with open_sqlite(path, T0) as store:
            yield store

    return opened


@pytest.fixture
async def store(open_store: OpenStore) -> AsyncIterator[Store]:
    async with open_store() as store:
        yield store


@pytest.fixture
async def installation(store: Store) -> Installation:
    made = Installation(store)
    await made.deploy()
    return made
