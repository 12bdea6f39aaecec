"""The stores that the contract holds for."""

import shutil
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest

from cloud.store.migrate import migrate
from cloud.store.opening import open_postgres, open_sqlite
from cloud.store.sql import SqlStore
from cloud.store.store import Store
from tests.contract.installation import T0, Installation
from tests.contract.staged import SOME
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


class Databases:
    """Empty stores in PostgreSQL. Emptying a database costs less than making one, so they are used again."""

    def __init__(self, server: PostgresServer, template: str) -> None:
        self._server = server
        self._template = template
        self._free: list[str] = []
        tables = server.sql(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'",
            database=template,
        )
        self._empty = f"TRUNCATE {','.join(name for (name,) in tables)} RESTART IDENTITY"

    def take(self) -> str:
        """An empty store's URL."""
        if not self._free:
            return self._server.database(self._template)
        url = self._free.pop()
        self._server.sql(self._empty, database=url.rpartition("/")[2])
        return url

    def give_back(self, urls: Iterable[str]) -> None:
        """Nobody uses these any more."""
        self._free.extend(urls)


@pytest.fixture(scope="session")
def empty_postgres(postgres: PostgresServer) -> str:
    """Name of a database with tables and nothing in them."""
    url = postgres.database()
    migrate(url)
    return url.rpartition("/")[2]


@pytest.fixture(scope="session")
def postgres_databases(postgres: PostgresServer, empty_postgres: str) -> Databases:
    return Databases(postgres, empty_postgres)


@pytest.fixture
def postgres_url(postgres_databases: Databases) -> Iterator[Callable[[str], str]]:
    """The URL of this test's store of a name."""
    made: dict[str, str] = {}

    def url(name: str) -> str:
        if name not in made:
            made[name] = postgres_databases.take()
        return made[name]

    yield url
    postgres_databases.give_back(made.values())


@pytest.fixture
def open_postgres_store(postgres_url: Callable[[str], str]) -> OpenStore:
    @asynccontextmanager
    async def opened(name: str = "store") -> AsyncIterator[SqlStore]:
        async with open_postgres(postgres_url(name), T0) as store:
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


@pytest.fixture
async def made(open_postgres_store: OpenStore) -> AsyncIterator[Installation]:
    """An installation in PostgreSQL with some readings committed."""
    async with open_postgres_store() as store:
        made = Installation(store)
        await made.deploy()
        await made.push(SOME)
        yield made


@pytest.fixture
def url(postgres_url: Callable[[str], str]) -> str:
    """Of the database that ``made`` is in."""
    return postgres_url("store")
