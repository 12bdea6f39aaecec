"""MQTT 5 packets as devices and the listener exchange them, PUBLISH excepted."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import mqtt5

from fog_node.ingest.frames import check_flags, check_topic
from fog_node.ingest.listener.fields_v5 import check_shape
from fog_node.ingest.listener.packets import (
    FLAGS,
    Authenticate,
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
from fog_node.ingest.packet_v5 import AnswersV5, read_packet
from fog_node.ingest.packets import MalformedPacket, Reason


def _will(will: mqtt5.Will | None) -> Will | None:
    if will is None:
        return None
    check_topic(will.topic)
    return Will(
        topic=will.topic,
        payload=will.payload or b"",
        qos=int(will.qos),
        retain=will.retain,
        delay_s=will.will_delay_interval,
    )


def _connect(packet: mqtt5.ConnectPacket) -> Connect:
    if packet.will is not None and packet.will.retain:
        raise MalformedPacket("a retained will", reason=Reason.RETAIN_NOT_SUPPORTED)
    if "\0" in packet.client_id:
        raise MalformedPacket("a client id holds U+0000", reason=Reason.CLIENT_ID_NOT_VALID)
    return Connect(
        client=packet.client_id,
        clean=packet.clean_start,
        keep_alive_s=packet.keep_alive,
        will=_will(packet.will),
        user=packet.username,
        password=packet.password,
        session_expiry_s=packet.session_expiry_interval,
        authentication_method=packet.authentication_method,
    )


def _release(packet: mqtt5.PubRelPacket) -> Release:
    return Release(packet_id=_checked(packet.packet_id))


def _subscribe(packet: mqtt5.SubscribePacket) -> Subscribe:
    return Subscribe(packet_id=_checked(packet.packet_id), filters=_counted(packet.topic_filters))


def _unsubscribe(packet: mqtt5.UnsubscribePacket) -> Unsubscribe:
    return Unsubscribe(packet_id=_checked(packet.packet_id), filters=_counted(packet.patterns))


def _goodbye(packet: mqtt5.DisconnectPacket) -> Goodbye:
    return Goodbye(
        with_will=packet.reason_code != mqtt5.DisconnectReasonCode.NORMAL_DISCONNECTION,
        session_expiry_s=packet.session_expiry_interval,
    )


def _checked(packet_id: int) -> int:
    if not packet_id:
        raise MalformedPacket("packet id 0")
    return packet_id


def _counted(filters: Sequence[object]) -> int:
    if not filters:
        raise MalformedPacket("no topic filter", reason=Reason.PROTOCOL_ERROR)
    return len(filters)


READERS: Final[Mapping[type[object], Callable[[Any], Incoming]]] = {
    mqtt5.ConnectPacket: _connect,
    mqtt5.PubRelPacket: _release,
    mqtt5.SubscribePacket: _subscribe,
    mqtt5.UnsubscribePacket: _unsubscribe,
    mqtt5.PingReqPacket: lambda _: Ping(),
    mqtt5.DisconnectPacket: _goodbye,
    mqtt5.AuthPacket: lambda _: Authenticate(),
}


class CodecV5(AnswersV5):
    """Reads what MQTT 5 devices send, writes what they understand."""

    def read(self, frame: bytes) -> Incoming:
        """One whole packet. Raises :class:`MalformedPacket`, and nothing else, whatever the bytes."""
        check_shape(check_flags(frame[0], FLAGS), frame)
        packet = read_packet(frame)
        return READERS[type(packet)](packet)

    def welcome(self, welcome: Welcome) -> bytes:
        """CONNACK with everything that the listener limits or lacks."""
        return mqtt5.ConnAckPacket(
            session_present=welcome.session_present,
            receive_max=welcome.receive_maximum,
            max_packet_size=welcome.max_packet_bytes,
            assigned_client_id=welcome.assigned_client,
            server_keep_alive=welcome.keep_alive_s,
            session_expiry_interval=welcome.session_expiry_s,
            topic_alias_max=0,
            retain_available=False,
            wildcard_subscription_available=False,
            subscription_id_available=False,
            shared_subscription_available=False,
        ).write()

    def refusal(self, reason: Reason) -> bytes:
        """CONNACK with the reason code."""
        return mqtt5.ConnAckPacket(reason_code=mqtt5.ConnAckReasonCode(reason)).write()

    def subscribed(self, request: Subscribe) -> bytes:
        """SUBACK that refuses every filter: not authorized."""
        codes = [mqtt5.SubAckReasonCode.NOT_AUTHORIZED] * request.filters
        return mqtt5.SubAckPacket(request.packet_id, codes).write()

    def unsubscribed(self, request: Unsubscribe) -> bytes:
        """UNSUBACK: no subscription existed."""
        codes = [mqtt5.UnsubAckReasonCode.NO_SUBSCRIPTION_EXISTED] * request.filters
        return mqtt5.UnsubAckPacket(request.packet_id, codes).write()

    def goodbye(self, reason: Reason) -> bytes:
        """DISCONNECT with the reason code."""
        return bytes((0xE0, 1, reason))
