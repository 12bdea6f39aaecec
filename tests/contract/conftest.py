"""The stores that the contract holds for."""

import shutil
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest

from cloud.store.migrate import migrate
from cloud.store.opening import open_postgres, open_sqlite
from cloud.store.sql import SqlStore
from cloud.store.store import Store
from tests.contract.installation import T0, Installation
from tests.postgres import PostgresServer


class OpenStore(Protocol):
    """Opens the same store again, or with ``name`` another, empty one."""

    def __call__(self, name: str = "store") -> AbstractAsyncContextManager[SqlStore]: ...


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with tables and nothing in them: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("empty") / "store.sqlite"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def open_sqlite_store(tmp_path: Path, empty_sqlite: Path) -> OpenStore:
    @asynccontextmanager
    async def opened(name: str = "store") -> AsyncIterator[SqlStore]:
        path = tmp_path / f"{name}.sqlite"
        if not path.exists():
            shutil.copy(empty_sqlite, path)
        async with open_sqlite(path, T0) as store:
            yield store

    return opened


@pytest.fixture(scope="session")
def empty_postgres(postgres: PostgresServer) -> str:
    """Name of a database with tables and nothing in them."""
    url = postgres.database()
    migrate(url)
    return url.rpartition("/")[2]


@pytest.fixture
def open_postgres_store(postgres: PostgresServer, empty_postgres: str) -> OpenStore:
    made: dict[str, str] = {}

    @asynccontextmanager
    async def opened(name: str = "store") -> AsyncIterator[SqlStore]:
        if name not in made:
            made[name] = postgres.database(empty_postgres)
        async with open_postgres(made[name], T0) as store:
            yield store

    return opened


@pytest.fixture(params=["sqlite", "postgresql"])
def open_store(request: pytest.FixtureRequest) -> OpenStore:
    """Opens a store of every kind."""
    name = {"sqlite": "open_sqlite_store", "postgresql": "open_postgres_store"}[request.param]
    opened: OpenStore = request.getfixturevalue(name)
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
