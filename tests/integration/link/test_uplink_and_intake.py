"""A child and its parent over real sockets: what is promised when the link or one of them breaks."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from fogline.intake.judgement import Verdict
from fogline.model.part import Origin
from fogline.testing.clock import ManualClock
from fogline.testing.lane import CountingLane, key_of
from fogline.testing.parents import IMPATIENT, Parent, uplink_to
from fogline.testing.relay import Relay
from fogline.testing.store import MemoryStore
from fogline.testing.until import until
from fogline.uplink.settings import LinkSettings
from tests.integration.link.counting import assert_each_counts_once

Spawn = Callable[[Any], "asyncio.Task[Any]"]
PLAN = "0123456789abcdef"


async def test_every_message_arrives_and_counts_once(
    parent: Parent, store: MemoryStore, origin: Origin, spawn: Spawn
) -> None:
    lane = CountingLane(PLAN, [origin], messages=95)
    spawn(uplink_to([parent.server.address], [lane]).run())
    await lane.done.wait()
    assert_each_counts_once(store, [origin], 95)
    assert store.verdicts[Verdict.REFUSED] == 0


async def test_a_part_whose_ack_was_lost_counts_once(
    parent: Parent, store: MemoryStore, origin: Origin, spawn: Spawn
) -> None:
    async with Relay(parent.server.address) as link:
        lane = CountingLane(PLAN, [origin], messages=30)
        lane.giving.close()
        spawn(uplink_to([link.address], [lane]).run())
        await lane.giving.reached()
        store.answering.close()
        lane.giving.open()
        await store.answering.reached()
        assert store.offsets[PLAN, origin] == 10
        assert lane.committed == {origin: 0}
        link.cut()
        store.answering.open()
        await lane.done.wait()
    assert_each_counts_once(store, [origin], 30)
    assert lane.rounds == [0, 0]


async def test_a_part_that_never_reached_the_store_is_sent_again(
    parent: Parent, store: MemoryStore, origin: Origin, spawn: Spawn
) -> None:
    async with Relay(parent.server.address) as link:
        lane = CountingLane(PLAN, [origin], messages=30)
        lane.giving.close()
        spawn(uplink_to([link.address], [lane]).run())
        await lane.giving.reached()
        link.up.close()
        lane.giving.open()
        await link.up.reached()
        link.cut()
        link.up.open()
        await lane.done.wait()
    assert_each_counts_once(store, [origin], 30)


async def test_a_refusal_in_mid_pipeline_begins_a_round_at_the_stores_offset(
    parent: Parent, store: MemoryStore, origin: Origin, spawn: Spawn
) -> None:
    lane = CountingLane(PLAN, [origin], messages=60)
    lane.giving.close()
    spawn(uplink_to([parent.server.address], [lane]).run())
    await lane.giving.reached()
    store.committing.close()
    lane.giving.open()
    await store.committing.reached()
    # Meanwhile a piece that overlaps comes in on another path: messages 0 to 14.
    store.offsets[PLAN, origin] = 15
    for n in range(15):
        store.readings["each", key_of(origin), n] += 1
    store.committing.open()
    await lane.done.wait()
    assert_each_counts_once(store, [origin], 60)
    assert lane.refusals == 1
    assert lane.rounds == [0, 1]


async def test_two_children_with_one_origin_never_count_a_message_twice(
    parent: Parent, store: MemoryStore, origin: Origin, spawn: Spawn
) -> None:
    lanes = [CountingLane(PLAN, [origin], messages=200, cut=cut) for cut in (7, 11)]
    for name, lane in zip(("zombie", "node"), lanes, strict=True):
        spawn(uplink_to([parent.server.address], [lane], child=name).run())
    for lane in lanes:
        await lane.done.wait()
    assert_each_counts_once(store, [origin], 200)


async def test_a_parent_that_restarts_loses_nothing(store: MemoryStore, origin: Origin, spawn: Spawn) -> None:
    first = Parent(store)
    async with first.server, Relay(first.server.address) as link:
        lane = CountingLane(PLAN, [origin], messages=100)
        spawn(uplink_to([link.address], [lane]).run())
        await lane.done.wait()
        lane.giving.close()
        lane.grow(200)
        await lane.giving.reached()
        await first.server.stop()
        second = Parent(store)
        async with second.server:
            link.target = second.server.address
            lane.giving.open()
            await lane.done.wait()
    assert_each_counts_once(store, [origin], 200)


async def test_a_child_moves_to_the_next_parent_and_comes_back(
    store: MemoryStore, origin: Origin, spawn: Spawn
) -> None:
    first, second = Parent(store, name="first"), Parent(store, name="second")
    async with first.server, second.server, Relay(first.server.address) as link:
        lane = CountingLane(PLAN, [origin], messages=10)
        uplink = uplink_to([link.address, second.server.address], [lane])
        spawn(uplink.run())
        await lane.done.wait()
        assert uplink.parent == "first"
        link.refusing = True
        link.cut()
        lane.grow(20)
        await lane.done.wait()
        assert uplink.parent == "second"
        taken = first.intake.counters.parts
        link.refusing = False
        while uplink.parent != "first":
            lane.grow(store.offsets[PLAN, origin] + 10)
            await lane.done.wait()
        messages = store.offsets[PLAN, origin] + 10
        lane.grow(messages)
        await lane.done.wait()
        assert first.intake.counters.parts > taken
    assert_each_counts_once(store, [origin], messages)


async def test_silence_while_something_is_in_flight_ends_the_stream(
    parent: Parent, store: MemoryStore, origin: Origin, spawn: Spawn
) -> None:
    clock = ManualClock()
    lane = CountingLane(PLAN, [origin], messages=10)
    store.answering.close()
    uplink = uplink_to(
        [parent.server.address], [lane], clock=clock, settings=LinkSettings(answer_within=30.0, tries=1)
    )
    spawn(uplink.run())
    await store.answering.reached()
    assert uplink.counters.streams == 1
    store.answering.close()
    while uplink.counters.streams < 2:
        await clock.advance(5.0)
    await store.answering.reached()
    assert clock.monotonic() >= 30.0
    store.answering.open()
    await lane.done.wait()
    assert_each_counts_once(store, [origin], 10)


async def test_a_link_that_swallows_everything_is_left_and_what_comes_out_late_counts_once(
    store: MemoryStore, origin: Origin, spawn: Spawn
) -> None:
    """Nobody hears that it broke: first the answers are gone, then all, and in the end it lets go of what it had."""
    clock = ManualClock()
    first, second = Parent(store, name="first"), Parent(store, name="second")
    # Only the silence may end a stream: how long a dial takes is the machine's affair.
    settings = LinkSettings(tries=1, answer_within=30.0, greeting_within=1e6)
    async with first.server, second.server, Relay(first.server.address) as link:
        lane = CountingLane(PLAN, [origin], messages=10)
        uplink = uplink_to([link.address, second.server.address], [lane], clock=clock, settings=settings)
        spawn(uplink.run())
        await lane.done.wait()
        link.down.close()
        lane.grow(20)
        await until(lambda: store.offsets[PLAN, origin] == 20)
        link.up.close()
        lane.grow(30)
        await link.up.reached()
        while not second.intake.counters.streams:
            await clock.advance(5.0)
        await lane.done.wait()
        assert uplink.parent == "second"
        link.up.open()
        lane.grow(40)
        await lane.done.wait()
    assert_each_counts_once(store, [origin], 40)


async def test_a_newer_stream_of_the_same_child_ends_the_older(
    parent: Parent, store: MemoryStore, origin: Origin, spawn: Spawn
) -> None:
    lane = CountingLane(PLAN, [origin], messages=10)
    older = spawn(uplink_to([parent.server.address], [lane]).run())
    await lane.done.wait()
    again = CountingLane(PLAN, [origin], messages=20)
    spawn(uplink_to([parent.server.address], [again]).run())
    await again.done.wait()
    assert parent.intake.counters.replaced >= 1
    older.cancel()
    assert_each_counts_once(store, [origin], 20)
    assert {lane.child for lane in store.open_lanes} == {"node-1"}


async def test_a_stream_that_ends_leaves_no_task_behind(parent: Parent, origin: Origin, spawn: Spawn) -> None:
    before = asyncio.all_tasks()
    lane = CountingLane(PLAN, [origin], messages=10)
    running = spawn(uplink_to([parent.server.address], [lane]).run())
    await lane.done.wait()
    running.cancel()
    await asyncio.wait((running,))

    def left() -> list[str]:
        names = (getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks() - before)
        # gRPC's server keeps tasks of its own.
        return [name for name in names if not name.startswith("AioServer.")]

    await until(lambda: not left(), within=60)


async def test_a_clean_end_waits_for_the_answers(
    parent: Parent, store: MemoryStore, origin: Origin, spawn: Spawn
) -> None:
    lane = CountingLane(PLAN, [origin], messages=10)
    store.answering.close()
    settings = LinkSettings(tries=1, drain_within=60.0)
    uplink = uplink_to([parent.server.address], [lane], settings=settings)
    running = spawn(uplink.run())
    await store.answering.reached()
    uplink.stop()
    store.answering.open()
    await running
    assert lane.committed == {origin: store.offsets[PLAN, origin]}
    assert store.open_lanes == []


@pytest.mark.parametrize("parts", [1, 4])
async def test_a_parent_that_stops_says_so_and_lets_go(
    store: MemoryStore, origin: Origin, spawn: Spawn, parts: int
) -> None:
    parent = Parent(store)
    async with parent.server:
        lane = CountingLane(PLAN, [origin], messages=10 * parts)
        spawn(uplink_to([parent.server.address], [lane], settings=IMPATIENT).run())
        await lane.done.wait()
    assert store.open_lanes == []
    assert parent.intake.children == ()
