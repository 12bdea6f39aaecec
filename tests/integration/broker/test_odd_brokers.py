"""Brokers that say what no good one would, byte by byte."""

import mqtt5
import pytest

from fog_node.ingest.broker.subscriptions import identifier
from fogline.testing.until import until
from tests.integration.broker.conftest import PATIENCE_S, Read
from tests.integration.broker.fake import FakeBroker, Peer

AIR = "site/z1/air"
UNDER = identifier("site/+/air")


def message(
    payload: bytes, *, packet_id: int = 1, qos: int = 1, ids: list[int] | None = None, again: bool = False
) -> bytes:
    return mqtt5.PublishPacket(
        AIR,
        payload,
        qos=mqtt5.QoS(qos),
        packet_id=packet_id if qos else None,
        subscription_ids=[UNDER] if ids is None else ids,
        duplicate=again,
    ).write()


async def granted(peer: Peer, count: int = 3, *, code: int = 1) -> list[mqtt5.SubscribePacket]:
    """Answer the node's subscriptions: those of its two streams, and the broker's own count."""
    asked = []
    for _ in range(count):
        packet = await peer.until(mqtt5.SubscribePacket)
        assert isinstance(packet, mqtt5.SubscribePacket)
        peer.send(mqtt5.SubAckPacket(packet.packet_id, [mqtt5.SubAckReasonCode(code)]).write())
        asked.append(packet)
    return asked


async def acknowledged(peer: Peer, count: int) -> list[int]:
    packets = [await peer.until(mqtt5.PubAckPacket) for _ in range(count)]
    return [packet.packet_id for packet in packets if isinstance(packet, mqtt5.PubAckPacket)]


async def test_the_node_asks_for_its_session_and_its_streams(read: Read) -> None:
    async with FakeBroker() as broker, read(broker.url, receive_max=123, session_expiry=3600.0, share="g"):
        peer = await broker.peer()
        hello = await peer.packet()
        assert isinstance(hello, mqtt5.ConnectPacket)
        assert (hello.client_id, hello.clean_start) == ("fogline-node", False)
        assert (hello.receive_max, hello.session_expiry_interval, hello.keep_alive) == (123, 3600, 30)
        assert hello.topic_alias_max == 0
        peer.send(mqtt5.ConnAckPacket().write())
        asked = await granted(peer)
        filters = {packet.topic_filters[0].pattern: packet for packet in asked}
        assert set(filters) == {
            "$SYS/broker/publish/messages/dropped",
            "$share/g/site/+/air",
            "$share/g/site/+/soil",
        }
        air = filters["$share/g/site/+/air"]
        assert air.subscription_id == identifier("$share/g/site/+/air")
        assert air.topic_filters[0].max_qos == mqtt5.QoS(1)
        assert not air.topic_filters[0].retain_as_published


async def test_an_acknowledgement_follows_the_journal_in_one_write(read: Read) -> None:
    async with FakeBroker() as broker, read(broker.url) as node:
        peer = await broker.welcomed()
        await granted(peer)
        node.journal.hold()
        peer.send(*(message(b"%d" % number, packet_id=number) for number in range(1, 6)))
        await node.journal.reached.wait()
        assert not node.journal.payloads()
        node.journal.let_go()
        assert await acknowledged(peer, 5) == [1, 2, 3, 4, 5]
        assert len(node.journal.payloads()) == 5


async def test_one_copy_under_two_subscriptions_goes_to_both_streams(read: Read) -> None:
    routes = {"air": "site/{zone}/air", "first": "site/z1/{kind}"}
    async with FakeBroker() as broker, read(broker.url, routes=routes) as node:
        peer = await broker.welcomed()
        await granted(peer)
        peer.send(message(b"both", ids=[UNDER, identifier("site/z1/+")]))
        peer.send(message(b"air", packet_id=2), message(b"none", packet_id=3, ids=[77]))
        assert await acknowledged(peer, 3) == [1, 2, 3]
        assert node.journal.payloads("air") == [b"both", b"air"]
        assert node.journal.payloads("first") == [b"both"]
        assert node.standing.unrouted == 1


async def test_redelivery_is_recognised_by_packet_id_and_content(read: Read) -> None:
    async with FakeBroker() as broker, read(broker.url) as node:
        peer = await broker.welcomed()
        await granted(peer)
        peer.send(message(b"1", packet_id=7), message(b"2", packet_id=8))
        assert await acknowledged(peer, 2) == [7, 8]
        peer.cut()
        peer = await broker.welcomed(mqtt5.ConnAckPacket(session_present=True).write())
        peer.send(message(b"1", packet_id=7, again=True), message(b"other", packet_id=8, again=True))
        assert await acknowledged(peer, 2) == [7, 8]
        assert node.journal.payloads() == [b"1", b"2", b"other"]
        assert node.journal.redelivered["air"] == 1


