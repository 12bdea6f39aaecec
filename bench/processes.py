"""What a process costs, as the kernel counts it (Linux /proc)."""

import os
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
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    pss = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return Cost((int(fields[11]) + int(fields[12])) / TICKS, pss / 1024)


def file_system(path: Path) -> str:
    """The type of the file system that holds a path."""
    best = ("", "unknown")
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, mounted, kind, *_ = line.split()
        if path.resolve().is_relative_to(mounted) and len(mounted) >= len(best[0]):
            best = (mounted, kind)
    return best[1]
