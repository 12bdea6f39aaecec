"""MQTT 5 properties of PUBLISH: checked, and dropped, because a message is its topic and its payload."""

from enum import IntEnum

from fog_node.ingest.frames import check_topic, read_text
from fog_node.ingest.packets import MalformedPacket, Reason


class Property(IntEnum):
    """Identifiers of the properties that PUBLISH can have."""

    PAYLOAD_FORMAT = 0x01
    MESSAGE_EXPIRY = 0x02
    CONTENT_TYPE = 0x03
    RESPONSE_TOPIC = 0x08
    CORRELATION = 0x09
    SUBSCRIPTION_ID = 0x0B
    TOPIC_ALIAS = 0x23
    USER_PROPERTY = 0x26


def read_property_length(data: bytes, at: int, end: int) -> tuple[int, int]:
    """First and last index of the properties whose length stands at ``at``, inside a packet that ends at
    ``end``.
    """
    length = 0
    for index in range(4):
        where = at + index
        if where >= end:
            raise MalformedPacket("a packet ends inside its property length")
        byte = data[where]
        length |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            if index and not byte:
                raise MalformedPacket("a property length is written in more bytes than it needs")
            if where + 1 + length > end:
                raise MalformedPacket("properties that are longer than their packet")
            return where + 1, where + 1 + length
    raise MalformedPacket("a property length of more than four bytes")


def check_properties(raw: bytes) -> None:
    """Raise :class:`MalformedPacket` unless these are well-formed properties that a device may send with
    PUBLISH.
    """
    seen: set[int] = set()
    at = 0
    while at < len(raw):
        kind = raw[at]
        if kind in seen and kind != Property.USER_PROPERTY:
            raise MalformedPacket(f"property {kind:#x} twice", reason=Reason.PROTOCOL_ERROR)
        seen.add(kind)
        at = _check_one(kind, raw, at + 1)


def _check_one(kind: int, raw: bytes, at: int) -> int:
    match kind:
        case Property.PAYLOAD_FORMAT:
            if _fixed(raw, at, 1) > 1:
                raise MalformedPacket("a payload format other than 0 and 1", reason=Reason.PROTOCOL_ERROR)
            return at + 1
        case Property.MESSAGE_EXPIRY:
            _fixed(raw, at, 4)
            return at + 4
        case Property.CONTENT_TYPE:
            return _text(raw, at)
        case Property.RESPONSE_TOPIC:
            end = _text(raw, at)
            check_topic(raw[at + 2 : end].decode())
            return end
        case Property.CORRELATION:
            return _sized(raw, at)
        case Property.USER_PROPERTY:
            return _text(raw, _text(raw, at))
        case Property.TOPIC_ALIAS:
            raise MalformedPacket(
                "a topic alias, although none was allowed", reason=Reason.TOPIC_ALIAS_INVALID
            )
        case Property.SUBSCRIPTION_ID:
            raise MalformedPacket("a subscription id from a device", reason=Reason.PROTOCOL_ERROR)
        case _:
            raise MalformedPacket(f"property {kind:#x}, which PUBLISH does not have")


def _fixed(raw: bytes, at: int, size: int) -> int:
    if at + size > len(raw):
        raise MalformedPacket("a property that is longer than the properties")
    return int.from_bytes(raw[at : at + size], "big")


def _sized(raw: bytes, at: int) -> int:
    end = at + 2 + _fixed(raw, at, 2)
    if end > len(raw):
        raise MalformedPacket("a property that is longer than the properties")
    return end


def _text(raw: bytes, at: int) -> int:
    end = _sized(raw, at)
    read_text(raw[at + 2 : end])
    return end
