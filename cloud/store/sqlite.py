"""SQLite in one file: WAL, synced at every commit, one writer at a time."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from sqlalchemy import create_engine, event, func
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError, OperationalError

from cloud.store.backend import Backend, Fault, Help, upsert_of
from cloud.store.bulk import SqliteBulk

BUSY_SECONDS: Final = 10.0
"""How long a write waits for another process that holds SQLite's only write lock."""
READERS: Final = 4


def sqlite_backend(path: Path) -> Backend:
    """The store in this file."""
    engine = create_engine(
        f"sqlite:///{path}",
        pool_size=READERS + 1,
        connect_args={"timeout": BUSY_SECONDS, "isolation_level": None, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare)
    return Backend(
        engine=engine,
        begin="BEGIN IMMEDIATE",
        begin_reading="BEGIN",
        chunk=10_000,
        upsert=upsert_of(sqlite.insert, func.max),
        bulk=SqliteBulk(),
        shared=False,
        fault=sqlite_fault,
        # One writer: waiting for one's turn here is cheaper and fairer than at the file's lock.
        writers=ThreadPoolExecutor(1, thread_name_prefix="store-write"),
        readers=ThreadPoolExecutor(READERS, thread_name_prefix="store-read"),
    )


def sqlite_fault(error: DBAPIError) -> Fault:
    """What an error of SQLite means: busy, full and unreadable files are no fault of the statement."""
    return Fault(
        help=Help.WAIT if isinstance(error, OperationalError) else Help.MEND,
        message="the store could not commit",
        hint=str(error.orig),
    )


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    cursor = connection.cursor()
    # FULL: with WAL, NORMAL does not sync at COMMIT, and an ack would promise what a power cut takes back.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-4096"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
