"""PUBLISH parsed one field after the other, as the standard reads: slow, plain, and sharing no code."""

from typing import NamedTuple


class WrongError(Exception):
    """These bytes are no PUBLISH that a device may send."""


class MoreError(Exception):
    """These bytes end before the packet does."""


class Message(NamedTuple):
    topic: str
    payload: bytes
    packet_id: int
    flags: int


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise MoreError
        self.at += count
        return self.data[self.at - count : self.at]

    def byte(self) -> int:
        return self.take(1)[0]

    def two(self) -> int:
        high, low = self.take(2)
        return high * 256 + low

    def variable(self) -> int:
        value, factor = 0, 1
        for place in range(4):
            byte = self.byte()
            value += byte % 128 * factor
            factor *= 128
            if byte < 128:
                if place and byte == 0:
                    raise WrongError
                return value
        raise WrongError

    def text(self) -> str:
        try:
            text = str(self.take(self.two()), "utf-8", "strict")
        except UnicodeDecodeError:
            raise WrongError from None
        if chr(0) in text:
            raise WrongError
        return text

    def name(self) -> str:
        text = self.text()
        if text == "" or set(text) & set("+#"):
            raise WrongError
        return text


def _property(body: _Bytes, seen: set[int]) -> None:
    kind = body.byte()
    if kind != 0x26 and kind in seen:
        raise WrongError
    seen.add(kind)
    if kind == 0x01:
        if body.byte() not in (0, 1):
            raise WrongError
    elif kind == 0x02:
        body.take(4)
    elif kind == 0x03:
        body.text()
    elif kind == 0x08:
        body.name()
    elif kind == 0x09:
        body.take(body.two())
    elif kind == 0x26:
        body.text()
        body.text()
    else:
        raise WrongError


def length(data: bytes) -> int | None:
    """Bytes of any packet; None when its length is wrong or not there."""
    packet = _Bytes(data)
    packet.byte()
    try:
        body = packet.variable()
    except (WrongError, MoreError):
        return None
    return packet.at + body


def one(data: bytes, *, version: int, limit: int) -> tuple[Message, int]:
    """The message at the start of the bytes, and the length of its packet."""
    outer = _Bytes(data)
    first = outer.byte()
    assert first >> 4 == 3
    length = outer.variable()
    total = outer.at + length
    if total > limit:
        raise WrongError
    body = _Bytes(outer.take(length))
    dup, qos, retain = first // 8 % 2, first // 2 % 4, first % 2
    if qos == 3 or (dup and qos == 0) or (retain and version == 5):
        raise WrongError
    try:
        topic = body.name()
        packet_id = body.two() if qos else 0
        if qos and packet_id == 0:
            raise WrongError
        if version == 5:
            properties = _Bytes(body.take(body.variable()))
            seen: set[int] = set()
            while properties.at < len(properties.data):
                _property(properties, seen)
    except MoreError:
        raise WrongError from None
    flags = qos + 4 * dup + 8 * retain
    return Message(topic, body.data[body.at :], packet_id, flags), total


def every(data: bytes, *, version: int, limit: int) -> tuple[list[Message], int, bool]:
    """Messages, where they end, and whether what follows is wrong. Stops at the first other packet."""
    messages: list[Message] = []
    at = 0
    while at < len(data) and data[at] >> 4 == 3:
        try:
            message, length = one(data[at:], version=version, limit=limit)
        except MoreError:
            return messages, at, False
        except WrongError:
            return messages, at, True
        messages.append(message)
        at += length
    return messages, at, False
