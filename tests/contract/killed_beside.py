"""Commits parts into one PostgreSQL store, in a process for each that is killed before its n-th statement.

The n-th process commits for the node ``k<n>``. Prints a line each: the number, and ``committed`` or ``killed``.
"""

import asyncio
import os
import signal
import sys
from typing import Any

from sqlalchemy import event

from cloud.store.opening import open_postgres
from tests.contract.installation import T0, Installation, Reading, origin

READINGS = [Reading(1, "north", 25.0), Reading(13, "south", 18.0)]


async def commit(url: str, kill_at: int) -> None:
    """Commit; die before statement ``kill_at``."""
    async with open_postgres(url, T0) as store:
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
        await made.push(READINGS, of=origin(f"k{kill_at}"))


def main(url: str) -> None:
    """Until a process comes through."""
    for kill_at in range(100):
        # Forked before any thread or connection exists: imports are paid once.
        child = os.fork()
        if child == 0:
            asyncio.run(commit(url, kill_at))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{kill_at} {'killed' if status else 'committed'}\n")
        sys.stdout.flush()
        if not status:
            return


if __name__ == "__main__":
    main(sys.argv[1])
