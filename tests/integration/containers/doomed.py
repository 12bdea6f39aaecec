"""An agent that dies at one step of starting or stopping a container: run by ``test_agent_killed.py``.

python -m tests.integration.containers.doomed FOLDER URL NODE IMAGE STEP
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from fog_node.runtimes.docker.engine import Engine
from fog_node.runtimes.docker.runtime import DockerRuntime
from fog_node.runtimes.record import Record
from fogline.model.clock import SystemClock
from tests.integration.containers.yard import replica

_step = 0


def _count(doomed: int) -> None:
    global _step  # noqa: PLW0603 - one number of a script
    if _step == doomed:
        os.kill(os.getpid(), signal.SIGKILL)
    _step += 1


def _around(work: Callable[..., Awaitable[Any]], doomed: int) -> Callable[..., Awaitable[Any]]:
    async def counted(*arguments: Any, **more: Any) -> Any:
        _count(doomed)
        answer = await work(*arguments, **more)
        _count(doomed)
        return answer

    return counted


def _around_plain(work: Callable[..., Any], doomed: int) -> Callable[..., Any]:
    def counted(*arguments: Any) -> Any:
        _count(doomed)
        work(*arguments)
        _count(doomed)

    return counted


async def main() -> None:
    """Start the guest and stop it, and say how many steps there were."""
    folder, url, node, image, doomed = sys.argv[1:]
    step = int(doomed)
    setattr(Engine, "post", _around(Engine.post, step))  # noqa: B010 - a method is replaced
    setattr(Engine, "delete", _around(Engine.delete, step))  # noqa: B010
    setattr(Record, "write", _around_plain(Record.write, step))  # noqa: B010
    setattr(Record, "forget", _around_plain(Record.forget, step))  # noqa: B010
    async with DockerRuntime(Path(folder), url=url, node=node, clock=SystemClock()) as runtime:
        container = await runtime.start(replica(image, "serve").spec)
        await runtime.stop(container, 0)
    sys.stdout.write(f"{_step}\n")


if __name__ == "__main__":
    asyncio.run(main())