async def test_a_broker_that_sends_more_than_was_asked_for_may_repeat_all_of_it(read: Read) -> None:
    count, numbers = 500, range(1, 501)
    async with FakeBroker() as broker, read(broker.url, receive_max=10) as node:
        peer = await broker.welcomed()
        await granted(peer)
        peer.send(*(message(b"%d" % number, packet_id=number) for number in numbers))
        await acknowledged(peer, count)
        peer.cut()
        peer = await broker.welcomed(mqtt5.ConnAckPacket(session_present=True).write())
        peer.send(*(message(b"%d" % number, packet_id=number, again=True) for number in numbers))
        await acknowledged(peer, count)
        assert len(node.journal.payloads()) == count
        assert node.journal.redelivered["air"] == count


async def test_a_new_session_reuses_packet_ids_without_confusion(read: Read) -> None:
    async with FakeBroker() as broker, read(broker.url) as node:
        peer = await broker.welcomed()
        await granted(peer)
        peer.send(message(b"same", packet_id=1))
        await acknowledged(peer, 1)
        peer.cut()
        peer = await broker.welcomed()
        await granted(peer)
        peer.send(message(b"same", packet_id=1, again=True))
        await acknowledged(peer, 1)
        assert node.journal.payloads() == [b"same", b"same"]
        assert node.standing.sessions_lost == 1


REFUSALS = [
    (0x84, "it does not speak MQTT 5"),
    (0x86, "wrong user name or password"),
    (0x88, "server unavailable"),
    (0x8A, "banned"),
    (0x9F, "connection rate exceeded"),
]


@pytest.mark.parametrize(("code", "words"), REFUSALS)
async def test_a_refusal_is_told_in_words(read: Read, code: int, words: str) -> None:
    welcome = mqtt5.ConnAckPacket(reason_code=mqtt5.ConnAckReasonCode(code), reason_str="told").write()
    async with FakeBroker() as broker, read(broker.url) as node:
        await broker.welcomed(welcome)
        await node.until(lambda standing: standing.fault == f"the broker refuses the node: {words}: told")
        assert not node.standing.connected


async def test_a_broker_of_mqtt_3_1_1_is_told_as_one(read: Read) -> None:
    async with FakeBroker() as broker, read(broker.url) as node:
        await broker.welcomed(b"\x20\x02\x00\x01")
        await node.until(lambda standing: standing.fault == "the broker does not speak MQTT 5")
        assert node.standing.ended == {"unsupported_version": 1}


async def test_a_goodbye_of_the_broker_is_told_and_answered_by_coming_back(read: Read) -> None:
    async with FakeBroker() as broker, read(broker.url) as node:
        peer = await broker.welcomed()
        await granted(peer)
        taken_over = mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER
        peer.send(message(b"1"), mqtt5.DisconnectPacket(reason_code=taken_over).write())
        assert await acknowledged(peer, 1) == [1]
        again = await broker.peer()
        assert "every node needs a client id of its own" in node.standing.fault
        assert isinstance(await again.packet(), mqtt5.ConnectPacket)


MALFORMED = [
    b"\x32\x05\x00\x01a\x00\x00",  # packet id 0
    b"\x36\x08\x00\x01a\x00\x01\x00xx",  # QoS 3
    b"\x34\x08\x00\x01a\x00\x01\x00xx",  # QoS 2, which was not asked for
    b"\x32\x07\x00\x02\xff\xfe\x00\x01\x00",  # a topic that is not UTF-8
    b"\x32\x09\x00\x01a\x00\x01\x03\x23\x00\x01",  # a topic alias, although none was allowed
    b"\x32\x08\x00\x01a\x00\x01\x02\x0b\x00",  # subscription identifier 0
    b"\x40\x02\x00\x01",  # PUBACK, although the node publishes nothing
    b"\x20\x03\x00\x00\x00",  # a second CONNACK
    b"\x90\x04\x00\x01\x00\xff",  # SUBACK with a code that nobody knows
    b"\xf0\x00",  # AUTH
    b"\xd0\x01\x00",  # PINGRESP with a body
    b"\x32\xff\xff\xff\xff\x01",  # a length of five bytes
    b"\x32\xff\xff\xff\x7f",  # a packet of 256 MiB
]


@pytest.mark.parametrize("wrong", MALFORMED)
async def test_malformed_packets_end_the_connection_and_nothing_else(read: Read, wrong: bytes) -> None:
    async with FakeBroker() as broker, read(broker.url) as node:
        peer = await broker.welcomed()
        await granted(peer)
        peer.send(message(b"good"), wrong, message(b"behind", packet_id=2))
        said = await peer.closed()
        assert any(isinstance(packet, mqtt5.PubAckPacket) for packet in said)
        assert isinstance(said[-1], mqtt5.DisconnectPacket)
        assert said[-1].reason_code != mqtt5.DisconnectReasonCode.NORMAL_DISCONNECTION
        assert node.journal.payloads() == [b"good"]
        assert sum(node.standing.ended.values()) == 1
        peer = await broker.welcomed()
        await granted(peer)
        peer.send(message(b"after"))
        assert await node.journaled(2) == [b"good", b"after"]


