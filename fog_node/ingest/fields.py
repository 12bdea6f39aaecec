"""The fields that packets are made of, read one after the other."""

from enum import IntEnum
from typing import Final

from fog_node.ingest.frames import check_topic, read_text
from fog_node.ingest.packets import MalformedPacket, Reason


class Property(IntEnum):
    """Identifiers of MQTT 5 properties; each packet has its own choice of them."""

    PAYLOAD_FORMAT = 0x01
    MESSAGE_EXPIRY = 0x02
    CONTENT_TYPE = 0x03
    RESPONSE_TOPIC = 0x08
    CORRELATION = 0x09
    SUBSCRIPTION_ID = 0x0B
    SESSION_EXPIRY = 0x11
    ASSIGNED_CLIENT = 0x12
    SERVER_KEEP_ALIVE = 0x13
    AUTHENTICATION_METHOD = 0x15
    AUTHENTICATION_DATA = 0x16
    REQUEST_PROBLEM_INFORMATION = 0x17
    WILL_DELAY = 0x18
    REQUEST_RESPONSE_INFORMATION = 0x19
    RESPONSE_INFORMATION = 0x1A
    SERVER_REFERENCE = 0x1C
    REASON_STRING = 0x1F
    RECEIVE_MAXIMUM = 0x21
    TOPIC_ALIAS_MAXIMUM = 0x22
    TOPIC_ALIAS = 0x23
    MAXIMUM_QOS = 0x24
    RETAIN_AVAILABLE = 0x25
    USER_PROPERTY = 0x26
    MAXIMUM_PACKET_SIZE = 0x27
    WILDCARDS_AVAILABLE = 0x28
    IDENTIFIERS_AVAILABLE = 0x29
    SHARED_AVAILABLE = 0x2A


SIZES: Final = {
    Property.PAYLOAD_FORMAT: 1,
    Property.MESSAGE_EXPIRY: 4,
    Property.SESSION_EXPIRY: 4,
    Property.REQUEST_PROBLEM_INFORMATION: 1,
    Property.WILL_DELAY: 4,
    Property.REQUEST_RESPONSE_INFORMATION: 1,
    Property.RECEIVE_MAXIMUM: 2,
    Property.TOPIC_ALIAS_MAXIMUM: 2,
    Property.TOPIC_ALIAS: 2,
    Property.MAXIMUM_PACKET_SIZE: 4,
    Property.SERVER_KEEP_ALIVE: 2,
    Property.MAXIMUM_QOS: 1,
    Property.RETAIN_AVAILABLE: 1,
    Property.WILDCARDS_AVAILABLE: 1,
    Property.IDENTIFIERS_AVAILABLE: 1,
    Property.SHARED_AVAILABLE: 1,
}
"""Bytes of the numbers; the others are text, binary data or, once, a variable integer."""
BINARY: Final = frozenset({Property.CORRELATION, Property.AUTHENTICATION_DATA})
FLAGS: Final = frozenset(
    {
        Property.PAYLOAD_FORMAT,
        Property.REQUEST_PROBLEM_INFORMATION,
        Property.REQUEST_RESPONSE_INFORMATION,
        Property.MAXIMUM_QOS,
        Property.RETAIN_AVAILABLE,
        Property.WILDCARDS_AVAILABLE,
        Property.IDENTIFIERS_AVAILABLE,
        Property.SHARED_AVAILABLE,
    }
)


class Reader:
    """Takes fields out of bytes. Every method raises :class:`MalformedPacket` when the bytes are not that."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data = data
        self._at = at

    @property
    def left(self) -> int:
        """Bytes that were not taken yet."""
        return len(self._data) - self._at

    def take(self, length: int) -> bytes:
        """The next bytes."""
        end = self._at + length
        if end > len(self._data):
            raise MalformedPacket("a packet ends inside a field")
        piece = self._data[self._at : end]
        self._at = end
        return piece

    def byte(self) -> int:
        """One byte."""
        return self.take(1)[0]

    def two(self) -> int:
        """A two-byte integer."""
        return int.from_bytes(self.take(2), "big")

    def variable(self) -> int:
        """An integer of one to four bytes, in as few as it needs."""
        value = 0
        for index in range(4):
            byte = self.byte()
            value |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                if index and not byte:
                    raise MalformedPacket("an integer is written in more bytes than it needs")
                return value
        raise MalformedPacket("an integer of more than four bytes")

    def binary(self) -> bytes:
        """Bytes after their length."""
        return self.take(self.two())

    def text(self) -> str:
        """UTF-8 after its length."""
        return read_text(self.binary())

    def packet_id(self) -> int:
        """A packet id, which is never 0."""
        packet_id = self.two()
        if not packet_id:
            raise MalformedPacket("packet id 0")
        return packet_id

    def properties(self, allowed: frozenset[Property]) -> None:
        """MQTT 5 properties after their length: checked, and dropped."""
        raw = self.take(self.variable())
        if raw:
            check_properties(raw, allowed)

    def finish(self) -> None:
        """Refuse bytes that nobody took."""
        if self.left:
            raise MalformedPacket(f"{self.left} bytes after the end of a packet's fields")


def check_properties(raw: bytes, allowed: frozenset[Property]) -> None:
    """Raise :class:`MalformedPacket` unless these are well-formed properties, all of them allowed."""
    _walk(Reader(raw), allowed, may_repeat=frozenset({Property.USER_PROPERTY}))


def delivered_under(raw: bytes, allowed: frozenset[Property]) -> tuple[int, ...]:
    """The subscription identifiers among a delivered message's properties, in ascending order.

    Raises :class:`MalformedPacket` as :func:`check_properties` does; only here may an identifier be repeated.
    """
    both = frozenset({Property.USER_PROPERTY, Property.SUBSCRIPTION_ID})
    return tuple(sorted(_walk(Reader(raw), allowed | both, may_repeat=both)))


def _walk(reader: Reader, allowed: frozenset[Property], *, may_repeat: frozenset[Property]) -> set[int]:
    """Check one property after the other; the subscription identifiers among them."""
    seen: set[int] = set()
    identifiers: set[int] = set()
    while reader.left:
        number = reader.byte()
        if number == Property.TOPIC_ALIAS:
            raise MalformedPacket(
                "a topic alias, although none was allowed", reason=Reason.TOPIC_ALIAS_INVALID
            )
        if number not in allowed:
            raise MalformedPacket(f"property {number:#x}, which this packet does not have")
        if number in seen and number not in may_repeat:
            raise MalformedPacket(f"property {number:#x} twice", reason=Reason.PROTOCOL_ERROR)
        seen.add(number)
        if number == Property.SUBSCRIPTION_ID:
            identifier = reader.variable()
            if not identifier:
                raise MalformedPacket("subscription identifier 0", reason=Reason.PROTOCOL_ERROR)
            identifiers.add(identifier)
        else:
            _check_value(Property(number), reader)
    return identifiers


def _check_value(kind: Property, reader: Reader) -> None:
    if kind in SIZES:
        value = int.from_bytes(reader.take(SIZES[kind]), "big")
        if kind in FLAGS and value > 1:
            raise MalformedPacket(f"property {kind:#x} is neither 0 nor 1", reason=Reason.PROTOCOL_ERROR)
    elif kind in BINARY:
        reader.binary()
    elif kind is Property.USER_PROPERTY:
        reader.text()
        reader.text()
    elif kind is Property.RESPONSE_TOPIC:
        check_topic(reader.text())
    else:
        reader.text()
