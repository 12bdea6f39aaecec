"""This machine: Python, what is installed, clock, disk, limits, ports."""

import os
import resource
import statistics
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from fogline.cli.doctor.findings import Chart, Finding
from fogline.cli.up.ports import is_free, usual_port
from fogline.service.discipline import clock_is_synchronised

NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "node": ("numpy", "mqtt5", "grpc_health", "prometheus_client"),
    "aggregator": ("numpy", "grpc_health", "prometheus_client"),
    "cloud": ("numpy", "grpc_health", "sqlalchemy", "alembic", "sqlglot", "psycopg", "fastapi", "uvicorn"),
    "dashboard": ("nicegui", "uvicorn"),
    "all": ("paho", "psutil"),
}
"""Modules by extra."""
PORTS: Final = ("node-1", "cloud", "aggregator", "dashboard", "rest")
FORGETFUL: Final = frozenset({"tmpfs", "ramfs", "overlay", "squashfs"})
"""File systems whose content goes with the machine or the container."""
DISTANT: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph", "glusterfs"})
GIB: Final = 1024**3
SYNCS: Final = 16
LEAST_SYNC_S: Final = 30e-6
"""A disk that has really written does not answer sooner than this."""
SLOW_SYNC_S: Final = 0.1
LEAST_FILES: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What was seen."""

    python: tuple[int, int]
    bits: int
    system: str
    missing: Mapping[str, tuple[str, ...]]
    """By extra: modules that are not there."""
    synchronised: bool | None
    folder: Path
    folder_fault: str = ""
    """Why nothing can be written there."""
    file_system: str = ""
    free_bytes: int = 0
    sync_s: float = 0.0
    """Median of a few small writes with fdatasync. Unit: seconds."""
    open_files: int
    taken: tuple[tuple[str, int], ...] = ()
    """Usual ports that somebody listens on, by tier."""


def look(folder: Path) -> Machine:
    """Probe this machine, and the folder where data shall lie; writes a small file there for a moment."""
    place = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.is_dir())
    fault, sync_s = "", 0.0
    try:
        sync_s = _sync_s(place)
    except OSError as error:
        fault = error.strerror or str(error)
    room = os.statvfs(place)
    return Machine(
        python=sys.version_info[:2],
        bits=64 if sys.maxsize > 2**32 else 32,
        system=sys.platform,
        missing={extra: tuple(_missing(modules)) for extra, modules in NEEDED.items()},
        synchronised=clock_is_synchronised(),
        folder=folder,
        folder_fault=fault,
        file_system=_file_system(place),
        free_bytes=room.f_bavail * room.f_frsize,
        sync_s=sync_s,
        open_files=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        taken=tuple((name, usual_port(name)) for name in PORTS if not is_free(usual_port(name))),
    )


def judge(machine: Machine) -> list[Finding]:
    """Say what of it is well and what is not."""
    chart = Chart("machine")
    _judge_python(chart, machine)
    _judge_clock(chart, machine)
    _judge_folder(chart, machine)
    if machine.open_files < LEAST_FILES:
        chart.warning(
            f"a process may open {machine.open_files} files, and each device needs one",
            f"raise it: `ulimit -n {LEAST_FILES}`, or LimitNOFILE= of the service",
        )
    else:
        chart.ok(f"a process may open {machine.open_files} files")
    for name, port in machine.taken:
        chart.note(f"port {port} is in use; {name} of a new `fogline up` would take another")
    return chart.findings


def _judge_python(chart: Chart, machine: Machine) -> None:
    version = ".".join(map(str, machine.python))
    if machine.python < (3, 11) or machine.bits != 64 or machine.system != "linux":
        chart.problem(
            f"Python {version}, {machine.bits} bits, {machine.system}",
            "the tiers need Python 3.11 or newer on 64-bit Linux; elsewhere only the SDK runs",
        )
    else:
        chart.ok(f"Python {version}, 64 bits, Linux")
    there = [extra for extra, modules in machine.missing.items() if not modules and extra != "all"]
    if there:
        chart.ok(f"installed: {', '.join(there)}")
    for extra, modules in machine.missing.items():
        if modules:
            chart.note(
                f"{extra} cannot run here: {', '.join(modules)} not installed",
                f"`pip install 'fogline[{extra}]'` if it shall",
            )


def _judge_clock(chart: Chart, machine: Machine) -> None:
    if machine.synchronised is None:
        chart.note("the kernel does not say whether the clock is synchronised")
    elif machine.synchronised:
        chart.ok("the clock is synchronised")
    else:
        chart.warning(
            "the kernel says that no time service sets the clock: readings may fall into wrong windows",
            "run chrony or systemd-timesyncd; in a container or virtual machine look at the host's clock",
        )


def _judge_folder(chart: Chart, machine: Machine) -> None:
    folder = machine.folder
    if machine.folder_fault:
        chart.problem(f"{folder} cannot be written: {machine.folder_fault}", "name another with --dir")
        return
    if machine.free_bytes < GIB:
        chart.warning(
            f"{folder} has {machine.free_bytes / GIB:.1f} GiB free", "the journal may use 2 GiB by default"
        )
    else:
        chart.ok(f"{folder} has {machine.free_bytes / GIB:.1f} GiB free")
    if machine.file_system in FORGETFUL:
        chart.warning(
            f"{folder} lies on {machine.file_system}, whose files go with the machine or the container",
            "put journals and stores on a disk or a volume",
        )
    elif machine.file_system in DISTANT:
        chart.warning(
            f"{folder} lies on {machine.file_system}, across a network", "keep a journal on a local disk"
        )
    elif machine.sync_s < LEAST_SYNC_S:
        chart.warning(
            f"{folder} says after {machine.sync_s * 1e6:.0f} µs that a write is on disk, which no disk does",
            "does the file system or the virtual disk ignore fsync? Then a power cut loses acknowledged messages",
        )
    elif machine.sync_s > SLOW_SYNC_S:
        chart.warning(
            f"a write to {folder} takes {machine.sync_s * 1e3:.0f} ms",
            "devices wait for it: use another disk",
        )
    else:
        chart.ok(
            f"a write to {folder} ({machine.file_system}) is on disk after {machine.sync_s * 1e3:.2g} ms"
        )


def _missing(modules: Iterable[str]) -> Iterable[str]:
    return (module for module in modules if find_spec(module) is None)


def _file_system(place: Path) -> str:
    """The type of the file system that holds a folder, by the longest mount point above it."""
    found, longest = "", -1
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines():
        _, mount, kind = line.split(" ")[:3]
        point = Path(mount.replace("\\040", " "))
        if place.is_relative_to(point) and len(point.parts) >= longest:
            found, longest = kind, len(point.parts)
    return found


def _sync_s(folder: Path) -> float:
    # A file without a name: nothing is left of it, however this ends.
    descriptor = os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        took = []
        for _ in range(SYNCS):
            began = time.perf_counter()
            os.write(descriptor, bytes(4096))
            os.fdatasync(descriptor)
            took.append(time.perf_counter() - began)
    finally:
        os.close(descriptor)
    return statistics.median(took)
