"""Killed in mid-flight and started again: what was acknowledged is there, what was repeated is there once."""

import asyncio
import json
import os
import random
import socket
import sys
from collections import Counter
from pathlib import Path

from bench.frames import FIRST_SEQ
from fog_node.journal import Journal, JournalSettings
from fog_node.messages import Block
from fogline.model.clock import SystemClock

ROOT = Path(__file__).parents[3]
KILLS = 3
MESSAGES = 90_000


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


async def start(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )


async def serving(folder: Path, port: int) -> asyncio.subprocess.Process:
    process = await start("tests.integration.listener.serve", str(folder), str(port))
    assert process.stdout is not None
    async with asyncio.timeout(30):
        while line := await process.stdout.readline():
            if line == b"ready\n":
                break
    assert line, "the listener did not start"
    return process


async def journaled(folder: Path) -> Counter[tuple[str, int]]:
    """How often each message, named by sensor and number, lies in the journal."""
    seen: Counter[tuple[str, int]] = Counter()
    clock = SystemClock()
    async with Journal(
        JournalSettings(), folder=folder, node="test", clock=clock, entropy=os.urandom
    ) as journal:
        journal.declare("air")
        for state in journal.origins("air"):
            at = state.base
            while at < state.end:
                block = await journal.read(state.origin, at)
                assert isinstance(block, Block)
                for code, payload in zip(block.topic_codes.tolist(), block.payloads, strict=True):
                    sensor = block.topics[code].split("/")[2]
                    seen[sensor, json.loads(bytes(payload))["seq"]] += 1
                at = block.end
    return seen


async def test_every_message_is_in_the_journal_once_whatever_is_killed(tmp_path: Path) -> None:
    rng, port = random.Random(41), free_port()
    listener = await serving(tmp_path / "journal", port)
    given = ("--port", str(port), "--connections", "8", "--in-flight", "2000", "--seconds", "0")
    load = await start(
        "bench.generator", *given, "--messages", str(MESSAGES), "--rate", "20000", "--reconnect"
    )
    try:
        assert load.stdout is not None
        assert await load.stdout.readline() == b"connected\n"
        for _ in range(KILLS):
            # Not a wait for something: the moment of the kill is the test's chance.
            await asyncio.sleep(rng.uniform(0.2, 0.6))
            listener.kill()
            await listener.wait()
            listener = await serving(tmp_path / "journal", port)
        async with asyncio.timeout(60):
            out, _ = await load.communicate()
        report = json.loads(out)
    finally:
        for process in (listener, load):
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert report["reconnects"] >= 8
    assert report["acknowledged"] == report["sent"] >= MESSAGES
    seen = await journaled(tmp_path / "journal")
    assert not [message for message, times in seen.items() if times > 1]
    for sensor, last in report["last_seq"].items():
        lost = [seq for seq in range(FIRST_SEQ, last + 1) if (sensor, seq) not in seen]
        assert not lost, f"{sensor} lost {len(lost)}"
    assert len(seen) == report["acknowledged"]
