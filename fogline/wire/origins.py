"""Numbers for origins, valid for one stream: a contribution costs a few bytes, not its origin's names."""

from collections.abc import Iterable
from typing import Final

from fogline.model.errors import MalformedPart
from fogline.model.part import Offsets, Origin
from fogline.v1 import types_pb2, uplink_pb2

MAX_ORIGINS: Final = 200_000
"""Origins that one stream may name; a child that needs more opens a new stream."""
EPOCH_BYTES: Final = 16
MAX_NAME_BYTES: Final = 256


def origin_to_wire(origin: Origin) -> types_pb2.Origin:
    """An origin by its names."""
    return types_pb2.Origin(tenant=origin.tenant, node=origin.node, stream=origin.stream, epoch=origin.epoch)


def origin_from_wire(message: types_pb2.Origin) -> Origin:
    """An origin by its names.

    Raises :class:`MalformedPart` if one is missing or too long, or the epoch does not have 16 bytes.
    """
    for field, name in (("tenant", message.tenant), ("node", message.node), ("stream", message.stream)):
        if not name:
            raise MalformedPart(f"an origin without {field}")
        if len(name.encode()) > MAX_NAME_BYTES:
            raise MalformedPart(f"an origin whose {field} is longer than {MAX_NAME_BYTES} bytes")
    if len(message.epoch) != EPOCH_BYTES:
        raise MalformedPart(f"an epoch has {EPOCH_BYTES} bytes, not {len(message.epoch)}")
    return Origin(tenant=message.tenant, node=message.node, stream=message.stream, epoch=message.epoch)


class OriginNumbers:
    """Both directions of one stream's numbering. The sender of parts gives the numbers."""

    def __init__(self) -> None:
        self._by_number: dict[int, Origin] = {}
        self._by_origin: dict[Origin, int] = {}

    def __len__(self) -> int:
        return len(self._by_number)

    def name(self, origins: Iterable[Origin]) -> list[uplink_pb2.OriginName]:
        """Number the origins that have none yet; the messages must go out before a part that uses them."""
        names = []
        for origin in origins:
            if origin not in self._by_origin:
                number = len(self._by_number)
                self._put(number, origin)
                names.append(uplink_pb2.OriginName(number=number, origin=origin_to_wire(origin)))
        return names

    def learn(self, message: uplink_pb2.OriginName) -> Origin:
        """Take the other side's number for an origin. Raises :class:`MalformedPart` if either is known."""
        origin = origin_from_wire(message.origin)
        if message.number in self._by_number or origin in self._by_origin:
            raise MalformedPart(
                f"origin {origin} or its number {message.number} was named before on this stream"
            )
        if len(self._by_number) >= MAX_ORIGINS:
            raise MalformedPart(f"more than {MAX_ORIGINS} origins on one stream", hint="open a new stream")
        self._put(message.number, origin)
        return origin

    def number(self, origin: Origin) -> int:
        """The number of an origin that was named. Raises :class:`KeyError` for another."""
        return self._by_origin[origin]

    def origin(self, number: int) -> Origin:
        """The origin of a number. Raises :class:`MalformedPart` for one that was not named on this stream."""
        origin = self._by_number.get(number)
        if origin is None:
            raise MalformedPart(f"origin number {number} was not named on this stream")
        return origin

    def offsets_to_wire(self, offsets: Offsets) -> list[types_pb2.OriginOffset]:
        """Offsets by number; origins that this stream never named are none of its business and left out."""
        return [
            types_pb2.OriginOffset(origin=self._by_origin[origin], offset=offset)
            for origin, offset in offsets.items()
            if origin in self._by_origin
        ]

    def offsets_from_wire(self, messages: Iterable[types_pb2.OriginOffset]) -> dict[Origin, int]:
        """Offsets by origin. Raises :class:`MalformedPart` for a number that was not named."""
        return {self.origin(message.origin): message.offset for message in messages}

    def _put(self, number: int, origin: Origin) -> None:
        self._by_number[number] = origin
        self._by_origin[origin] = number
