"""Lanes side by side in one stream: each has its credit, its rounds and its failures for itself."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from fogline.engine.state import PartState
from fogline.model.errors import DataLoss
from fogline.model.part import Origin, Part
from fogline.testing.clock import ManualClock
from fogline.testing.lane import CountingLane, key_of
from fogline.testing.parents import Parent, uplink_to
from fogline.testing.store import MemoryStore
from fogline.testing.until import until
from fogline.uplink import session
from fogline.uplink.settings import LinkSettings
from tests.integration.link.counting import assert_each_counts_once

Spawn = Callable[[Any], "asyncio.Task[Any]"]
PLAN = "0123456789abcdef"


async def test_a_lane_goes_on_when_its_journal_grows(
    parent: Parent, store: MemoryStore, origin: Origin, spawn: Spawn
) -> None:
    lane = CountingLane(PLAN, [origin], messages=5)
    spawn(uplink_to([parent.server.address], [lane]).run())
    await lane.done.wait()
    lane.grow(25)
    await lane.done.wait()
    assert_each_counts_once(store, [origin], 25)
    assert lane.rounds == [0]


async def test_a_refused_lane_does_not_rewind_another(
    parent: Parent, store: MemoryStore, origin: Origin, spawn: Spawn
) -> None:
    lane = CountingLane(PLAN, [origin], messages=60)
    other = CountingLane("fedcba9876543210", [origin], messages=60)
    lane.giving.close()
    spawn(uplink_to([parent.server.address], [lane, other]).run())
    await lane.giving.reached()
    await other.done.wait()
    store.offsets[PLAN, origin] = 5
    lane.giving.open()
    await lane.done.wait()
    assert lane.rounds == [0, 1]
    assert other.rounds == [0]
    assert store.offsets == {(PLAN, origin): 60, ("fedcba9876543210", origin): 60}


async def test_no_more_than_the_credit_is_under_way(store: MemoryStore, origin: Origin, spawn: Spawn) -> None:
    parent = Parent(store, credit_bytes=1_000)
    async with parent.server:
        lane = CountingLane(PLAN, [origin], messages=300)
        store.committing.close()
        spawn(uplink_to([parent.server.address], [lane]).run())
        store.committing.open()
        await lane.done.wait()
        assert_each_counts_once(store, [origin], 300)
        # The intake ends a stream that overruns its credit.
        assert parent.intake.counters.malformed == 0
        assert parent.intake.counters.streams == 1


async def test_a_part_larger_than_the_whole_credit_comes_through_alone(
    store: MemoryStore, origin: Origin, spawn: Spawn
) -> None:
    parent = Parent(store, credit_bytes=64)
    async with parent.server:
        lane = CountingLane(PLAN, [origin], messages=300, cut=100)
        spawn(uplink_to([parent.server.address], [lane]).run())
        await lane.done.wait()
        assert_each_counts_once(store, [origin], 300)
        assert parent.intake.counters.malformed == 0


async def test_a_lane_that_waits_for_credit_hears_of_its_refusal(
    store: MemoryStore, origin: Origin, spawn: Spawn
) -> None:
    parent = Parent(store, credit_bytes=400)
    async with parent.server:
        lane = CountingLane(PLAN, [origin], messages=100)
        lane.giving.close()
        spawn(uplink_to([parent.server.address], [lane]).run())
        await lane.giving.reached()
        store.offsets[PLAN, origin] = 4
        for n in range(4):
            store.readings["each", key_of(origin), n] += 1
        lane.giving.open()
        await lane.done.wait()
        assert_each_counts_once(store, [origin], 100)
        assert parent.intake.counters.malformed == 0


async def test_lanes_come_and_go_while_the_stream_stays(
    parent: Parent, store: MemoryStore, origin: Origin, spawn: Spawn
) -> None:
    first = CountingLane(PLAN, [origin], messages=10)
    uplink = uplink_to([parent.server.address], [first])
    spawn(uplink.run())
    await first.done.wait()
    second = CountingLane("second", [origin], messages=10)
    uplink.lanes.add(second)
    await second.done.wait()
    uplink.lanes.remove(PLAN)
    replaced = CountingLane("second", [origin], messages=30)
    uplink.lanes.add(replaced)
    await replaced.done.wait()
    assert uplink.counters.streams == 1
    assert store.offsets == {(PLAN, origin): 10, ("second", origin): 30}


async def test_a_lane_that_the_parent_cannot_take_stops_only_itself(
    parent: Parent, store: MemoryStore, origin: Origin, spawn: Spawn
) -> None:
    store.unknown.add("poison")
    stuck = CountingLane("poison", [origin], messages=20)
    lane = CountingLane(PLAN, [origin], messages=20)
    uplink = uplink_to([parent.server.address], [stuck, lane])
    spawn(uplink.run())
    await lane.done.wait()
    await until(lambda: uplink.faults == {"poison": "there is no plan poison (ask later)"})
    lane.grow(200)
    await lane.done.wait()
    assert lane.rounds == [0]
    assert uplink.counters.streams == 1
    store.unknown.clear()
    await stuck.done.wait()
    assert uplink.faults == {}
    assert store.offsets == {(PLAN, origin): 200, ("poison", origin): 20}


async def test_a_part_that_cannot_be_committed_now_comes_again(
    parent: Parent, store: MemoryStore, origin: Origin, spawn: Spawn
) -> None:
    store.busy = 3
    lane = CountingLane(PLAN, [origin], messages=50)
    uplink = uplink_to([parent.server.address], [lane])
    spawn(uplink.run())
    await lane.done.wait()
    assert lane.rounds == [0, 1, 2, 3]
    assert uplink.counters.streams == 1
    assert_each_counts_once(store, [origin], 50)


async def test_a_lane_that_cannot_give_a_part_rests_and_begins_anew(
    parent: Parent, store: MemoryStore, origin: Origin, spawn: Spawn
) -> None:
    class Broken(CountingLane):
        broken = 2

        async def next_part(self) -> Part[PartState]:
            if self.broken:
                self.broken -= 1
                raise DataLoss("a block fails its checksum")
            return await super().next_part()

    lane = Broken(PLAN, [origin], messages=50)
    spawn(uplink_to([parent.server.address], [lane]).run())
    await lane.done.wait()
    assert lane.rounds == [0, 1, 2]
    assert_each_counts_once(store, [origin], 50)


async def test_a_part_that_fits_into_no_message_stops_its_own_plan_alone(
    parent: Parent, store: MemoryStore, origin: Origin, spawn: Spawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "LARGEST", 2_000)
    giant = CountingLane("giant", [origin], messages=1_000, cut=1_000)
    small = CountingLane(PLAN, [origin], messages=50)
    uplink = uplink_to([parent.server.address], [giant, small])
    spawn(uplink.run())
    await small.done.wait()
    await until(lambda: "does not fit into one message" in uplink.faults.get("giant", ""), within=60)
    small.grow(100)
    await small.done.wait()
    assert uplink.counters.streams == 1
    assert giant.committed == {origin: 0}


async def test_one_silent_lane_begins_a_new_round_and_the_stream_stays(
    parent: Parent, store: MemoryStore, origin: Origin, spawn: Spawn
) -> None:
    clock = ManualClock()
    store.silent.add("silent")
    silent = CountingLane("silent", [origin], messages=10)
    lane = CountingLane(PLAN, [origin], messages=10)
    uplink = uplink_to(
        [parent.server.address], [silent, lane], clock=clock, settings=LinkSettings(answer_within=30.0)
    )
    spawn(uplink.run())
    await lane.done.wait()
    while not silent.done.is_set():
        await clock.advance(5.0)
        lane.grow(store.offsets[PLAN, origin] + 10)
        await lane.done.wait()
        if len(silent.rounds) == 2:
            store.silent.clear()
    assert len(silent.rounds) > 1
    assert uplink.counters.streams == 1
    assert lane.rounds == [0]
