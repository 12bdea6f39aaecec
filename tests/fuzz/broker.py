"""Whatever a broker sends, the node's conversation takes whole messages or ends; it never says what it may not.

The first byte says how the rest is cut into reads; the rest may follow a CONNACK.
"""

import mqtt5

from fog_node.ingest.broker.subscriptions import DROPPED_TOPIC, identifier
from tests.unit.fog_node.ingest.broker.core import LIMIT, WELCOME, Node

EVERYTHING = {"l1": "{a}", "l2": "{a}/{b}", "l3": "{a}/{b}/{c}", "l4": "{a}/{b}/{c}/{d}"}
AIR = identifier("+/+/+")


def one_broker(raw: bytes) -> None:
    """Feed a conversation; raises AssertionError when it does what it should not."""
    if not raw:
        return
    step, stream = 1 + raw[0] // 2, raw[1:]
    node = Node(routes=EVERYTHING)
    if raw[0] & 1:
        node.hears(WELCOME)
    node.hears(*(stream[at : at + step] for at in range(0, len(stream), step)))
    assert node.conversation.waiting_bytes <= LIMIT or node.closed is not None
    journaled = sum(len(messages) for _, messages in node.journal)
    assert journaled + node.redelivered + node.unrouted <= node.taken + node.retained
    for _, messages in node.journal:
        for payload in messages.payloads:
            assert payload in stream, "a message that was never sent"
    _check_said(node)


def _check_said(node: Node) -> None:
    """The node says acknowledgements, and at the end at most one goodbye."""
    said = node.said
    while said:
        packet, length = mqtt5.read(memoryview(said))
        assert isinstance(packet, mqtt5.PubAckPacket | mqtt5.DisconnectPacket)
        said = said[length:]
        assert not (said and isinstance(packet, mqtt5.DisconnectPacket)), "more after the goodbye"


def seeds() -> list[bytes]:
    """Valid streams to start from."""
    messages = [
        mqtt5.PublishPacket("site/z1/air", b"21.5", qos=mqtt5.QoS(1), packet_id=7, subscription_ids=[AIR]),
        mqtt5.PublishPacket("site/z1/air", b"21.5", qos=mqtt5.QoS(1), packet_id=7, duplicate=True),
        mqtt5.PublishPacket("site/z1/air", b"old", retain=True, subscription_ids=[AIR, 9]),
        mqtt5.PublishPacket(DROPPED_TOPIC, b"12", subscription_ids=[identifier(DROPPED_TOPIC)]),
        mqtt5.PublishPacket("a/b", b"x", message_expiry_interval=9, user_properties=[("k", "v")]),
    ]
    others: list[
        mqtt5.SubAckPacket | mqtt5.UnsubAckPacket | mqtt5.PingRespPacket | mqtt5.DisconnectPacket
    ] = [
        mqtt5.SubAckPacket(1, [mqtt5.SubAckReasonCode(1)], reason_str="fine"),
        mqtt5.UnsubAckPacket(2, [mqtt5.UnsubAckReasonCode(0)]),
        mqtt5.PingRespPacket(),
        mqtt5.DisconnectPacket(reason_code=mqtt5.DisconnectReasonCode(0x8B), reason_str="bye"),
    ]
    welcome = mqtt5.ConnAckPacket(
        session_present=True, session_expiry_interval=60, server_keep_alive=9, reason_str="hello"
    ).write()
    stream = b"".join(packet.write() for packet in (*messages, *others[:3], messages[0], others[3]))
    return [bytes([cut << 1 | opened]) + stream for cut in (0, 15, 127) for opened in (0, 1)] + [
        bytes([cut << 1]) + welcome + stream for cut in (0, 15, 127)
    ]
