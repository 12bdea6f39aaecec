"""Tiers as a service manager runs them: the test is its end of the socket."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

WITHIN_S = 100
TIERS = {
    "fog_node": ["--plaintext", "--name", "n", "--parents", "127.0.0.1:1", "--listener-port", "0"],
    "aggregator": ["--plaintext", "--name", "a", "--parents", "127.0.0.1:1", "--listen", "127.0.0.1:0"],
    "cloud": ["--plaintext", "--listen", "127.0.0.1:0"],
    "cloud.dashboard": ["--listen", "127.0.0.1:0"],
}


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.setblocking(False)
        yield listening


async def hear(manager: socket.socket, word: bytes) -> bytes:
    """What a process says from now on, up to this word."""
    async with asyncio.timeout(WITHIN_S):
        while word not in (said := await asyncio.get_running_loop().sock_recv(manager, 1000)):
            pass
    return said


@pytest.mark.parametrize("tier", TIERS)
async def test_a_tier_says_that_it_is_ready_and_alive_and_that_it_stops(
    tier: str, manager: socket.socket, tmp_path: Path
) -> None:
    folder = [] if tier == "cloud.dashboard" else ["--folder", str(tmp_path / "data")]
    environment = {
        **{name: value for name, value in os.environ.items() if name in ("HOME", "PATH")},
        "PYTHONPATH": ":".join(sys.path),
        "NOTIFY_SOCKET": manager.getsockname(),
        "WATCHDOG_USEC": "200000",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", tier, *TIERS[tier], *folder, env=environment, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        assert b"STATUS=" in await hear(manager, b"READY=1")
        await hear(manager, b"WATCHDOG=1")
        await hear(manager, b"WATCHDOG=1")
        process.send_signal(signal.SIGTERM)
        await hear(manager, b"STOPPING=1")
        assert await asyncio.wait_for(process.wait(), WITHIN_S) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
