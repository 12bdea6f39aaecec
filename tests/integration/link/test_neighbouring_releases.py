"""Tiers are upgraded one after another: each speaks with a neighbour that is one version older or newer."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

import grpc
import pytest

from fogline.control.client import ControlClient
from fogline.model.clock import SystemClock
from fogline.model.part import Origin
from fogline.model.protocol import Spoken
from fogline.service.server import Server
from fogline.testing.control import ControlParent, MemoryHub, desired_state
from fogline.testing.lane import CountingLane
from fogline.testing.parents import Parent, uplink_to
from fogline.testing.store import MemoryStore
from fogline.testing.until import until
from fogline.uplink.backoff import Backoff
from fogline.uplink.dial import channel_to
from fogline.uplink.settings import LinkSettings
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
        assert answer.protocol == min(version, 3)
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


@pytest.mark.parametrize(("child", "parent"), [(BEFORE, NOW), (NOW, NOW), (LATER, NOW)])
async def test_control_streams_of_neighbours_go_on_in_what_the_older_one_speaks(
    child: Spoken, parent: Spoken, spawn: Spawn
) -> None:
    hub = MemoryHub(desired_state(5, "p"))
    above = ControlParent(hub, spoken=parent)
    told: asyncio.Queue[control_pb2.AttachResponse] = asyncio.Queue()
    async with above.server:
        spawn(control_to([above.server.address], told, spoken=child).run())
        answer = await told.get()
    assert answer.protocol == min(child.newest, parent.newest)


@pytest.mark.parametrize("chosen", [0, 5])
async def test_a_parent_that_chose_what_a_child_does_not_speak_is_left_for_the_next(
    chosen: int, spawn: Spawn
) -> None:
    class Stubborn(control_pb2_grpc.ControlServiceServicer):
        async def Attach(  # type: ignore[override]  # noqa: N802 - the contract's name; it writes, not yields
            self, request_iterator: Any, context: Any
        ) -> None:
            await context.write(control_pb2.AttachResponse(protocol=chosen))
            async for _ in request_iterator:
                pass

    stubborn = Server(listen="127.0.0.1:0", grace_s=0.2)
    stubborn.add(
        "fogline.v1.ControlService",
        lambda server: control_pb2_grpc.add_ControlServiceServicer_to_server(Stubborn(), server),
    )
    own = ControlParent(MemoryHub(desired_state(5, "p")), spoken=NOW)
    told: asyncio.Queue[control_pb2.AttachResponse] = asyncio.Queue()
    async with stubborn, own.server:
        spawn(control_to([stubborn.address, own.server.address], told, spoken=NOW).run())
        assert (await told.get()).protocol == NOW.newest, "0: of a release that spoke version 1 alone"


def control_to(
    parents: list[str], told: "asyncio.Queue[control_pb2.AttachResponse]", *, spoken: Spoken
) -> ControlClient:
    def report() -> control_pb2.AttachRequest:
        return control_pb2.AttachRequest(child="n", role="node")

    settings = LinkSettings(tries=1, backoff=Backoff(base=0.01, cap=0.01))
    return ControlClient(
        parents=parents,
        report=report,
        accept=told.put,
        clock=SystemClock(),
        rng=Random(1),
        settings=settings,
        spoken=spoken,
    )
