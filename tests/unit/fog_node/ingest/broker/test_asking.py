import mqtt5

from fog_node.ingest.broker.asking import Asking
from fog_node.ingest.broker.packets import Subscribed, Unsubscribed
from fog_node.ingest.broker.subscriptions import DROPPED_TOPIC, identifier


def packets(data: bytes) -> list[mqtt5.Packet]:
    found = []
    while data:
        packet, length = mqtt5.read(memoryview(data))
        found.append(packet)
        data = data[length:]
    return found


def test_every_filter_is_asked_for_with_its_identifier() -> None:
    asking = Asking(identifiers=True)
    asked = packets(asking.subscribe(["a/+", "b"]) + asking.subscribe_drops())
    assert [p.packet_id for p in asked if isinstance(p, mqtt5.SubscribePacket)] == [1, 2, 3]
    assert [p.subscription_id for p in asked if isinstance(p, mqtt5.SubscribePacket)] == [
        identifier("a/+"),
        identifier("b"),
        identifier(DROPPED_TOPIC),
    ]


def test_answers_say_what_is_granted_and_what_is_wrong() -> None:
    asking = Asking(identifiers=False)
    asking.subscribe(["a/+", "b", "c"])
    asking.subscribed(Subscribed(packet_id=1, codes=(1,)))
    asking.subscribed(Subscribed(packet_id=2, codes=(0x87,), reason_text="never"))
    asking.subscribed(Subscribed(packet_id=3, codes=(0,)))
    asking.subscribed(Subscribed(packet_id=99, codes=(1,)))
    assert asking.granted == {"a/+": 1, "c": 0}
    assert asking.at_most_once() == ["c"]
    assert asking.fault() == "the broker refuses b: not authorized: never"


def test_a_broker_that_does_not_tell_its_drops_has_no_fault() -> None:
    asking = Asking(identifiers=True)
    asking.subscribe_drops()
    asking.subscribed(Subscribed(packet_id=1, codes=(0x87,)))
    assert not asking.fault()


def test_what_is_given_up_is_forgotten() -> None:
    asking = Asking(identifiers=True)
    asking.subscribe(["a"])
    asking.subscribed(Subscribed(packet_id=1, codes=(0x87,)))
    (packet,) = packets(asking.unsubscribe(["a"]))
    assert isinstance(packet, mqtt5.UnsubscribePacket)
    assert packet.patterns == ["a"]
    assert not asking.fault()
    assert asking.unsubscribed(Unsubscribed(packet_id=packet.packet_id)) == "a"
    assert asking.unsubscribed(Unsubscribed(packet_id=packet.packet_id)) is None


def test_packet_ids_come_round() -> None:
    asking = Asking(identifiers=True)
    asking._packet_id = 65_535
    (packet,) = packets(asking.subscribe(["a"]))
    assert isinstance(packet, mqtt5.SubscribePacket)
    assert packet.packet_id == 1
