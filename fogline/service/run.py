"""From a process's first line to its exit code: signals, the two phases of stopping, the last words."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final

import structlog

from fogline.model.errors import FogError
from fogline.service.notify import STOPPING, say, stay_alive

Main = Callable[[asyncio.Event], Coroutine[Any, Any, None]]

EXIT_STOPPED: Final = 0
EXIT_FAILED: Final = 1
EXIT_REFUSED: Final = 2
"""Settings, files or ports do not allow a start; what to do was said on stderr."""

SET_ASIDE_AFTER_S: Final = 60.0
"""By then a tier has imported and opened what it keeps for its life."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def run_until_signalled(main: Main, *, limit_s: float = 10.0) -> int:
    """Run a tier and return its exit code.

    ``main`` is handed the event that SIGTERM or SIGINT sets; it then leaves its contexts, which stops what they
    hold in order. After ``limit_s`` seconds it is cancelled. A second signal ends the process at once. ``main``
    says when it is ready (:mod:`fogline.service.notify`), this function that it is alive and that it stops.
    """
    try:
        asyncio.run(_run(main, limit_s))
    except Exception as error:  # noqa: BLE001 - the outermost edge of the process
        leaves = tuple(_leaves(error))
        if all(isinstance(leaf, FogError) for leaf in leaves):
            return refused(*leaves)
        _log.critical("failed", exc_info=error)
        return EXIT_FAILED
    return EXIT_STOPPED


def refused(*errors: BaseException) -> int:
    """Say why there can be no start, and return the exit code for it."""
    sys.stderr.writelines(f"{error}\n" for error in errors)
    return EXIT_REFUSED


async def _run(main: Main, limit_s: float) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal(number: signal.Signals) -> None:
        if stopping.is_set():
            # Somebody insists: no handler, no buffer, no lock of ours may stand in the way.
            os._exit(128 + number)
        _log.info("stopping", signal=number.name)
        say(STOPPING)
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    loop.call_later(SET_ASIDE_AFTER_S, set_aside)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(main(stopping), name="main")
        limit = group.create_task(_limit(task, stopping, limit_s), name="limit of stopping")
        alive = group.create_task(stay_alive(), name="say that this process is alive")
        task.add_done_callback(lambda _: (limit.cancel(), alive.cancel()))


def set_aside() -> None:
    """Take what lives now out of the garbage collector's sight.

    A full collection waits until a quarter of all it looks at is new. With a tier's 100,000 lasting objects among it
    that takes a quarter of an hour, in which garbage in cycles looks like a leak of some MiB an hour.
    """
    gc.collect()
    gc.freeze()


async def _limit(task: asyncio.Task[None], stopping: asyncio.Event, limit_s: float) -> None:
    await stopping.wait()
    done, _ = await asyncio.wait((task,), timeout=limit_s)
    if not done:
        _log.warning("stopping took too long", limit_s=limit_s)
        task.cancel()


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
