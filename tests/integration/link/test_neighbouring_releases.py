"""Tiers are upgraded one after another: each speaks with a neighbour that is one version older or newer."""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from fogline.model.part import Origin
from fogline.model.protocol import Spoken
from fogline.testing.control import ControlParent, MemoryHub, desired_state
from fogline.testing.lane import CountingLane
from fogline.testing.parents import Parent, uplink_to
from fogline.testing.store import MemoryStore
from fogline.testing.until import until
from fogline.uplink.dial import channel_to
from fogline.v1 import control_pb2, control_pb2_grpc

Spawn = Callable[[Any], "asyncio.Task[Any]"]
BEFORE = Spoken(oldest=1, newest=2)
NOW = Spoken(oldest=2, newest=3)
LATER = Spoken(oldest=3, newest=4)
LONG_AFTER = Spoken(oldest=6, newest=7)


@pytest.mark.parametrize(("child", "parent"), [(BEFORE, NOW), (NOW, NOW), (LATER, NOW)])
async def test_parts_travel_between_neighbours(
    child: Spoken, parent: Spoken, store: MemoryStore, origin: Origin, spawn: Spawn
) -> None:
    above = Parent(store, spoken=parent)
    async with above.server:
        lane = CountingLane("p", [origin], messages=25)
        spawn(uplink_to([above.server.address], [lane], spoken=child).run())
        await lane.done.wait()
    assert store.offsets == {("p", origin): 25}


@pytest.mark.parametrize(("child", "parent"), [(BEFORE, LONG_AFTER), (LONG_AFTER, NOW)])
async def test_a_child_that_is_too_far_away_is_refused_and_goes_to_the_next_parent(
    child: Spoken, parent: Spoken, store: MemoryStore, origin: Origin, spawn: Spawn
) -> None:
    other, own = Parent(MemoryStore(), spoken=parent), Parent(store, spoken=child)
    async with other.server, own.server:
        lane = CountingLane("p", [origin], messages=25)
        spawn(uplink_to([other.server.address, own.server.address], [lane], spoken=child).run())
        await lane.done.wait()
    assert other.intake.counters.malformed >= 1


@pytest.mark.parametrize("version", [2, 3, 4])
async def test_desired_state_reaches_neighbours(version: int) -> None:
    hub = MemoryHub(desired_state(5, "p"))
    parent = ControlParent(hub, spoken=NOW)
    async with parent.server, channel_to(parent.server.address) as channel:
        call = control_pb2_grpc.ControlServiceStub(channel).Attach()
        await call.write(control_pb2.AttachRequest(protocol=version, child="n", role="node"))
        answer = await call.read()
        assert isinstance(answer, control_pb2.AttachResponse)
        await until(lambda: "n" in hub.reports)
        call.cancel()


async def test_a_control_stream_of_a_release_too_far_away_is_refused() -> None:
    parent = ControlParent(MemoryHub(desired_state(5)), spoken=NOW)
    async with parent.server, channel_to(parent.server.address) as channel:
        call = control_pb2_grpc.ControlServiceStub(channel).Attach()
        await call.write(control_pb2.AttachRequest(protocol=1, child="n", role="node"))
        with pytest.raises(grpc.aio.AioRpcError, match="protocol 1 is not spoken here") as refused:
            await call.read()
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
