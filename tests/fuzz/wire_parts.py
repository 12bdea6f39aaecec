"""One Part message of any bytes: read whole, or refused with its place."""

from contextlib import suppress

from google.protobuf.message import DecodeError

from fogline.engine.merge import encoded_size, merge, mergeable
from fogline.model.errors import MalformedPart
from fogline.model.part import Origin
from fogline.v1 import uplink_pb2
from fogline.wire.origins import OriginNumbers, origin_to_wire
from fogline.wire.part import part_from_wire


def one_part(data: bytes) -> None:
    """What is read can be merged with itself, or says that it cannot."""
    origins = OriginNumbers()
    for number in range(3):
        origin = Origin(tenant="main", node="n", stream=f"s{number}", epoch=bytes(16))
        origins.learn(uplink_pb2.OriginName(number=number, origin=origin_to_wire(origin)))
    with suppress(DecodeError, MalformedPart):
        part = part_from_wire(uplink_pb2.Part.FromString(data), origins)
        assert encoded_size(part.state) >= 0
        if mergeable(part.state, part.state):
            merge(part.state, part.state)
