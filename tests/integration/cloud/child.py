"""A child of the cloud by hand: says what it is told to on one Push stream, and hears the answer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar

import grpc

from fogline.engine.state import PartState
from fogline.model.part import Part
from fogline.uplink.dial import channel_to
from fogline.v1 import control_pb2, uplink_pb2, uplink_pb2_grpc
from fogline.wire.origins import OriginNumbers
from fogline.wire.part import part_to_wire

Response_co = TypeVar("Response_co", covariant=True)


class Readable(Protocol[Response_co]):
    """A call that streams responses."""

    def __aiter__(self) -> AsyncIterator[Response_co]: ...


async def heard(call: Readable[Response_co]) -> Response_co:
    """The next response of a call. Raises what the call ended with."""
    return await anext(aiter(call))


def state_in(told: control_pb2.AttachResponse) -> control_pb2.DesiredState:
    """What a child is told to run."""
    return control_pb2.DesiredState.FromString(told.signed.content)


class LaneFailed(Exception):
    """The parent ended the round without an answer."""


class Child:
    """One lane of one stream."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self._origins = OriginNumbers()
        self._round = 0

    async def push(self, part: Part[PartState]) -> tuple[str, dict[str, int], bytes]:
        """Send a part; (ack or refusal, node to offset, incarnation)."""
        for name in self._origins.name(c.origin for c in part.contributions):
            await self._call.write(uplink_pb2.PushRequest(origin_name=name))
        wire = part_to_wire(part, self._origins, lane=1, round_=self._round)
        await self._call.write(uplink_pb2.PushRequest(part=wire))
        while True:
            response = await self._call.read()
            if response is grpc.aio.EOF:
                raise ConnectionError(await self._call.details())
            kind = response.WhichOneof("kind")
            if kind == "lane_failed":
                raise LaneFailed(response.lane_failed.reason)
            if kind in ("ack", "refusal"):
                told = getattr(response, kind)
                offsets = self._origins.offsets_from_wire(told.offsets)
                return kind, {origin.node: offset for origin, offset in offsets.items()}, told.incarnation


@asynccontextmanager
async def child_of(address: str, plan: str, name: str = "n1") -> AsyncIterator[Child]:
    """A stream with a lane for this plan."""
    async with channel_to(address) as channel:
        call = uplink_pb2_grpc.UplinkServiceStub(channel).Push()
        await call.write(uplink_pb2.PushRequest(hello=uplink_pb2.Hello(protocol=1, child=name)))
        opened = uplink_pb2.LaneOpened(lane=1, plan=plan, round=0)
        await call.write(uplink_pb2.PushRequest(lane_opened=opened))
        try:
            yield Child(call)
        finally:
            call.cancel()
