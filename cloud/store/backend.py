"""What differs between databases, and how a transaction runs on either: in a thread, repeated where that helps.

Everything the store asks of its database is synchronous and stands in one function a transaction. A thread for each
transaction costs one hand-over; an asynchronous driver costs one for each statement (docs/adr/0009).
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from functools import cache, partial
from random import Random
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, Function, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, DBAPIError
from sqlalchemy.sql.dml import Insert

from cloud.store.bulk import Bulk
from fogline.model.errors import InvalidInput, StoreBusy

T = TypeVar("T")

TRIES: Final = 6
"""A transaction that lost against another one, or its connection before COMMIT, is run so often."""
WAIT_SECONDS: Final = 0.02
"""Before the first repetition at most so long; doubled for each further one, with full jitter."""


class Help(Enum):
    """What helps against an error of the database."""

    REPEAT = "repeat"
    """The same transaction again, at once."""
    WAIT = "wait"
    """The same call, later."""
    MEND = "mend"
    """Only a change of the program, or of the database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An error of the database in our words."""

    help: Help
    message: str
    hint: str = ""


class Upsert(Protocol):
    """Makes an INSERT that on a conflict of the primary key overwrites columns, adds to others or keeps the
    greatest value of others, or does nothing.
    """

    def __call__(
        self,
        table: Table,
        *,
        overwrite: tuple[str, ...] = (),
        add: tuple[str, ...] = (),
        greatest: tuple[str, ...] = (),
    ) -> Insert: ...


class _Repeat(Exception):
    """Changed nothing, and is to be run again."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class _GivenUp(Exception):
    """Whoever wanted the transaction was cancelled before it was committed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """One database behind the store."""

    engine: Engine
    begin: str
    """The statement that starts a writing transaction."""
    begin_reading: str
    """The statement that starts one that sees one state of the store."""
    chunk: int
    """Values that one statement may have."""
    upsert: Upsert
    bulk: Bulk
    shared: bool
    """Whether others write at the same time: rows are then locked before they are read."""
    fault: Callable[[DBAPIError], Fault]
    writers: ThreadPoolExecutor
    readers: ThreadPoolExecutor
    dice: Random = field(default_factory=Random)

    async def write(self, body: Callable[[Connection], T]) -> T:
        """Run a transaction that commits at the end, or changes nothing. It may run several times.

        Raises :class:`StoreBusy` if the database fails; after a failed COMMIT the outcome is unknown.
        :class:`InvalidInput` for a value that the database does not take.
        """
        return await self._repeated(self.writers, partial(self._transaction, body, self.begin))

    async def read(self, body: Callable[[Connection], T]) -> T:
        """Run a transaction that sees one state of the store and changes nothing. Raises :class:`StoreBusy`."""
        return await self._repeated(self.readers, partial(self._transaction, body, self.begin_reading))

    async def close(self) -> None:
        """End every connection, after what is under way."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self.writers.shutdown()
        self.readers.shutdown()
        self.engine.dispose()

    async def _repeated(self, threads: ThreadPoolExecutor, run: Callable[[threading.Event], T]) -> T:
        loop, tries = asyncio.get_running_loop(), 0
        while True:
            given_up = threading.Event()
            try:
                return await loop.run_in_executor(threads, run, given_up)
            except asyncio.CancelledError:
                given_up.set()
                raise
            except _Repeat as again:
                tries += 1
                if tries == TRIES:
                    raise StoreBusy(again.fault.message, hint=again.fault.hint) from again
            await asyncio.sleep(self.dice.uniform(0, WAIT_SECONDS * 2**tries))

    def _transaction(self, body: Callable[[Connection], T], begin: str, given_up: threading.Event) -> T:
        committing = False
        try:
            with self.engine.connect() as connection:
                connection.exec_driver_sql(begin)
                told = body(connection)
                if given_up.is_set():
                    raise _GivenUp
                committing = True
                try:
                    connection.commit()
                except BaseException:
                    # Closed, not given back: nobody knows what is open in it.
                    connection.invalidate()
                    raise
                return told
        except DBAPIError as error:
            fault = self.fault(error)
            if isinstance(error, DataError):
                raise InvalidInput("the store cannot hold a value", hint=fault.message) from error
            if fault.help is Help.MEND:
                raise
            if fault.help is Help.REPEAT and not committing:
                raise _Repeat(fault) from error
            raise StoreBusy(fault.message, hint=fault.hint) from error


def upsert_of(
    insert_into: Callable[[Table], sqlite.Insert | postgresql.Insert],
    greater: Callable[[ColumnElement[Any], ColumnElement[Any]], Function[Any]],
) -> Upsert:
    """The upsert of a database; ``greater`` is its function for the greater of two values."""

    # Made once: a statement and what its columns keep of it hold each other, and wait for a full collection.
    @cache
    def upsert(
        table: Table,
        *,
        overwrite: tuple[str, ...] = (),
        add: tuple[str, ...] = (),
        greatest: tuple[str, ...] = (),
    ) -> Insert:
        insert = insert_into(table)
        keys = [column.name for column in table.primary_key.columns]
        if not (overwrite or add or greatest):
            return insert.on_conflict_do_nothing()
        changes: dict[str, ColumnElement[Any]] = {name: insert.excluded[name] for name in overwrite}
        changes |= {name: table.c[name] + insert.excluded[name] for name in add}
        changes |= {name: greater(table.c[name], insert.excluded[name]) for name in greatest}
        return insert.on_conflict_do_update(index_elements=keys, set_=changes)

    return upsert