async def test_a_broker_that_greets_with_nonsense_is_left(read: Read) -> None:
    async with FakeBroker() as broker, read(broker.url) as node:
        await broker.welcomed(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await node.until(lambda standing: "no CONNACK" in standing.fault)


async def test_a_broker_that_never_welcomes_is_left_after_a_while(read: Read) -> None:
    async with FakeBroker() as broker, read(broker.url, connect_within=0.2) as node:
        await broker.peer()
        await node.until(lambda standing: "no answer within 0.2 s" in standing.fault)
        assert isinstance(await (await broker.peer()).packet(), mqtt5.ConnectPacket)


async def test_a_silent_broker_is_pinged_and_left(read: Read) -> None:
    async with FakeBroker() as broker, read(broker.url, keep_alive=1.0) as node:
        peer = await broker.welcomed()
        await granted(peer)
        await peer.until(mqtt5.PingReqPacket)
        await node.until(lambda standing: standing.fault == "the broker was silent for too long")


async def test_a_broker_that_answers_pings_is_kept(read: Read) -> None:
    async with FakeBroker() as broker, read(broker.url) as node:
        # The broker asks for a shorter keep-alive than the node's.
        peer = await broker.welcomed(mqtt5.ConnAckPacket(server_keep_alive=1).write())
        await granted(peer)
        for _ in range(4):
            await peer.until(mqtt5.PingReqPacket)
            peer.send(mqtt5.PingRespPacket().write())
        assert node.standing.connected
        assert node.standing.ended == {}


async def test_a_stream_that_may_not_be_read_is_a_fault_and_no_end(read: Read) -> None:
    async with FakeBroker() as broker, read(broker.url) as node:
        peer = await broker.welcomed()
        await granted(peer, code=0x87)
        await node.until(lambda standing: "refuses site/+/soil: not authorized" in standing.fault)
        assert node.standing.connected
        assert not node.standing.dropped_known
        assert "$SYS" not in node.standing.fault


async def test_what_puts_messages_at_risk_is_said(read: Read) -> None:
    welcome = mqtt5.ConnAckPacket(
        session_expiry_interval=60, max_qos=mqtt5.QoS(0), subscription_id_available=False
    ).write()
    routes = {"air": "site/{zone}/air", "first": "site/z1/{kind}"}
    async with FakeBroker() as broker, read(broker.url, routes=routes) as node:
        peer = await broker.welcomed(welcome)
        asked = await granted(peer, code=0)
        assert all(packet.subscription_id is None for packet in asked)
        await until(lambda: len(node.standing.warnings) == 3, within=PATIENCE_S)
        expiry, qos, identifiers = node.standing.warnings
        assert "keeps the session for 60 s instead of 168 h" in expiry
        assert "QoS 0 only" in qos
        assert "no subscription identifiers" in identifiers
        peer.send(message(b"1", qos=0, ids=[]))
        assert await node.journaled(1) == [b"1"]


async def test_a_broker_without_shared_subscriptions_is_refused_for_a_group(read: Read) -> None:
    welcome = mqtt5.ConnAckPacket(shared_subscription_available=False).write()
    async with FakeBroker() as broker, read(broker.url, share="g") as node:
        peer = await broker.welcomed(welcome)
        await node.until(lambda standing: "no shared subscriptions" in standing.fault)
        said = await peer.closed()
        assert not any(isinstance(packet, mqtt5.SubscribePacket) for packet in said)


async def test_leaving_says_goodbye_and_keeps_the_session(read: Read) -> None:
    async with FakeBroker() as broker:
        async with read(broker.url) as node:
            peer = await broker.welcomed()
            await granted(peer)
            await node.subscribed()
        said = await peer.closed()
        assert isinstance(said[-1], mqtt5.DisconnectPacket)
        assert said[-1].reason_code == mqtt5.DisconnectReasonCode.NORMAL_DISCONNECTION
        assert said[-1].session_expiry_interval is None


async def test_what_is_in_hand_when_the_node_stops_is_journaled_and_acknowledged(read: Read) -> None:
    async with FakeBroker() as broker:
        async with read(broker.url) as node:
            peer = await broker.welcomed()
            await granted(peer)
            node.journal.hold()
            peer.send(message(b"1"))
            await node.journal.reached.wait()
            node.brokers._links[0].stop()
            node.journal.let_go()
        said = await peer.closed()
        assert [type(packet) for packet in said] == [mqtt5.PubAckPacket, mqtt5.DisconnectPacket]
        assert node.journal.payloads() == [b"1"]
