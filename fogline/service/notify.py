"""What the service manager is told: that a process is ready, alive, stopping. systemd's protocol, sd_notify(3).

Without a service manager that listens, nothing is said.
"""

import asyncio
import os
import socket
from collections.abc import Mapping
from typing import Final

import structlog

READY: Final = "READY=1"
STOPPING: Final = "STOPPING=1"
ALIVE: Final = "WATCHDOG=1"

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def say(word: str, status: str = "", environment: Mapping[str, str] = os.environ) -> None:
    """Say one thing, with a sentence for `systemctl status`. Never blocks, and never fails."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):
        address = f"\0{address[1:]}"
    lines = f"{word}\nSTATUS={status}" if status else word
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
            sending.setblocking(False)
            sending.sendto(lines.encode(), address)
    except OSError as error:
        _log.warning("the service manager does not hear", said=word, error=error)


def alive_every_s(environment: Mapping[str, str] = os.environ) -> float | None:
    """How often this process has to say that it is alive, in seconds: twice as often as it must. None: never."""
    within = environment.get("WATCHDOG_USEC", "")
    process = environment.get("WATCHDOG_PID", "")
    if not within.isdigit() or int(within) == 0 or process not in ("", str(os.getpid())):
        return None
    return int(within) / 2_000_000


async def stay_alive() -> None:
    """Say on the event loop that this process is alive, for as long as that is wanted: one that hangs is restarted."""
    every = alive_every_s()
    while every is not None:
        say(ALIVE)
        await asyncio.sleep(every)
