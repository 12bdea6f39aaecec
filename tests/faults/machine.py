"""Hosts whose power can be cut: each a tree of processes in namespaces of its own, with a Docker Engine and a node.

A host's first process is the first of a process namespace. Killed, it takes all others with it in the same instant:
the Engine, containerd, containers, the node. With them go the host's mounts (``/run`` and every file system in
memory), its network with bridge and rules, and its sockets; the next boot has another boot id. What stays is the disk,
and what was written to it and not synced: a disk that forgets is in ``test_power_cut.py``.

Everything happens in a private world (:func:`own_world`): namespaces that end with the drill, however it ends.
"""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from tests.engine import running_engine

SCRIPT: Final = Path(__file__).with_name("machine.sh")
GROUPS: Final = Path("/sys/fs/cgroup")
WORLD: Final = "FOGLINE_DRILL_WORLD"
SPACES: Final = ("--pid", "--mount", "--net", "--uts", "--ipc", "--mount-proc", "--fork", "--kill-child=KILL")
LISTENER: Final = 1883
HANG_S: Final = 120.0


def own_world(module: str, arguments: Sequence[str]) -> int:
    """Run a module again as the first process of a private world, and return its exit code.

    It finds the folder that it may use in the environment, as :data:`WORLD`. Nothing of it is left afterwards.
    """
    # Told to end, it ends the world, and then tidies up.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))
    folder = Path(tempfile.mkdtemp(prefix="fogline-power-"))
    try:
        done = subprocess.run(
            ["unshare", *SPACES, sys.executable, "-m", module, *arguments],
            env={**os.environ, WORLD: str(folder)},
            check=False,
        )
        return done.returncode
    finally:
        deadline = time.monotonic() + HANG_S
        # Whoever was killed with the world may take a moment to be gone.
        while not _remove_groups(f"{folder.name}-*") and time.monotonic() < deadline:
            time.sleep(0.1)
        shutil.rmtree(folder, ignore_errors=True)


def world_folder() -> Path | None:
    """The folder of the private world that this process runs in, if it does."""
    if WORLD not in os.environ:
        return None
    _ip("link", "set", "lo", "up")
    return Path(os.environ[WORLD])


class Machine:
    """One host."""

    def __init__(self, number: int, folder: Path) -> None:
        """``folder`` is its disk."""
        self.number: Final = number
        self.name: Final = f"host-{number}"
        self.folder: Final = folder
        self.group: Final = f"{folder.parent.name}-{number}"
        self._unshare: asyncio.subprocess.Process | None = None
        self._first = 0
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def listener(self) -> tuple[str, int]:
        """Where its devices publish: on its own local network, which no uplink is needed for."""
        return f"10.77.{self.number}.2", LISTENER

    @property
    def parent_host(self) -> str:
        """What it calls its parents by: the far end of its uplink."""
        return f"10.78.{self.number}.1"

    @property
    def root(self) -> Path:
        """Its files as it sees them."""
        return Path(f"/proc/{self._first}/root")

    @property
    def engine_url(self) -> str:
        """Where its Engine is, seen from here."""
        return f"unix://{self.root}/run/docker.sock"

    async def power_on(self, *, uplink: bool) -> None:
        """Boot; returns when it has begun."""
        addresses = f"10.77.{self.number}.2/30", f"10.78.{self.number}.2/30"
        self._unshare = await asyncio.create_subprocess_exec(
            *("unshare", *SPACES, "sh", str(SCRIPT), self.group, str(self.folder), *addresses),
            env={**os.environ, "FOGLINE_PYTHON": sys.executable},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._first = await _child_of(self._unshare.pid)
        for wire, network in (("lan", 77), ("wan", 78)):
            here = f"{wire}{self.number}"
            _ip("link", "add", here, "type", "veth", "peer", "name", wire, "netns", str(self._first))
            _ip("address", "add", f"10.{network}.{self.number}.1/30", "dev", here)
            if wire == "lan" or uplink:
                _ip("link", "set", here, "up")

    async def cut_power(self) -> None:
        """End everything in one instant. Again, or before it was on: nothing."""
        unshare, self._unshare = self._unshare, None
        if unshare is None:
            return
        with suppress(ProcessLookupError):
            os.kill(self._first, signal.SIGKILL)
        await unshare.wait()
        for wire in ("lan", "wan"):
            _ip("link", "delete", f"{wire}{self.number}", may_fail=True)
        # A kernel that has just booted has no groups; this one lives on.
        await asyncio.to_thread(_remove_groups, self.group)

    def set_uplink(self, *, up: bool) -> None:
        """Plug the uplink in, or out."""
        _ip("link", "set", f"wan{self.number}", "up" if up else "down")

    def boot_id(self) -> str:
        """What its node reads now."""
        return (self.root / "proc/sys/kernel/random/boot_id").read_text().strip()

    def processes(self, *words: str) -> list[int]:
        """Its processes with all these words in their command lines, by their ids here."""
        space = Path(f"/proc/{self._first}/ns/pid").stat().st_ino
        return [
            pid for pid in _processes() if _is_in(pid, space) and all(word in _command(pid) for word in words)
        ]

    def cpu_s(self) -> float:
        """What its processes have used since it booted, also those that have ended."""
        ticks = sum(_ticks(pid) for pid in self.processes())
        return ticks / os.sysconf("SC_CLK_TCK")

    def pss_mib(self, *words: str) -> float:
        """Memory of those of its processes with these words, what is shared divided among who shares it."""
        return sum(_pss_kib(pid) for pid in self.processes(*words)) / 1024

    @contextmanager
    def engine(self) -> Iterator[Any]:
        """A client of its Engine. Raises :class:`tests.engine.EngineAbsent` while it does not answer."""
        with running_engine(self.engine_url) as engine:
            yield engine

    def containers(self) -> dict[str, str]:
        """The Engine's ids of the node's containers that run, by name."""
        with self.engine() as engine:
            return {
                seen["Names"][0]: seen["Id"]
                for seen in engine.client.containers(filters={"label": "fogline.node"})
            }

    def said(self) -> Iterator[dict[str, str]]:
        """What its containers have written: lines with ``log`` and the ``time`` at which the Engine took them."""
        for path in self.folder.glob("docker/containers/*/*-json.log"):
            with suppress(FileNotFoundError):
                for line in path.read_text().splitlines():
                    with suppress(ValueError):  # the last one may be half written
                        yield json.loads(line)


def _ip(*words: str, may_fail: bool = False) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode and not may_fail:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")


async def _child_of(pid: int) -> int:
    async with asyncio.timeout(HANG_S):
        while not (children := _children(pid)):  # noqa: ASYNC110 - the kernel is asked
            await asyncio.sleep(0.002)
    return children[0]


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _processes() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _is_in(pid: int, space: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/ns/pid").stat().st_ino == space
    return False


def _command(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


def _ticks(pid: int) -> int:
    with suppress(OSError):
        # Its own, in user and kernel mode, and of its children that were waited for.
        return sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]))
    return 0


def _pss_kib(pid: int) -> int:
    with suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return 0


def _remove_groups(pattern: str) -> bool:
    """Groups of processes that have ended, the innermost first; whether none is left."""
    for top in (*GROUPS.glob(pattern), *GROUPS.glob(f"*/{pattern}")):
        found = sorted((path for path in top.rglob("*") if path.is_dir()), reverse=True)
        for path in (*found, top):
            with suppress(OSError):
                path.rmdir()
    return not any((*GROUPS.glob(pattern), *GROUPS.glob(f"*/{pattern}")))
