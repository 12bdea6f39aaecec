"""What a benchmark ran on."""

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.postgres import PostgresAbsent, binaries


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The machine and the programs that figures depend on. Empty: not installed, or not known."""

    cpu: str
    cores: int
    memory_gib: float
    kernel: str
    python: str
    file_system: str
    """Where the benchmark's files lie."""
    mosquitto: str
    postgresql: str

    def words(self) -> str:
        """One line for people."""
        programs = [f"{name} {version}" for name, version in self._programs() if version]
        return f"{self.cpu}, {self.cores} cores, {self.memory_gib:.0f} GiB, {self.file_system}; {', '.join(programs)}"

    def _programs(self) -> list[tuple[str, str]]:
        return [
            ("Linux", self.kernel),
            ("Python", self.python),
            ("mosquitto", self.mosquitto),
            ("PostgreSQL", self.postgresql),
        ]


def this_machine(folder: Path) -> Machine:
    """Look around; ``folder`` is where the benchmark writes."""
    return Machine(
        cpu=_after("/proc/cpuinfo", "model name") or platform.machine(),
        cores=os.cpu_count() or 0,
        memory_gib=round(int(_after("/proc/meminfo", "MemTotal").split()[0]) / 2**20, 1),
        kernel=platform.release().partition("-")[0],
        python=platform.python_version(),
        file_system=file_system(folder),
        mosquitto=_version(shutil.which("mosquitto"), "-h"),
        postgresql=_version(_postgres(), "--version"),
    )


def file_system(path: Path) -> str:
    """The type of the file system that holds a path."""
    best = ("", "unknown")
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, mounted, kind, *_ = line.split()
        if path.resolve().is_relative_to(mounted) and len(mounted) >= len(best[0]):
            best = (mounted, kind)
    return best[1]


def _after(path: str, name: str) -> str:
    """The value of a ``name: value`` line."""
    lines = (line.partition(":") for line in Path(path).read_text().splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == name), "")


def _postgres() -> str | None:
    try:
        return str(binaries() / "postgres")
    except PostgresAbsent:
        return None


def _version(program: str | None, flag: str) -> str:
    """The first word with a digit that the program says of itself."""
    if program is None:
        return ""
    said = subprocess.run([program, flag], capture_output=True, text=True, check=False).stdout
    return next((word for word in said.split() if word[0].isdigit()), "")
