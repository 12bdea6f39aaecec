"""MQTT 5 packets as a broker and the node exchange them, PUBLISH excepted."""

from typing import Final

import mqtt5

from fog_node.ingest.broker.packets import (
    FLAGS,
    Goodbye,
    Incoming,
    Pong,
    Subscribed,
    Unsubscribed,
    Welcome,
)
from fog_node.ingest.fields import Property, Reader
from fog_node.ingest.frames import check_flags
from fog_node.ingest.packet_v5 import read_packet
from fog_node.ingest.packets import CONNACK, DISCONNECT, PINGRESP, SUBACK, MalformedPacket, Reason

PINGREQ_PACKET: Final = b"\xc0\x00"
OLD_CONNACK_BYTES: Final = 4
"""CONNACK of MQTT 3.1.1; that of MQTT 5 is longer."""

IN_CONNACK: Final = frozenset(
    {
        Property.SESSION_EXPIRY,
        Property.ASSIGNED_CLIENT,
        Property.SERVER_KEEP_ALIVE,
        Property.AUTHENTICATION_METHOD,
        Property.AUTHENTICATION_DATA,
        Property.RESPONSE_INFORMATION,
        Property.SERVER_REFERENCE,
        Property.REASON_STRING,
        Property.RECEIVE_MAXIMUM,
        Property.TOPIC_ALIAS_MAXIMUM,
        Property.MAXIMUM_QOS,
        Property.RETAIN_AVAILABLE,
        Property.USER_PROPERTY,
        Property.MAXIMUM_PACKET_SIZE,
        Property.WILDCARDS_AVAILABLE,
        Property.IDENTIFIERS_AVAILABLE,
        Property.SHARED_AVAILABLE,
    }
)
IN_SUBACK: Final = frozenset({Property.REASON_STRING, Property.USER_PROPERTY})
IN_DISCONNECT: Final = frozenset(
    {
        Property.SESSION_EXPIRY,
        Property.REASON_STRING,
        Property.USER_PROPERTY,
        Property.SERVER_REFERENCE,
    }
)


class NotMqtt5Error(MalformedPacket):
    """The broker answered as MQTT 3.1.1 does."""

    code = "not_mqtt5"

    def __init__(self) -> None:
        super().__init__("the broker does not speak MQTT 5", reason=Reason.UNSUPPORTED_VERSION)


def read(frame: bytes) -> Incoming:
    """One whole packet of a broker. Raises :class:`MalformedPacket`, and nothing else, whatever the bytes."""
    kind = check_flags(frame[0], FLAGS)
    if kind == CONNACK and len(frame) == OLD_CONNACK_BYTES:
        raise NotMqtt5Error
    _check_shape(kind, frame)
    packet = read_packet(frame)
    match packet:
        case mqtt5.ConnAckPacket():
            return _welcome(packet)
        case mqtt5.SubAckPacket():
            return Subscribed(
                packet_id=packet.packet_id,
                codes=tuple(int(code) for code in packet.reason_codes),
                reason_text=packet.reason_str or "",
            )
        case mqtt5.UnsubAckPacket():
            return Unsubscribed(packet_id=packet.packet_id)
        case mqtt5.PingRespPacket():
            return Pong()
        case mqtt5.DisconnectPacket():
            return Goodbye(reason=int(packet.reason_code), reason_text=packet.reason_str or "")
        case _:
            raise MalformedPacket("AUTH, although no method was agreed on", reason=Reason.PROTOCOL_ERROR)


def _welcome(packet: mqtt5.ConnAckPacket) -> Welcome:
    return Welcome(
        reason=int(packet.reason_code),
        reason_text=packet.reason_str or "",
        session_present=packet.session_present,
        session_expiry_s=packet.session_expiry_interval,
        keep_alive_s=packet.server_keep_alive,
        max_qos=int(packet.max_qos),
        wildcards=packet.wildcard_subscription_available,
        identifiers=packet.subscription_id_available,
        shared=packet.shared_subscription_available,
    )


def _check_shape(kind: int, frame: bytes) -> None:
    """Refuse what would make the codec panic: fields that are not whole, texts that are not UTF-8."""
    reader = Reader(frame, 1)
    reader.variable()
    if kind == CONNACK:
        reader.take(2)
        reader.properties(IN_CONNACK)
    elif kind == PINGRESP:
        pass
    elif kind == DISCONNECT:
        if reader.left:
            reader.byte()
        if reader.left:
            reader.properties(IN_DISCONNECT)
    elif kind >= SUBACK and kind < PINGRESP:
        reader.packet_id()
        reader.properties(IN_SUBACK)
        if not reader.left:
            raise MalformedPacket("an answer without a code", reason=Reason.PROTOCOL_ERROR)
        reader.take(reader.left)
    else:
        raise MalformedPacket("AUTH, although no method was agreed on", reason=Reason.PROTOCOL_ERROR)
    reader.finish()


def connect(
    *,
    client: str,
    user: str | None,
    password: bytes | None,
    keep_alive_s: int,
    session_expiry_s: int,
    receive_max: int,
    max_packet_bytes: int,
) -> bytes:
    """CONNECT that goes on with the session, if there is one."""
    return mqtt5.ConnectPacket(
        client,
        clean_start=False,
        username=user,
        password=password,
        keep_alive=keep_alive_s,
        session_expiry_interval=session_expiry_s,
        receive_max=receive_max,
        max_packet_size=max_packet_bytes,
    ).write()


def subscribe(
    packet_id: int, topic_filter: str, *, identifier: int | None, qos: int, retained: bool
) -> bytes:
    """SUBSCRIBE. ``retained``: always with the retained messages; else only if the subscription is new."""
    handling = (
        mqtt5.RetainHandling.SEND_ALWAYS if retained else mqtt5.RetainHandling.SEND_IF_SUBSCRIPTION_NOT_EXISTS
    )
    # Without "retain as published" the flag says that a message is an old one, and nothing else.
    asked = mqtt5.TopicFilter(
        topic_filter, max_qos=mqtt5.QoS(qos), retain_as_published=False, retain_handling=handling
    )
    return mqtt5.SubscribePacket(packet_id, [asked], subscription_id=identifier).write()


def unsubscribe(packet_id: int, topic_filter: str) -> bytes:
    """UNSUBSCRIBE."""
    return mqtt5.UnsubscribePacket(packet_id, [topic_filter]).write()


def goodbye(reason: Reason = Reason.SUCCESS) -> bytes:
    """DISCONNECT; the session stays as long as was agreed."""
    return bytes((0xE0, 0)) if reason is Reason.SUCCESS else bytes((0xE0, 1, reason))
