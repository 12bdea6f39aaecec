"""What happens to a store in PostgreSQL at a chosen moment, and what other sessions see of it."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import event

from cloud.store.sql import SqlStore
from tests.contract.installation import Installation, Reading

SOME = [Reading(1, "north", 20.0), Reading(12, "south", 19.0)]
MORE = [Reading(4, "north", 25.0), Reading(13, None, 18.0)]
HANG_S = 60.0


@contextmanager
def before(store: SqlStore, which: str, act: Callable[[], None]) -> Iterator[list[str]]:
    """Do something once, in the transaction's thread, before the first statement that begins with ``which``; all
    statements that were seen.
    """
    seen: list[str] = []
    done = False

    def look(statement: str) -> None:
        nonlocal done
        seen.append(statement)
        if statement.startswith(which) and not done:
            done = True
            act()

    def statement_comes(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        look(statement)

    def commit_comes(_connection: Any) -> None:
        look("COMMIT")

    engine = store._backend.engine
    event.listen(engine, "before_cursor_execute", statement_comes)
    event.listen(engine, "commit", commit_comes)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", statement_comes)
        event.remove(engine, "commit", commit_comes)


@contextmanager
def another(url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


async def counted(made: Installation) -> int:
    await made.finish()
    return sum(values[0] for values in (await made.said()).values())  # type: ignore[misc] # counts


async def waits_for_a_lock(connection: psycopg.Connection[Any]) -> None:
    """Until some session stands before a lock that another one holds."""
    async with asyncio.timeout(HANG_S):
        while True:
            if connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone() != (0,):
                return
            await asyncio.sleep(0.01)
