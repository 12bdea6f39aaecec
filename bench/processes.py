"""What a process costs, as the kernel counts it (Linux /proc), and when it listens."""

import os
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU time since the process began, and memory now."""

    cpu_s: float
    pss_mib: float


def cost(pid: int) -> Cost:
    """CPU of all threads, and the proportional set size. Raises FileNotFoundError if there is no such process."""
    return Cost(cpu_s(pid), _rollup_mib(pid, "Pss:"))


def cpu_s(pid: int) -> float:
    """CPU of all threads; also of a process that has ended and was not waited for. Raises FileNotFoundError."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS


def ended(pid: int) -> bool:
    """Whether a child has ended; it is not waited for, so that its CPU can still be read."""
    return _stat(pid)[0] == "Z"


def anonymous_mib(pid: int) -> float:
    """What a process holds that is not mapped from a file."""
    return _rollup_mib(pid, "Pss_Anon:")


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _rollup_mib(pid: int, field: str) -> float:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith(field)) / 1024


def child_of(parent: int, *words: str) -> int:
    """The process id of a child whose command line has all these words. Raises ProcessLookupError."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            is_child = int(status.read_text().rpartition(")")[2].split()[1]) == parent
            command = (status.parent / "cmdline").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if is_child and all(word in command for word in words):
            return int(status.parent.name)
    raise ProcessLookupError(f"{parent} has no child {' '.join(words)}")


def stop(process: "subprocess.Popen[str] | subprocess.Popen[bytes]") -> None:
    """SIGTERM, and wait."""
    process.terminate()
    process.wait(30)


def free_port() -> int:
    """A port on loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until_listening(port: int) -> None:
    """Return when somebody accepts on the port."""
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
