"""What this machine has: its architecture, CPU, memory, disk, and whether its clock is set."""

import os
import platform
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from fogline.service.discipline import clock_is_synchronised
from fogline.v1 import control_pb2

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_MEMORY: Final = Path("/proc/meminfo")
_GROUPS: Final = Path("/sys/fs/cgroup")
_NO_LIMIT: Final = 1 << 60
"""Version 1 says no limit with a number as large as this, or larger."""


def capacity(folder: Path, *, runtimes: Sequence[str], labels: Sequence[str]) -> control_pb2.Capacity:
    """Look at the machine; ``folder`` lies on the disk that counts. Blocks on the file system for a moment."""
    room = os.statvfs(folder)
    return control_pb2.Capacity(
        arch=platform.machine(),
        cpu_millis=cpu_millis(),
        memory_bytes=memory_bytes(),
        disk_bytes=room.f_blocks * room.f_frsize,
        disk_free_bytes=room.f_bavail * room.f_frsize,
        runtimes=runtimes,
        labels=labels,
        boot_id=boot_id(),
        # Where the kernel cannot be asked, nobody can say that it is set.
        clock_synchronised=clock_is_synchronised() is True,
    )


def cpu_millis() -> int:
    """Thousandths of a core that this process may use, and so what is given to operators."""
    cores = len(os.sched_getaffinity(0)) * 1000
    with suppress(OSError, ValueError):
        quota, period = (_GROUPS / "cpu.max").read_text(encoding="ascii").split()
        return min(cores, int(quota) * 1000 // int(period))
    with suppress(OSError, ValueError):
        quota_us = int((_GROUPS / "cpu/cpu.cfs_quota_us").read_text(encoding="ascii"))
        period_us = int((_GROUPS / "cpu/cpu.cfs_period_us").read_text(encoding="ascii"))
        return min(cores, quota_us * 1000 // period_us) if quota_us > 0 else cores
    return cores


def memory_bytes() -> int:
    """Memory of the machine, or of the container that the node itself runs in."""
    lines = _MEMORY.read_text(encoding="ascii").splitlines()
    total = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemTotal:"))
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):
            limit = int((_GROUPS / name).read_text(encoding="ascii"))
            return min(total, limit) if limit < _NO_LIMIT else total
    return total


def boot_id() -> str:
    """Random, new at every boot of the machine."""
    return _BOOT.read_text(encoding="ascii").strip()
