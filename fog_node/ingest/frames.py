"""Where packets begin and end, and the two string rules of MQTT: what both versions share."""

from collections.abc import Mapping
from typing import Final

from fog_node.ingest.packets import MalformedPacket, Reason

HEADER_BYTES: Final = 5
"""The longest fixed header: with so many bytes at hand a length is always readable."""


def frame_end(data: bytes, at: int, limit: int) -> int | None:
    """Where the packet that starts at ``at`` ends; None while its length has not arrived.

    Raises :class:`MalformedPacket` for a length of five bytes, one with needless bytes, and a packet longer
    than ``limit`` bytes in all.
    """
    length = 0
    for index in range(4):
        where = at + 1 + index
        if where >= len(data):
            return None
        byte = data[where]
        length |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            if index and not byte:
                raise MalformedPacket("a remaining length is written in more bytes than it needs")
            end = where + 1 + length
            if end - at > limit:
                raise MalformedPacket(
                    f"a packet of {end - at} bytes; {limit} are allowed", reason=Reason.PACKET_TOO_LARGE
                )
            return end
    raise MalformedPacket("a remaining length of more than four bytes")


def check_flags(first: int, flags: Mapping[int, int]) -> int:
    """The type of a packet other than PUBLISH from its first byte, or :class:`MalformedPacket`.

    ``flags``: the types that the other side may send, with the flags of their fixed headers.
    """
    kind = first >> 4
    if kind not in flags:
        raise MalformedPacket(
            f"a packet of type {kind}, which has no place here", reason=Reason.PROTOCOL_ERROR
        )
    if first & 0x0F != flags[kind]:
        raise MalformedPacket(f"reserved flags {first & 0x0F:#x} in a packet of type {kind}")
    return kind


def write_length(length: int) -> bytes:
    """The remaining length as MQTT writes it."""
    out = bytearray()
    while length > 0x7F:
        out.append(length & 0x7F | 0x80)
        length >>= 7
    out.append(length)
    return bytes(out)


def read_text(raw: bytes) -> str:
    """A UTF-8 string of MQTT: no U+0000. Raises :class:`MalformedPacket`."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as fault:
        raise MalformedPacket("a string is not UTF-8") from fault
    if "\0" in text:
        raise MalformedPacket("a string holds U+0000")
    return text


def read_topic(raw: bytes) -> str:
    """A topic name to publish under: some text without wildcards. Raises :class:`MalformedPacket`."""
    text = read_text(raw)
    check_topic(text)
    return text


def check_topic(text: str) -> None:
    """Refuse an empty topic and wildcards with :class:`MalformedPacket`."""
    if not text:
        raise MalformedPacket("an empty topic", reason=Reason.PROTOCOL_ERROR)
    if "+" in text or "#" in text or "\0" in text:
        raise MalformedPacket("a topic with a wildcard", reason=Reason.TOPIC_NAME_INVALID)
