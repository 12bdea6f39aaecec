"""What is done to a store from outside of the cloud: backing up, restoring, retiring a node.

``python -m cloud.admin --help``
"""

import argparse
import asyncio
import sqlite3
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from cloud.store.opening import STORE_FILE, open_sqlite
from fogline.model.clock import SystemClock
from fogline.model.errors import FogError, InvalidInput, NotFound
from fogline.service.folder import make_folder
from fogline.service.run import refused

TENANT: Final = "main"


async def backup(folder: Path, file: Path) -> str:
    """Copy the store as it is at one moment; the cloud may go on meanwhile."""
    source = _store_in(folder)
    _check_free(file)
    await asyncio.to_thread(_copy, source, file)
    return f"{source} was copied to {file}"


async def restore(folder: Path, file: Path) -> str:
    """Put a backup into an empty folder and give it a new life, so that every node notices."""
    target = folder / STORE_FILE
    _check_free(target)
    _check_there(file)
    make_folder(folder)
    await asyncio.to_thread(_copy, file, target)
    async with open_sqlite(target, SystemClock().now_us()) as store:
        incarnation = await store.renew_incarnation()
    return f"{file} was restored to {target}; its life is {incarnation.hex()}"


async def retire_node(folder: Path, node: str) -> str:
    """Expect nothing more of a node that will not come back; the cloud may run meanwhile."""
    now_us = SystemClock().now_us()
    async with open_sqlite(_store_in(folder), now_us) as store:
        if not await store.retire_node(TENANT, node, now_us):
            raise NotFound(f"there is no node {node}", hint="`fogline status` lists them")
    return f"{node} is not waited for any more; should it report again, it is assigned anew"


def _store_in(folder: Path) -> Path:
    path = folder / STORE_FILE
    if not path.exists():
        raise NotFound(f"there is no store in {folder}", hint="name the cloud's folder")
    return path


def _check_there(file: Path) -> None:
    if not file.exists():
        raise NotFound(f"there is no {file}")


def _check_free(file: Path) -> None:
    if file.exists():
        raise InvalidInput(f"{file} is there already", hint="move it away, or name another place")


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


def main(arguments: Sequence[str]) -> int:
    """Run one command, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m cloud.admin", description="Look after the cloud's store."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, argument, kind in (
        ("backup", backup, "file", Path),
        ("restore", restore, "file", Path),
        ("retire-node", retire_node, "node", str),
    ):
        command = commands.add_parser(name, help=run.__doc__)
        command.add_argument("--folder", type=Path, required=True, help="the cloud's folder")
        command.add_argument("argument", metavar=argument.upper(), type=kind)
        command.set_defaults(run=run)
    parsed = parser.parse_args(arguments)
    chosen: Callable[..., Coroutine[Any, Any, str]] = parsed.run
    try:
        sys.stdout.write(asyncio.run(chosen(parsed.folder, parsed.argument)) + "\n")
    except FogError as error:
        return refused(error)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
