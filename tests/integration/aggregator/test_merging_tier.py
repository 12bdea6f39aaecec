"""Nodes below, a store above, aggregators of real sockets between."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aggregator.main import Aggregator
from aggregator.settings import MergeSettings
from fogline.intake.judgement import Verdict
from fogline.model.clock import MILLISECOND, SECOND
from fogline.model.part import Origin
from fogline.testing.lane import CountingLane, key_of
from fogline.testing.parents import Parent, uplink_to
from fogline.testing.relay import Relay
from fogline.testing.store import MemoryStore
from fogline.testing.until import until

Spawn = Callable[[Any], "asyncio.Task[Any]"]
Start = Callable[..., Awaitable[Aggregator]]
PLAN = "0123456789abcdef"


def origin_of(node: str) -> Origin:
    return Origin(tenant="main", node=node, stream="air", epoch=node.encode().ljust(16, b"."))


def assert_each_counts_once(store: MemoryStore, nodes: list[str], messages: int) -> None:
    expected = {("each", key_of(origin_of(node)), n): 1 for node in nodes for n in range(messages)}
    assert store.readings == expected


async def test_parts_of_several_nodes_are_merged_and_count_once(
    store: MemoryStore, start: Start, spawn: Spawn
) -> None:
    parent = Parent(store)
    async with parent.server:
        aggregator = await start(parent.server.address)
        nodes = [f"node-{n}" for n in range(4)]
        lanes = [CountingLane(PLAN, [origin_of(node)], messages=200) for node in nodes]
        for node, lane in zip(nodes, lanes, strict=True):
            spawn(uplink_to([aggregator.server.address], [lane], child=node).run())
        for lane in lanes:
            await lane.done.wait()
        assert_each_counts_once(store, nodes, 200)
        assert store.verdicts[Verdict.REFUSED] == 0
        assert parent.intake.counters.parts < 80


async def test_an_aggregator_stands_under_another(store: MemoryStore, start: Start, spawn: Spawn) -> None:
    parent = Parent(store)
    async with parent.server:
        upper = await start(parent.server.address, name="upper")
        lowers = [await start(upper.server.address, name=f"lower-{n}") for n in range(2)]
        nodes = [f"node-{n}" for n in range(4)]
        lanes = [CountingLane(PLAN, [origin_of(node)], messages=100) for node in nodes]
        for n, (node, lane) in enumerate(zip(nodes, lanes, strict=True)):
            spawn(uplink_to([lowers[n % 2].server.address], [lane], child=node).run())
        for lane in lanes:
            await lane.done.wait()
        assert_each_counts_once(store, nodes, 100)
        assert parent.intake.children == ("upper",)


async def test_a_broken_uplink_keeps_what_is_in_flight(
    store: MemoryStore, start: Start, spawn: Spawn
) -> None:
    parent = Parent(store)
    async with parent.server, Relay(parent.server.address) as link:
        aggregator = await start(link.address)
        lane = CountingLane(PLAN, [origin_of("node-1")], messages=50)
        lane.giving.close()
        spawn(uplink_to([aggregator.server.address], [lane], child="node-1").run())
        await lane.giving.reached()
        store.answering.close()
        lane.giving.open()
        await store.answering.reached()
        link.cut()
        store.answering.open()
        await lane.done.wait()
        assert_each_counts_once(store, ["node-1"], 50)
        assert lane.rounds == [0]
        assert store.verdicts[Verdict.DONE] >= 1


async def test_a_refusal_goes_down_to_the_nodes_it_concerns(
    store: MemoryStore, start: Start, spawn: Spawn
) -> None:
    parent = Parent(store)
    async with parent.server:
        aggregator = await start(parent.server.address)
        lanes = {node: CountingLane(PLAN, [origin_of(node)], messages=50) for node in ("a", "b")}
        for node, lane in lanes.items():
            lane.giving.close()
            spawn(uplink_to([aggregator.server.address], [lane], child=node).run())
        for lane in lanes.values():
            await lane.giving.reached()
        store.offsets[PLAN, origin_of("a")] = 3
        for n in range(3):
            store.readings["each", key_of(origin_of("a")), n] += 1
        for lane in lanes.values():
            lane.giving.open()
        for lane in lanes.values():
            await lane.done.wait()
        assert_each_counts_once(store, ["a", "b"], 50)
        assert lanes["a"].refusals == 1


async def test_a_node_that_moves_between_two_aggregators_counts_once(
    store: MemoryStore, start: Start, spawn: Spawn
) -> None:
    parent = Parent(store)
    async with parent.server:
        slow = MergeSettings(seal_after=SECOND // 2)
        first = await start(parent.server.address, name="first", merge=slow)
        second = await start(parent.server.address, name="second")
        async with Relay(first.server.address) as link:
            lane = CountingLane(PLAN, [origin_of("a")], messages=100)
            uplink = uplink_to([link.address, second.server.address], [lane], child="a")
            spawn(uplink.run())
            await lane.done.wait()
            # Pieces lie merged and unsealed at the first aggregator when the node goes to the second.
            lane.giving.close()
            lane.grow(200)
            await lane.giving.reached()
            lane.giving.open()
            link.refusing = True
            link.cut()
            await lane.done.wait()
            lane.grow(300)
            await lane.done.wait()
        assert_each_counts_once(store, ["a"], 300)


async def test_memory_stays_bounded_while_the_parent_is_away(
    store: MemoryStore, start: Start, spawn: Spawn
) -> None:
    parent = Parent(store)
    async with parent.server, Relay(parent.server.address) as link:
        merge = MergeSettings(part=2_000, in_flight=2, seal_after=10 * MILLISECOND)
        aggregator = await start(link.address, merge=merge, credit=1_000)
        lane = CountingLane(PLAN, [origin_of("a")], messages=1_000)
        lane.giving.close()
        spawn(uplink_to([aggregator.server.address], [lane], child="a").run())
        await lane.giving.reached()
        store.committing.close()
        lane.giving.open()
        await store.committing.reached()
        link.refusing = True
        link.cut()
        # Two parts in flight, one open, and a credit's worth below: far less than the journal holds.
        assert aggregator.sink.held_bytes <= 4 * 2_000 + 1_000
        assert lane.given <= 60
        link.refusing = False
        store.committing.open()
        await lane.done.wait()
        assert_each_counts_once(store, ["a"], 1_000)


async def test_stopping_sends_what_is_merged(store: MemoryStore, start: Start, spawn: Spawn) -> None:
    parent = Parent(store)
    async with parent.server:
        stopping = asyncio.Event()
        slow = MergeSettings(seal_after=60 * SECOND)
        aggregator = await start(parent.server.address, stopping=stopping, merge=slow)
        lane = CountingLane(PLAN, [origin_of("a")], messages=10)
        uplink = uplink_to([aggregator.server.address], [lane], child="a")
        spawn(uplink.run())
        await until(lambda: aggregator.sink.held_bytes > 0)
        stopping.set()
        await lane.done.wait()
        assert_each_counts_once(store, ["a"], 10)


async def _started(folder: Path, parent: str, port: int = 0) -> tuple[asyncio.subprocess.Process, int]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *(
            "-m",
            "aggregator",
            "--plaintext",
            "--name",
            "group-1",
            "--listen",
            f"127.0.0.1:{port}",
            "--parents",
            parent,
        ),
        *("--folder", str(folder), "--merge-seal-after", "20ms", "--link-backoff-base", "10ms"),
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    while line := await process.stderr.readline():
        if b'"listening"' in line:
            return process, int(line.split(b"127.0.0.1:")[1].split(b'"')[0])
    raise AssertionError("the aggregator did not start")


async def test_an_aggregator_that_is_killed_loses_nothing(
    store: MemoryStore, spawn: Spawn, tmp_path: Path
) -> None:
    parent = Parent(store)
    async with parent.server:
        process, port = await _started(tmp_path, parent.server.address)
        try:
            lane = CountingLane(PLAN, [origin_of("a")], messages=200)
            lane.giving.close()
            spawn(uplink_to([f"127.0.0.1:{port}"], [lane], child="a").run())
            await lane.giving.reached()
            store.answering.close()
            lane.giving.open()
            await store.answering.reached()
            process.kill()
            await process.wait()
            store.answering.open()
            process, _ = await _started(tmp_path, parent.server.address, port)
            await lane.done.wait()
            assert_each_counts_once(store, ["a"], 200)
            process.terminate()
            assert await process.wait() == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
