"""A container's counters, from the kernel's files: versions 1 and 2 of cgroups."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fog_node.runtimes.runtime import Usage

V2: Final = ""
"""Key of the one hierarchy of version 2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cgroup:
    """Where the counters of one container are."""

    folders: Mapping[str, Path]
    """By controller; version 2 has all in one folder, under the empty name."""


def find_cgroup(pid: int, *, proc: Path = Path("/proc")) -> Cgroup:
    """The cgroup of a process. Raises :class:`OSError` if it is gone."""
    mounts = _mounts((proc / "self/mountinfo").read_text(encoding="utf-8"))
    return Cgroup(folders=_folders((proc / str(pid) / "cgroup").read_text(encoding="utf-8"), mounts))


def read_usage(cgroup: Cgroup) -> Usage:
    """The counters now. Raises :class:`OSError` if the container is gone."""
    if "cpuacct" in cgroup.folders:
        return _usage_v1(cgroup.folders)
    return _usage_v2(cgroup.folders[V2])


def _usage_v1(folders: Mapping[str, Path]) -> Usage:
    memory = folders["memory"]
    inactive = _counters(memory / "memory.stat").get("total_inactive_file", 0)
    return Usage(
        cpu_us=_number(folders["cpuacct"] / "cpuacct.usage") // 1000,
        memory_bytes=max(0, _number(memory / "memory.usage_in_bytes") - inactive),
        throttled_us=_counters(folders["cpu"] / "cpu.stat").get("throttled_time", 0) // 1000,
        forks_refused=_forks_refused(folders.get("pids")),
    )


def _usage_v2(folder: Path) -> Usage:
    cpu = _counters(folder / "cpu.stat")
    inactive = _counters(folder / "memory.stat").get("inactive_file", 0)
    return Usage(
        cpu_us=cpu["usage_usec"],
        memory_bytes=max(0, _number(folder / "memory.current") - inactive),
        throttled_us=cpu.get("throttled_usec", 0),
        forks_refused=_forks_refused(folder),
    )


def _forks_refused(folder: Path | None) -> int:
    # Older kernels do not count.
    path = folder / "pids.events" if folder is not None else None
    return _counters(path).get("max", 0) if path is not None and path.exists() else 0


def _mounts(mountinfo: str) -> dict[str, tuple[Path, str]]:
    """Where each controller is mounted, and which folder of it is the mount's root."""
    found: dict[str, tuple[Path, str]] = {}
    for line in mountinfo.splitlines():
        words = line.split(" ")
        behind = words[words.index("-") + 1 :]
        place = (Path(words[4]), words[3])
        if behind[0] == "cgroup2":
            found.setdefault(V2, place)
        elif behind[0] == "cgroup":
            for controller in behind[2].split(","):
                found.setdefault(controller, place)
    return found


def _folders(cgroup: str, mounts: Mapping[str, tuple[Path, str]]) -> dict[str, Path]:
    """The folders that /proc/PID/cgroup names, where they are mounted here."""
    folders = {}
    for line in cgroup.splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            if controller in mounts:
                mount, root = mounts[controller]
                inner = path.removeprefix(root) if root != "/" else path
                folders[controller] = mount / inner.lstrip("/")
    return folders


def _number(path: Path) -> int:
    return int(path.read_text(encoding="ascii"))


def _counters(path: Path) -> dict[str, int]:
    pairs = (line.split() for line in path.read_text(encoding="ascii").splitlines())
    return {name: int(value) for name, value in pairs}
