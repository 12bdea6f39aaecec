"""What is done to a store from outside of the cloud: backup, restore, a new life, retired nodes, a way in.

``python -m cloud.admin --help``
"""

import argparse
import asyncio
import os
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cloud.access.first import make_another
from cloud.store.opening import STORE_FILE, open_store, shown
from cloud.store.sql import SqlStore
from fogline.access.chain import fingerprint_of
from fogline.model.clock import SystemClock
from fogline.model.errors import FogError, InvalidInput, NotFound
from fogline.service.folder import make_folder
from fogline.service.run import refused

TENANT: Final = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Which store is meant."""

    url: str
    folder: Path | None

    def __str__(self) -> str:
        return shown(self.url) if self.url else str(self.file())

    def file(self) -> Path:
        """The file in the cloud's folder, there or not."""
        if self.url:
            raise InvalidInput(
                "PostgreSQL has its own tools for this",
                hint="pg_dump and pg_restore, then `renew`: docs/store.md",
            )
        if self.folder is None:
            raise InvalidInput("no store is named", hint="--folder FOLDER, or --store URL")
        return self.folder / STORE_FILE

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[SqlStore]:
        """The store, which must be there."""
        if not self.url:
            _check_store(self.file())
        async with open_store(self.url, self.folder or Path(), SystemClock().now_us()) as store:
            yield store


async def backup(where: Where, file: Path) -> str:
    """Copy the store as it is at one moment; the cloud may go on meanwhile."""
    source = where.file()
    _check_store(source)
    _check_free(file)
    await asyncio.to_thread(_copy, source, file)
    return f"{source} was copied to {file}"


async def restore(where: Where, file: Path) -> str:
    """Put a backup into an empty folder and give it a new life, so that every node notices."""
    target = where.file()
    _check_free(target)
    _check_there(file)
    make_folder(target.parent)
    await asyncio.to_thread(_copy, file, target)
    async with where.opened() as store:
        incarnation = await store.renew_incarnation()
    return f"{file} was restored to {target}; its life is {incarnation.hex()}"


async def renew(where: Where) -> str:
    """Give a store that was restored a new life, so that every node notices; with no cloud running."""
    async with where.opened() as store:
        incarnation = await store.renew_incarnation()
    return f"the life of {where} is now {incarnation.hex()}"


async def new_token(where: Where) -> str:
    """Make a further administrator's API token, for an installation whose own was lost; the cloud may run meanwhile."""
    if where.folder is None:
        raise InvalidInput("no folder is named", hint="--folder FOLDER: the token is written there")
    async with where.opened() as store:
        certificate = await store.admissions.authority()
        authority = fingerprint_of(certificate) if certificate else b""
        path = await make_another(store.api_tokens, where.folder, authority, SystemClock())
    return f"an administrator's API token is in {path}"


async def retire_node(where: Where, node: str) -> str:
    """Expect nothing more of a node that will not come back; the cloud may run meanwhile."""
    async with where.opened() as store:
        if not await store.retire_node(TENANT, node, SystemClock().now_us()):
            raise NotFound(f"there is no node {node}", hint="`fogline status` lists them")
    return f"{node} is not waited for any more; should it report again, it is assigned anew"


def _check_store(file: Path) -> None:
    if not file.exists():
        raise NotFound(f"there is no store in {file.parent}", hint="name the cloud's folder")


def _check_there(file: Path) -> None:
    if not file.exists():
        raise NotFound(f"there is no {file}")


def _check_free(file: Path) -> None:
    if file.exists():
        raise InvalidInput(f"{file} is there already", hint="move it away, or name another place")


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


_COMMANDS: Final[Sequence[tuple[str, Callable[..., Coroutine[Any, Any, str]], str, type]]] = (
    ("backup", backup, "file", Path),
    ("restore", restore, "file", Path),
    ("renew", renew, "", str),
    ("retire-node", retire_node, "node", str),
    ("new-token", new_token, "", str),
)


def main(arguments: Sequence[str]) -> int:
    """Run one command, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m cloud.admin", description="Look after the cloud's store."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, argument, kind in _COMMANDS:
        command = commands.add_parser(name, help=run.__doc__)
        command.add_argument("--folder", type=Path, help="the cloud's folder, of a store in SQLite")
        command.add_argument(
            "--store",
            default=os.environ.get("FOGLINE_CLOUD_STORE", ""),
            help="URL of a store in PostgreSQL; or in FOGLINE_CLOUD_STORE, where no list of processes shows it",
        )
        if argument:
            command.add_argument("argument", metavar=argument.upper(), type=kind)
        command.set_defaults(run=run, argument=None)
    parsed = parser.parse_args(arguments)
    # A folder that is named means its file, whatever the environment says.
    url = "" if parsed.folder is not None and "--store" not in arguments else parsed.store
    where = Where(url=url, folder=parsed.folder)
    chosen: Callable[..., Coroutine[Any, Any, str]] = parsed.run
    given = () if parsed.argument is None else (parsed.argument,)
    try:
        sys.stdout.write(asyncio.run(chosen(where, *given)) + "\n")
    except FogError as error:
        return refused(error)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
