"""Which store a process uses: SQLite in its folder, or PostgreSQL at a URL."""

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.exc import DBAPIError

from cloud.store import schema
from cloud.store.backend import Backend
from cloud.store.postgres import OLDEST, parsed, postgres_backend, refusal
from cloud.store.sql import INCARNATION_BYTES, SqlStore
from cloud.store.sqlite import sqlite_backend
from fogline.model.errors import DataLoss, InvalidInput

STORE_FILE: Final = "store.sqlite"
HEAD: Final = "0008"
"""The newest migration."""


@asynccontextmanager
async def open_store(url: str, folder: Path, now_us: int) -> AsyncIterator[SqlStore]:
    """The store at ``url``, or without one in the folder's file; made or brought to this release's tables first.

    Raises :class:`InvalidInput` for what only its operator can mend: an unknown kind of URL, a wrong password, no such
    database, a server that is too old; :class:`fogline.model.errors.StoreBusy` if it cannot be reached.
    """
    if not url:
        async with open_sqlite(folder / STORE_FILE, now_us) as store:
            yield store
    elif url.startswith(("postgresql://", "postgres://")):
        async with open_postgres(url, now_us) as store:
            yield store
    else:
        raise InvalidInput(
            "there is no such kind of store",
            hint="postgresql://user:password@host:port/database, or nothing for SQLite in the folder",
        )


@asynccontextmanager
async def open_sqlite(path: Path, now_us: int) -> AsyncIterator[SqlStore]:
    """The store in this file, made or brought to this release's tables first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    backend = sqlite_backend(path)
    try:
        yield await _opened(backend, f"sqlite:///{path}", now_us)
    finally:
        await backend.close()


@asynccontextmanager
async def open_postgres(url: str, now_us: int) -> AsyncIterator[SqlStore]:
    """The store in this database, made or brought to this release's tables first."""
    backend = postgres_backend(url)
    try:
        await asyncio.to_thread(_check_server, backend)
        yield await _opened(backend, url, now_us)
    finally:
        await backend.close()


def shown(url: str) -> str:
    """A store's URL for people: without the password."""
    if not url:
        return "SQLite"
    found = parsed(url)
    return f"postgresql://{found.get('host', '')}:{found.get('port', 5432)}/{found.get('dbname', '')}"


def _check_server(backend: Backend) -> None:
    """Look at the server before anything else does: what is wrong here, an operator has to mend."""
    try:
        with backend.engine.connect() as connection:
            version = int(connection.exec_driver_sql("SHOW server_version_num").scalar_one())
    except DBAPIError as error:
        raise refusal(error) from None
    if version < OLDEST * 10_000:
        raise InvalidInput(
            f"PostgreSQL {version // 10_000} is too old", hint=f"Fogline needs {OLDEST} or newer"
        )


async def _opened(backend: Backend, url: str, now_us: int) -> SqlStore:
    if not await backend.read(_is_current):
        await _migrate(url)

    def incarnation(connection: Connection) -> bytes:
        table = schema.store
        new = {"id": 1, "incarnation": secrets.token_bytes(INCARNATION_BYTES), "created_us": now_us}
        connection.execute(backend.upsert(table), [new | {"generation": 0, "edition": 0}])
        return bytes(connection.execute(select(table.c.incarnation)).scalar_one())

    return SqlStore(backend, await backend.write(incarnation))


def _is_current(connection: Connection) -> bool:
    """Whether the tables are this release's, asked without Alembic: it would cost 10 MiB for ever."""
    if not inspect(connection).has_table("alembic_version"):
        return False
    version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return bool(version == HEAD)


async def _migrate(url: str) -> None:
    """In a process of its own; the URL goes in through a pipe, for its password would be seen in a list of
    processes.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "cloud.store.migrate",
        stdin=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate(url.encode())
    if process.returncode:
        lines = said.decode(errors="replace").strip().splitlines()
        raise DataLoss(
            "the store's tables could not be brought to this release",
            hint=lines[-1] if lines else "the migration said nothing",
        )
