"""Commits a part in copies of a store, in a process for each that is killed before its n-th statement.

Prints a line each: the number, the copy's name, and ``committed`` or ``killed``.
"""

import asyncio
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import event

from cloud.store.opening import open_sqlite
from tests.contract.installation import T0, Installation, Reading

MORE = [Reading(4, "north", 25.0), Reading(13, None, 18.0)]


async def commit(path: Path, kill_at: int) -> None:
    """Commit; die before statement ``kill_at``."""
    async with open_sqlite(path, T0) as store:
        made = Installation(store)
        await made.catalog.refresh(store)
        seen = 0

        def before(*_: Any) -> None:
            nonlocal seen
            if seen == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            seen += 1

        event.listen(store._backend.engine, "before_cursor_execute", before)
        event.listen(store._backend.engine, "commit", before)
        await made.push(MORE, first=2, end=4)


def main(base: Path) -> None:
    """Until a process comes through."""
    for kill_at in range(100):
        path = base.with_name(f"{base.stem}-{kill_at}{base.suffix}")
        shutil.copy(base, path)
        # Forked before any thread exists: imports are paid once.
        child = os.fork()
        if child == 0:
            asyncio.run(commit(path, kill_at))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{kill_at} {path.stem} {'killed' if status else 'committed'}\n")
        sys.stdout.flush()
        if not status:
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]))
