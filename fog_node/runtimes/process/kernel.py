"""What the kernel says about processes: who belongs to a replica, and what they use. Reads /proc; a process may
be gone between two reads, and then counts nothing.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from fog_node.runtimes.runtime import Usage

MARK: Final = "FOGLINE_CONTAINER"
"""Environment variable that tells which container a process belongs to; children inherit it."""

_PROC: Final = Path("/proc")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_TICK_US: Final = 1_000_000 // os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    for one in found:
        with suppress(OSError):
            for task in (_PROC / str(one) / "task").iterdir():
                with suppress(OSError):
                    found.extend(int(child) for child in (task / "children").read_text().split())
    return found


def marked(container: str) -> list[int]:
    """Every process that bears a container's mark, also one that has left its session."""
    mark = f"{MARK}={container}".encode()
    found = []
    for pid in _pids():
        with suppress(OSError):
            if mark in (_PROC / str(pid) / "environ").read_bytes().split(b"\0"):
                found.append(pid)
    return found


def marks() -> dict[int, str]:
    """The containers' ids by the processes that bear them."""
    prefix = f"{MARK}=".encode()
    found = {}
    for pid in _pids():
        with suppress(OSError):
            for variable in (_PROC / str(pid) / "environ").read_bytes().split(b"\0"):
                if variable.startswith(prefix):
                    found[pid] = variable[len(prefix) :].decode(errors="replace")
    return found


def kill_marked(container: str) -> None:
    """End every process of a container at once; again, until a look finds none."""
    for _ in range(100):
        alive = [pid for pid in marked(container) if pid != os.getpid()]
        if not alive:
            return
        for pid in alive:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def tasks(pids: list[int]) -> int:
    """Processes and threads."""
    count = 0
    for pid in pids:
        with suppress(OSError):
            count += len(list((_PROC / str(pid) / "task").iterdir()))
    return count


def usage(pids: list[int]) -> Usage:
    """CPU of these processes and of those that they have collected, and memory that they hold."""
    cpu_ticks = pages = 0
    for pid in pids:
        with suppress(OSError, ValueError):
            words = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
            # utime, stime, and the same of children that have ended.
            cpu_ticks += sum(int(word) for word in words[11:15])
            # Resident without what files and shared memory back: what only this process holds.
            sizes = (_PROC / str(pid) / "statm").read_text().split()
            pages += int(sizes[1]) - int(sizes[2])
    return Usage(cpu_us=cpu_ticks * _TICK_US, memory_bytes=pages * _PAGE, throttled_us=0)


def _pids() -> Iterator[int]:
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            yield int(entry.name)
