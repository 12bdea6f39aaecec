"""Which store a process uses: SQLite in its folder, or PostgreSQL at a URL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from cloud.store.sql import SqlStore, open_sqlite
from fogline.model.errors import InvalidInput

STORE_FILE: Final = "store.sqlite"


@asynccontextmanager
async def open_store(url: str, folder: Path, now_us: int) -> AsyncIterator[SqlStore]:
    """The store at ``url``, or without one in the folder's file; made or brought to this release's tables first.

    Raises :class:`InvalidInput` for what only its operator can mend: an unknown kind of URL, a wrong password, no such
    database, a server that is too old.
    """
    if url:
        raise InvalidInput("there is no such store", hint="leave `store` empty for SQLite in the folder")
    async with open_sqlite(folder / STORE_FILE, now_us) as store:
        yield store
