"""MQTT 3.1.1 packets, PUBLISH excepted."""

from typing import Final

from fog_node.ingest import packets
from fog_node.ingest.fields import Reader
from fog_node.ingest.frames import check_flags, read_topic, write_length
from fog_node.ingest.listener.packets import (
    FLAGS,
    Connect,
    Goodbye,
    Incoming,
    Ping,
    Release,
    Subscribe,
    Unsubscribe,
    Welcome,
    Will,
)
from fog_node.ingest.packets import MalformedPacket, Reason

FOR_EVER_S: Final = 0xFFFF_FFFF
RETURN_CODES: Final = {
    Reason.UNSUPPORTED_VERSION: 1,
    Reason.CLIENT_ID_NOT_VALID: 2,
    Reason.SERVER_UNAVAILABLE: 3,
    Reason.SERVER_BUSY: 3,
    Reason.BAD_USER_OR_PASSWORD: 4,
    Reason.NOT_AUTHORIZED: 5,
}
SUBSCRIPTION_FAILED: Final = 0x80


def _will(reader: Reader, flags: int) -> Will | None:
    qos = flags >> 3 & 3
    retain = bool(flags & 0x20)
    if not flags & 0x04:
        if qos or retain:
            raise MalformedPacket("will flags without a will")
        return None
    if qos == 3:
        raise MalformedPacket("a will of QoS 3")
    return Will(topic=read_topic(reader.binary()), payload=reader.binary(), qos=qos, retain=retain)


def _connect(reader: Reader) -> Connect:
    if reader.text() != "MQTT" or reader.byte() != 4:
        raise MalformedPacket("not MQTT 3.1.1", reason=Reason.UNSUPPORTED_VERSION)
    flags = reader.byte()
    if flags & 0x01 or (flags & 0x40 and not flags & 0x80):
        raise MalformedPacket("connect flags that contradict each other")
    keep_alive = reader.two()
    client = reader.text()
    clean = bool(flags & 0x02)
    will = _will(reader, flags)
    user = reader.text() if flags & 0x80 else None
    password = reader.binary() if flags & 0x40 else None
    if not client and not clean:
        raise MalformedPacket(
            "a session without a client id cannot be kept", reason=Reason.CLIENT_ID_NOT_VALID
        )
    return Connect(
        client=client,
        clean=clean,
        keep_alive_s=keep_alive,
        will=will,
        user=user,
        password=password,
        session_expiry_s=0 if clean else FOR_EVER_S,
    )


def _filters(reader: Reader, *, with_qos: bool) -> int:
    count = 0
    while reader.left:
        if not reader.text():
            raise MalformedPacket("an empty topic filter")
        if with_qos and reader.byte() > 2:
            raise MalformedPacket("a subscription of QoS 3")
        count += 1
    if not count:
        raise MalformedPacket("no topic filter", reason=Reason.PROTOCOL_ERROR)
    return count


class CodecV311:
    """Reads what 3.1.1 devices send, writes what they understand."""

    version: Final[int] = 4

    def read(self, frame: bytes) -> Incoming:
        """One whole packet. Raises :class:`MalformedPacket`, and nothing else, whatever the bytes."""
        kind = check_flags(frame[0], FLAGS)
        reader = Reader(frame, 1)
        reader.variable()
        packet = self._fields(kind, reader)
        reader.finish()
        return packet

    def _fields(self, kind: int, reader: Reader) -> Incoming:
        match kind:
            case packets.CONNECT:
                return _connect(reader)
            case packets.PUBREL:
                return Release(packet_id=reader.packet_id())
            case packets.SUBSCRIBE:
                return Subscribe(packet_id=reader.packet_id(), filters=_filters(reader, with_qos=True))
            case packets.UNSUBSCRIBE:
                return Unsubscribe(packet_id=reader.packet_id(), filters=_filters(reader, with_qos=False))
            case packets.PINGREQ:
                return Ping()
            case packets.DISCONNECT:
                return Goodbye()
            case _:
                raise MalformedPacket("AUTH is MQTT 5", reason=Reason.PROTOCOL_ERROR)

    def welcome(self, welcome: Welcome) -> bytes:
        """CONNACK; 3.1.1 can say nothing but whether a session is there."""
        return bytes((0x20, 2, welcome.session_present, 0))

    def refusal(self, reason: Reason) -> bytes:
        """CONNACK with the nearest return code, or nothing: 3.1.1 then closes without a word."""
        code = RETURN_CODES.get(reason)
        return b"" if code is None else bytes((0x20, 2, 0, code))

    def acknowledgement(self, kind: int, packet_id: int, reason: Reason) -> bytes:
        """PUBACK, PUBREC or PUBCOMP; empty for a failure, which 3.1.1 cannot say."""
        if reason >= Reason.UNSPECIFIED and reason != Reason.PACKET_ID_NOT_FOUND:
            return b""
        return bytes((kind << 4, 2)) + packet_id.to_bytes(2, "big")

    def subscribed(self, request: Subscribe) -> bytes:
        """SUBACK that refuses every filter."""
        body = request.packet_id.to_bytes(2, "big") + bytes([SUBSCRIPTION_FAILED]) * request.filters
        return b"\x90" + write_length(len(body)) + body

    def unsubscribed(self, request: Unsubscribe) -> bytes:
        """UNSUBACK."""
        return b"\xb0\x02" + request.packet_id.to_bytes(2, "big")

    def goodbye(self, reason: Reason) -> bytes:  # noqa: ARG002  (the codec's shape; 3.1.1 servers have no DISCONNECT)
        """Nothing: a 3.1.1 server just closes."""
        return b""
