"""Whether this machine can run operators and services in containers: the kernel's cgroups, and the Docker Engine."""

import http.client
import json
import os
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fogline.cli.doctor.findings import Chart, Finding
from fogline.service.docker import MEMORY_HINT, unfit, why_away

DOCKER: Final = "unix:///var/run/docker.sock"
ANSWER_WITHIN_S: Final = 5.0
GIB: Final = 1024**3
LITTLE: Final = GIB
"""Disk below which images are not pulled any more (``runtimes.reserve``)."""
WANTED: Final = ("cpu", "memory", "pids")
_UNIX: Final = "unix://"


@dataclass(frozen=True, slots=True, kw_only=True)
class Containers:
    """What was seen."""

    cgroups: int
    """Version; 0: the kernel has none mounted."""
    off: tuple[str, ...]
    """Controllers that are wanted and off."""
    docker: str
    """The Engine's address; empty: none is wanted."""
    away: tuple[str, str] = ("", "")
    """Why it does not answer, and what to do."""
    info: Mapping[str, Any] | None = None
    free_bytes: int | None = None
    """Where its images lie, as far as that can be seen."""


def look(docker: str = DOCKER, *, root: Path = Path("/")) -> Containers:
    """Ask kernel and Engine. ``root``: of the file system, for another machine's files."""
    version, off = _cgroups(root)
    away, info, free = ("", ""), None, None
    if docker:
        try:
            info = _info(docker)
        except (OSError, ValueError, http.client.HTTPException) as error:
            away = why_away(docker, error)
    if info is not None:
        place = str(info.get("DockerRootDir", ""))
        free = shutil.disk_usage(place).free if place and os.path.isdir(place) else None  # noqa: PTH112 - as it is said
    return Containers(cgroups=version, off=off, docker=docker, away=away, info=info, free_bytes=free)


def judge(seen: Containers, *, needed: bool) -> list[Finding]:
    """Say what is well and what is not. ``needed``: this machine is a node whose settings name an Engine."""
    chart = Chart("containers")
    _judge_cgroups(chart, seen)
    if not seen.docker:
        chart.note("the node's settings name no Docker Engine: images do not run here")
        return chart.findings
    say = chart.problem if needed else chart.warning
    if seen.info is None:
        what, hint = seen.away
        if not needed and what.startswith("no Docker"):
            chart.note(f"{what}: operators and services in images do not run here", hint)
        else:
            say(what, hint)
        return chart.findings
    what, hint = unfit(seen.info)
    if what:
        say(what, hint)
        return chart.findings
    chart.ok(
        f"Docker Engine {seen.info.get('ServerVersion', '')} at {seen.docker} can hold containers to their limits"
    )
    if seen.free_bytes is not None and seen.free_bytes < LITTLE:
        chart.warning(
            f"{seen.info['DockerRootDir']} has {seen.free_bytes / GIB:.1f} GiB free: images are not pulled below 1 GiB",
            "`docker system df` says what takes it; or set `runtimes.reserve`",
        )
    return chart.findings


def _judge_cgroups(chart: Chart, seen: Containers) -> None:
    if not seen.cgroups:
        chart.warning("no cgroups are mounted: containers cannot be limited", "mount /sys/fs/cgroup")
    elif seen.off:
        hint = MEMORY_HINT if "memory" in seen.off else "use a kernel with these controllers"
        chart.warning(f"the kernel's cgroups (version {seen.cgroups}) have {', '.join(seen.off)} off", hint)
    else:
        chart.ok(f"the kernel's cgroups (version {seen.cgroups}) limit {', '.join(WANTED)}")


def _cgroups(root: Path) -> tuple[int, tuple[str, ...]]:
    unified = root / "sys/fs/cgroup/cgroup.controllers"
    if unified.exists():
        there = set(unified.read_text(encoding="ascii").split())
        return 2, tuple(name for name in WANTED if name not in there)
    if not (root / "sys/fs/cgroup").is_dir():
        return 0, WANTED
    lines = (line.split() for line in _text(root / "proc/cgroups").splitlines() if not line.startswith("#"))
    on = {words[0] for words in lines if len(words) > 3 and words[3] == "1"}
    return 1, tuple(name for name in WANTED if name not in on)


def _text(path: Path) -> str:
    return path.read_text(encoding="ascii") if path.exists() else ""


def _info(docker: str) -> Mapping[str, Any]:
    """The Engine's word about itself. Raises :class:`OSError`, :class:`ValueError`."""
    connection = _Local(docker.removeprefix(_UNIX)) if docker.startswith(_UNIX) else _distant(docker)
    try:
        connection.request("GET", "/info", headers={"Host": "docker"})
        answer = connection.getresponse()
        said: Mapping[str, Any] = json.loads(answer.read())
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise ValueError(str(said.get("message", answer.status)))
    return said


def _distant(docker: str) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(docker.rpartition("://")[2], timeout=ANSWER_WITHIN_S)


class _Local(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("docker", timeout=ANSWER_WITHIN_S)
        self._path: Final = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(ANSWER_WITHIN_S)
        self.sock.connect(self._path)
