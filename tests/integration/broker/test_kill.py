"""Node and broker killed in mid-flight and started again: nothing that mosquitto holds is lost or counted twice."""

import asyncio
import json
import os
import random
import signal
import sys
from collections import Counter
from pathlib import Path

import aiomqtt

from fog_node.journal import Journal, JournalSettings
from fog_node.messages import Block
from fogline.model.clock import SystemClock
from fogline.testing.mosquitto import Mosquitto
from tests.integration.broker.test_mosquitto import saved

ROOT = Path(__file__).parents[3]
PATIENCE_S = 120.0
KILLS = 3
MESSAGES = 40_000
QUEUED = 100_000


async def started(folder: Path, url: str, *, most: int = 0) -> asyncio.subprocess.Process:
    """``most``: after so many messages it kills itself."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.integration.broker.serve", str(folder), url, str(most)),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )


async def reading(folder: Path, url: str) -> asyncio.subprocess.Process:
    process = await started(folder, url)
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        while line := await process.stdout.readline():
            if line == b"ready\n":
                break
    assert line, "the node did not start"
    return process


async def kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()


async def journaled(folder: Path) -> Counter[tuple[str, int]]:
    """How often each message, named by sensor and number, lies in the journal of a node that does not run."""
    seen: Counter[tuple[str, int]] = Counter()
    journal = Journal(
        JournalSettings(), folder=folder / "journal", node="test", clock=SystemClock(), entropy=os.urandom
    )
    async with journal:
        journal.declare("air")
        for state in journal.origins("air"):
            at = state.base
            while at < state.end:
                block = await journal.read(state.origin, at)
                assert isinstance(block, Block)
                for code, payload in zip(block.topic_codes.tolist(), block.payloads, strict=True):
                    seen[block.topics[code].split("/")[2], json.loads(bytes(payload))["seq"]] += 1
                at = block.end
    return seen


async def until_journaled(folder: Path, url: str, count: int) -> Counter[tuple[str, int]]:
    """Let the node read until so many different messages are in its journal."""
    seen: Counter[tuple[str, int]] = Counter()
    async with asyncio.timeout(PATIENCE_S):
        while len(seen) < count:
            node = await reading(folder, url)
            # Not a wait for something: how long it gets before the next look.
            await asyncio.sleep(1.0)
            await kill(node)
            seen = await journaled(folder)
    return seen


async def test_a_node_that_is_killed_again_and_again_counts_each_message_once(tmp_path: Path) -> None:
    rng, folder = random.Random(43), tmp_path / "node"
    # The broker lives on and answers for what it took, so that it need not write after every change.
    lines = ("autosave_on_changes false", "max_queued_messages 0", "max_queued_bytes 0")
    async with Mosquitto(tmp_path / "m", *lines) as broker:
        node = await reading(folder, broker.url)
        load = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.generator", "--port", str(broker.port), "--connections", "4"),
            *("--in-flight", "600", "--seconds", "0", "--messages", str(MESSAGES), "--rate", "8000"),
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        try:
            assert load.stdout is not None
            assert await load.stdout.readline() == b"connected\n"
            for _ in range(KILLS):
                # Not a wait for something: the moment of the kill is the test's chance.
                await asyncio.sleep(rng.uniform(0.3, 0.9))
                await kill(node)
                node = await reading(folder, broker.url)
            async with asyncio.timeout(PATIENCE_S):
                out, _ = await load.communicate()
        finally:
            await kill(load)
            await kill(node)
        report = json.loads(out)
        assert report["acknowledged"] == report["sent"] >= MESSAGES
        seen = await until_journaled(folder, broker.url, report["sent"])
    assert len(seen) == report["sent"]
    assert not [message for message, times in seen.items() if times > 1]


async def test_a_node_that_is_killed_while_it_catches_up_with_a_long_queue_counts_each_message_once(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "node"
    lines = ("autosave_on_changes false", "max_queued_messages 0", "max_queued_bytes 0")
    async with Mosquitto(tmp_path / "m", *lines) as broker:
        # The broker knows from now on that there is somebody to queue for.
        await kill(await reading(folder, broker.url))
        load = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.generator", "--port", str(broker.port), "--connections", "4"),
            *("--in-flight", "600", "--seconds", "0", "--messages", str(QUEUED)),
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        try:
            async with asyncio.timeout(PATIENCE_S):
                out, _ = await load.communicate()
                # Much more than packet ids tell apart is journaled, and the broker has read few acknowledgements.
                for most in (QUEUED * 9 // 10, QUEUED // 20):
                    node = await started(folder, broker.url, most=most)
                    assert await node.wait() == -signal.SIGKILL
        finally:
            await kill(load)
        sent = json.loads(out.splitlines()[-1])["sent"]
        seen = await until_journaled(folder, broker.url, sent)
    assert len(seen) == sent
    assert not [message for message, times in seen.items() if times > 1]


async def publish(port: int, first: int, end: int) -> None:
    """At QoS 1, all acknowledged when this returns."""
    async with aiomqtt.Client("127.0.0.1", port, timeout=PATIENCE_S) as client:
        for seq in range(first, end):
            payload = json.dumps({"seq": seq})
            await client.publish("greenhouse/z1/d1/air", payload, qos=1)


async def test_node_and_broker_killed_lose_nothing_that_the_broker_had_written(tmp_path: Path) -> None:
    folder, first, each = tmp_path / "node", 0, 60
    async with Mosquitto(tmp_path / "m") as broker:
        node = await reading(folder, broker.url)
        try:
            for _ in range(KILLS):
                await publish(broker.port, first, first + each)
                first += each
                await kill(node)
                # While nobody reads: these exist in the broker alone.
                await publish(broker.port, first, first + each)
                first += each
                await saved(broker, tmp_path / "m")
                await broker.kill()
                await broker.start()
                node = await reading(folder, broker.url)
        finally:
            await kill(node)
        seen = await until_journaled(folder, broker.url, first)
    assert len(seen) == first
    # Everything was written when the broker died, also which message was under way: it came again as a repeat.
    assert not [message for message, times in seen.items() if times > 1]
