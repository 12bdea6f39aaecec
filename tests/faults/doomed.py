"""A cloud that kills itself at one exact place: ``python -m tests.faults.doomed METHOD MOMENT COUNT FLAG...``.

It dies with SIGKILL when METHOD of the store is called for the COUNTth time: ``before`` anything of it was done, or
``after`` all of it is durable and before anybody heard of it.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any, Final

from cloud.main import main
from cloud.store.sql import SqlStore


def doom(method: str, moment: str, count: int) -> None:
    """Let the process die there."""
    real: Final[Callable[..., Any]] = getattr(SqlStore, method)
    left = count

    async def wrapped(self: SqlStore, *arguments: Any, **named: Any) -> Any:
        nonlocal left
        left -= 1
        if moment == "before" and left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = await real(self, *arguments, **named)
        if moment == "after" and left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(SqlStore, method, wrapped)


if __name__ == "__main__":
    doom(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    sys.exit(main(sys.argv[4:]))
