"""What differs between databases: how a connection is set up, how a write begins, how rows are locked and
put.
"""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from sqlalchemy import ColumnElement, Table, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.sql.dml import Insert

from fogline.model.errors import StoreBusy

BUSY_SECONDS: Final = 10.0
"""How long a write waits for another process that holds SQLite's only write lock."""


class Upsert(Protocol):
    """Makes an INSERT that on a conflict of the primary key overwrites columns and adds to others, or does
    nothing.
    """

    def __call__(self, table: Table, *, overwrite: Sequence[str] = (), add: Sequence[str] = ()) -> Insert: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """One database behind the store. PostgreSQL is to be a second one of these."""

    engine: AsyncEngine
    begin: str
    """The statement that starts a writing transaction."""
    chunk: int
    """Values that one IN list may have."""
    upsert: Upsert

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that commits at the end, or changes nothing.

        Raises :class:`StoreBusy` if the database fails; after a failed COMMIT the outcome is unknown.
        """
        try:
            async with self.engine.connect() as connection:
                try:
                    await connection.exec_driver_sql(self.begin)
                    yield connection
                    await connection.commit()
                except BaseException:
                    # Closed, not given back: after a COMMIT that failed nobody knows what is open in it.
                    await connection.invalidate()
                    raise
        except OperationalError as error:
            raise StoreBusy("the store could not commit", hint=str(error.orig)) from error

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that sees one state of the store and changes nothing."""
        async with self.engine.connect() as connection:
            try:
                await connection.exec_driver_sql("BEGIN")
                yield connection
                await connection.rollback()
            except BaseException:
                await connection.invalidate()
                raise


def sqlite_backend(path: Path) -> Backend:
    """SQLite in one file: WAL, synced at every commit, one writer at a time."""
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{path}",
        pool_size=4,
        max_overflow=4,
        connect_args={"timeout": BUSY_SECONDS, "isolation_level": None},
    )
    event.listen(engine.sync_engine, "connect", _prepare)
    return Backend(engine=engine, begin="BEGIN IMMEDIATE", chunk=10_000, upsert=_sqlite_upsert)


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    cursor = connection.cursor()
    # FULL: with WAL, NORMAL does not sync at COMMIT, and an ack would promise what a power cut takes back.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-4096"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_upsert(table: Table, *, overwrite: Sequence[str] = (), add: Sequence[str] = ()) -> Insert:
    insert = sqlite.insert(table)
    keys = [column.name for column in table.primary_key.columns]
    if not overwrite and not add:
        return insert.on_conflict_do_nothing()
    changes: dict[str, ColumnElement[Any]] = {name: insert.excluded[name] for name in overwrite}
    changes |= {name: table.c[name] + insert.excluded[name] for name in add}
    return insert.on_conflict_do_update(index_elements=keys, set_=changes)
