"""SQLite in one file: WAL, synced at every commit, one writer at a time."""

import sqlite3
import time
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
_RETRY_SECONDS: Final = 0.01


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
    _write_ahead(connection, until=time.monotonic() + BUSY_SECONDS)
    # FULL: with WAL, NORMAL does not sync at COMMIT, and an ack would promise what a power cut takes back.
    for pragma in ("synchronous=FULL", "cache_size=-4096"):
        connection.execute(f"PRAGMA {pragma}").close()


def _write_ahead(connection: sqlite3.Connection, until: float) -> None:
    """Switch a new file to WAL. SQLite does not wait its timeout for this lock when another holds it half: of
    processes that open a new file at once, some are refused straight away.
    """
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                raise
            time.sleep(_RETRY_SECONDS)
        else:
            return
