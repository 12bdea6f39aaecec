"""A mosquitto of the benchmark's own."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.processes import free_port, stop, until_listening

SETTINGS: Final = """\
listener {port} 127.0.0.1
allow_anonymous true
max_queued_messages 0
max_inflight_messages 0
sys_interval 1
"""
"""It queues without a limit, so that nothing is dropped, and keeps nothing on disk."""


@dataclass(frozen=True, slots=True)
class Broker:
    """A running mosquitto."""

    port: int
    pid: int


@contextmanager
def broker(folder: Path) -> Iterator[Broker]:
    """Start it, and end it."""
    port = free_port()
    settings = folder / "mosquitto.conf"
    settings.write_text(SETTINGS.format(port=port))
    process = subprocess.Popen(["mosquitto", "-c", str(settings)], stderr=subprocess.DEVNULL)
    try:
        until_listening(port)
        yield Broker(port, process.pid)
    finally:
        stop(process)
