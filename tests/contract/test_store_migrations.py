"""A store of every released schema is brought to this release's with everything that is in it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, MetaData, create_engine, inspect, text

from cloud.store import schema
from cloud.store.migrate import migrate
from cloud.store.opening import HEAD, STORE_FILE, open_store
from cloud.store.sql import SqlStore
from cloud.store.store import Store
from tests.contract.installation import T0, Installation, Reading
from tests.postgres import PostgresServer

SOME = [Reading(1, "north", 20.0), Reading(2, "north", 21.5), Reading(12, "south", 19.0)]
MORE = [Reading(3, "north", 25.0)]
RELEASED = ("0001", "0002", "0003", "0004", "0005", "0006")
"""Schemas that installations may have."""


class Place:
    """A store's place before anything is in it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        """As the setting ``store`` has it."""
        self.folder = folder
        self.sqlalchemy = (
            url.replace("postgresql://", "postgresql+psycopg://") or f"sqlite:///{folder}/store.sqlite"
        )

    def migrate(self, revision: str = "head") -> None:
        migrate(self.url or self.sqlalchemy, revision)

    def engine(self) -> Engine:
        return create_engine(self.sqlalchemy)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[SqlStore]:
        async with open_store(self.url, self.folder, T0) as store:
            yield store


@pytest.fixture(params=["sqlite", "postgresql"])
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Place]:
    def new(name: str) -> Place:
        folder = tmp_path / name
        folder.mkdir()
        if request.param == "sqlite":
            return Place("", folder)
        server: PostgresServer = request.getfixturevalue("postgres")
        return Place(server.database(), folder)

    return new


async def _filled(store: Store) -> Installation:
    made = Installation(store)
    await made.deploy()
    await made.attach("n1")
    await made.push(SOME)
    await made.finish()
    return made


def _copy(source: Place, target: Place) -> None:
    """Write what one store holds into another, older one: the columns that it has."""
    one, other = source.engine(), target.engine()
    old = MetaData()
    old.reflect(other)
    with one.connect() as reading, other.begin() as writing:
        for table in old.sorted_tables:
            if table.name in schema.metadata.tables:
                names = [column.name for column in table.columns]
                rows = reading.execute(schema.metadata.tables[table.name].select()).mappings().all()
                if rows:
                    writing.execute(table.insert(), [{name: row[name] for name in names} for row in rows])
        if other.dialect.name == "postgresql":
            # Rows that came with their numbers have left the counter behind.
            writing.execute(text("SELECT setval('origins_number_seq', (SELECT max(number) FROM origins))"))
    one.dispose()
    other.dispose()


@pytest.mark.parametrize("revision", RELEASED)
async def test_a_store_of_a_released_schema_goes_on_where_it_was(
    new_place: Callable[[str], Place], revision: str
) -> None:
    today, old = new_place("today"), new_place("old")
    async with today.opened() as store:
        made = await _filled(store)
        expected, before = await made.said(), await store.ledger("main")
        incarnation = store.incarnation
    await asyncio.to_thread(old.migrate, revision)
    await asyncio.to_thread(_copy, today, old)
    async with old.opened() as store:
        assert store.incarnation == incarnation
        assert await store.ledger("main") == before
        made = Installation(store)
        await made.catalog.refresh(store)
        assert await made.said() == expected
        assert not (await made.push(SOME)).refused
        assert not (await made.push(MORE, first=3)).refused
        await made.attach("n2")
        await made.finish()
        assert (await made.said())[0, "north"][0] == 3


async def test_the_migrations_make_the_tables_that_the_code_knows(new_place: Callable[[str], Place]) -> None:
    place = new_place("new")
    await asyncio.to_thread(place.migrate)
    engine = place.engine()
    there = inspect(engine)
    for table in schema.metadata.sorted_tables:
        columns = {(column["name"], column["nullable"]) for column in there.get_columns(table.name)}
        assert columns == {(column.name, bool(column.nullable)) for column in table.columns}
        key = there.get_pk_constraint(table.name)["constrained_columns"]
        assert key == [column.name for column in table.primary_key.columns]
        indexes = {index["name"] for index in there.get_indexes(table.name)}
        assert indexes == {index.name for index in table.indexes}
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD
    engine.dispose()


async def test_of_processes_that_start_at_once_one_makes_the_tables(
    new_place: Callable[[str], Place],
) -> None:
    place = new_place("shared")

    async def start() -> bytes:
        async with place.opened() as store:
            return store.incarnation

    assert len(set(await asyncio.gather(*(start() for _ in range(4))))) == 1


async def test_a_new_file_that_another_process_is_writing_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite refuses the switch to WAL at once, whatever the timeout says."""
    with closing(
        sqlite3.connect(tmp_path / STORE_FILE, isolation_level=None, check_same_thread=False)
    ) as other:
        other.execute("BEGIN IMMEDIATE")

        def wait(_seconds: float) -> None:
            if other.in_transaction:
                other.execute("COMMIT")

        monkeypatch.setattr("cloud.store.sqlite.time.sleep", wait)
        async with open_store("", tmp_path, T0) as store:
            assert store.incarnation
        assert not other.in_transaction


async def test_a_migration_that_fails_changes_nothing(postgres: PostgresServer, tmp_path: Path) -> None:
    """PostgreSQL's tables are made in one transaction: a table in the way leaves none."""
    url = postgres.database()
    name = url.rpartition("/")[2]
    postgres.sql("CREATE TABLE counters (something int)", database=name)
    with pytest.raises(Exception, match="could not be brought to this release"):
        async with open_store(url, tmp_path, T0):
            pass
    tables = postgres.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", database=name)
    assert tables == [("counters",)]


def test_texts_are_compared_by_their_bytes(postgres: PostgresServer, empty_postgres: str) -> None:
    """Else pages of results would come in another order than from SQLite."""
    rows = postgres.sql(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' "
        "AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'",
        database=empty_postgres,
    )
    assert rows == []
