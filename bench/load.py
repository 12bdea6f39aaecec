"""Starts the programs that make load: ``bench.generator`` (QoS 1) and ``bench.flood`` (QoS 0)."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.processes import stop


def generate(port: int, **given: object) -> dict[str, Any]:
    """Run the QoS 1 generator to its end; its report. ``given`` are its flags."""
    return _run("bench.generator", port, given | {"seed": _seed()})


def flood(port: int, **given: object) -> dict[str, Any]:
    """Run the QoS 0 publisher to its end; its report."""
    return _run("bench.flood", port, given)


@contextmanager
def generating(port: int, *switches: str, **given: object) -> Iterator["subprocess.Popen[bytes]"]:
    """The QoS 1 generator at work."""
    command = [*_command("bench.generator", port, given | {"seed": _seed()}), *switches]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        stop(process)


def _run(module: str, port: int, given: dict[str, object]) -> dict[str, Any]:
    words = subprocess.run(_command(module, port, given), check=True, capture_output=True, text=True)
    report: dict[str, Any] = json.loads(words.stdout.splitlines()[-1])
    return report


def _command(module: str, port: int, given: dict[str, object]) -> list[str]:
    flags = [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    return [sys.executable, "-m", module, "--port", str(port), *flags]


def _seed() -> int:
    return time.monotonic_ns() % 2**31
