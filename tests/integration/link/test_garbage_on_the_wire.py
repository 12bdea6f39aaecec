"""Whatever comes in: the stream ends with INVALID_ARGUMENT, is counted, and the server goes on."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import grpc
import pytest

from fogline.engine.state import PartState
from fogline.model.part import Contribution, Origin, Part
from fogline.testing.lane import CountingLane, state_of
from fogline.testing.parents import Parent, uplink_to
from fogline.testing.store import MemoryStore
from fogline.uplink.dial import channel_to
from fogline.v1 import uplink_pb2
from fogline.wire.origins import OriginNumbers
from fogline.wire.part import part_to_wire

METHOD = "/fogline.v1.UplinkService/Push"
ORIGIN = Origin(tenant="main", node="n", stream="s", epoch=b"e" * 16)


async def _read_out(call: grpc.aio.StreamStreamCall[bytes, bytes]) -> None:
    with contextlib.suppress(grpc.aio.AioRpcError):
        async for _ in call:
            pass


@dataclass(frozen=True, slots=True)
class Ending:
    code: grpc.StatusCode
    details: str
    streams: int


async def ending(address: str, messages: Sequence[bytes]) -> Ending:
    """Send raw bytes on a new stream; what the stream ended with.

    A client that still writes when the server has ended the stream may lose its status: then once more.
    """
    for streams in range(1, 50):
        async with channel_to(address) as channel:
            raw: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(METHOD)
            call = raw(iter(messages))
            reading = asyncio.ensure_future(_read_out(call))
            code, details = await call.code(), await call.details() or ""
            reading.cancel()
            if details != "Internal error from Core":
                return Ending(code, details, streams)
    raise AssertionError("the status was lost each time")


def conversation() -> list[uplink_pb2.PushRequest]:
    """A stream that is in order."""
    numbers = OriginNumbers()
    names = numbers.name([ORIGIN])
    contribution = Contribution(origin=ORIGIN, start=0, first=0, end=3)
    part: Part[PartState] = Part(contributions=(contribution,), state=state_of(contribution))
    return [
        uplink_pb2.PushRequest(hello=uplink_pb2.Hello(protocol=1, child="n")),
        uplink_pb2.PushRequest(lane_opened=uplink_pb2.LaneOpened(lane=0, plan="p", round=0)),
        *(uplink_pb2.PushRequest(origin_name=name) for name in names),
        uplink_pb2.PushRequest(part=part_to_wire(part, numbers, lane=0, round_=0)),
    ]


def test_the_examples_are_built_on_a_good_conversation() -> None:
    assert [message.WhichOneof("kind") for message in conversation()] == [
        "hello",
        "lane_opened",
        "origin_name",
        "part",
    ]


async def test_a_good_conversation_ends_well(parent: Parent, store: MemoryStore) -> None:
    end = await ending(parent.server.address, [m.SerializeToString() for m in conversation()])
    assert end.code is grpc.StatusCode.OK
    assert store.offsets == {("p", ORIGIN): 3}
    assert parent.intake.counters.malformed == 0


MISTAKES: list[tuple[str, list[uplink_pb2.PushRequest], str]] = [
    ("no hello", conversation()[1:], "begins with a hello"),
    ("nothing at all", [], "begins with a hello"),
    (
        "another protocol",
        [uplink_pb2.PushRequest(hello=uplink_pb2.Hello(protocol=9, child="n"))],
        "protocol 9 is not spoken here",
    ),
    ("no name", [uplink_pb2.PushRequest(hello=uplink_pb2.Hello(protocol=1))], "a child's name"),
    ("two hellos", [conversation()[0]] * 2, "a second hello"),
    ("an empty request", [conversation()[0], uplink_pb2.PushRequest()], "says nothing"),
    ("a part without its lane", [conversation()[0], conversation()[2], conversation()[3]], "not opened"),
    ("a part without its origin", [*conversation()[:2], conversation()[3]], "was not named"),
    ("an origin twice", [*conversation()[:3], conversation()[2]], "named before"),
    ("a round twice", [*conversation()[:2], conversation()[1]], "round 0"),
    (
        "a lane without plan",
        [conversation()[0], uplink_pb2.PushRequest(lane_opened=uplink_pb2.LaneOpened(lane=1))],
        "a plan's name",
    ),
]


@pytest.mark.parametrize(
    ("messages", "words"), [(m, w) for _, m, w in MISTAKES], ids=[name for name, _, _ in MISTAKES]
)
async def test_a_stream_that_breaks_the_protocol_is_ended_with_the_reason(
    parent: Parent, messages: list[uplink_pb2.PushRequest], words: str
) -> None:
    end = await ending(parent.server.address, [m.SerializeToString() for m in messages])
    assert end.code is grpc.StatusCode.INVALID_ARGUMENT
    assert words in end.details
    assert parent.intake.counters.malformed == end.streams


async def test_random_and_broken_bytes_never_bring_the_server_down(
    parent: Parent, store: MemoryStore
) -> None:
    rng = Random(11)
    good = [m.SerializeToString() for m in conversation()]
    ended = 0
    for _ in range(150):
        messages = list(good)
        at = rng.randrange(len(messages))
        broken = bytearray(messages[at])
        for _ in range(rng.randint(1, 4)):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        messages[at] = rng.choice(
            [bytes(broken), rng.randbytes(rng.randint(0, 80)), bytes(broken[: len(broken) // 2])]
        )
        end = await ending(parent.server.address, [bytes(m) for m in messages])
        assert end.code in {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT}, end.details
        if end.code is grpc.StatusCode.INVALID_ARGUMENT:
            ended += end.streams
    assert ended > 50
    assert parent.intake.counters.malformed == ended
    assert parent.server.edge.failed == 0
    assert store.open_lanes == []


async def test_a_child_in_order_is_served_beside_one_that_is_not(
    parent: Parent, store: MemoryStore, origin: Origin
) -> None:
    lane = CountingLane("p", [origin], messages=50)
    uplink = uplink_to([parent.server.address], [lane])
    lane.giving.close()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(uplink.run())
        await lane.giving.reached()
        end = await ending(parent.server.address, [b"\xff" * 40])
        assert end.code is grpc.StatusCode.INVALID_ARGUMENT
        lane.giving.open()
        await lane.done.wait()
        running.cancel()
    assert uplink.counters.streams == 1


async def test_a_child_that_overruns_its_credit_is_ended(store: MemoryStore) -> None:
    parent = Parent(store, credit_bytes=100)
    store.committing.close()
    hello, opened, name, part = conversation()
    async with parent.server:
        messages = [m.SerializeToString() for m in (hello, opened, name, part, part, part)]
        end = await ending(parent.server.address, messages)
    assert end.code is grpc.StatusCode.INVALID_ARGUMENT
    assert "credit" in end.details
