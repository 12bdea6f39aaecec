from collections import Counter

import mqtt5
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fog_node.ingest.broker.conversation import State
from fog_node.ingest.broker.packets import Subscribed, Welcome
from fog_node.ingest.broker.subscriptions import DROPPED_TOPIC, identifier
from tests.unit.fog_node.ingest.broker.core import ROUTES, WELCOME, Node
from tests.unit.fog_node.ingest.packets_in import cuts

AIR, ZONE = identifier("site/+/air"), identifier("site/z1/+")
TOPICS = ["site/z1/air", "site/z2/air", "site/z1/soil", "site/z9/soil", "nowhere"]


def message(
    payload: bytes = b"21.5",
    *,
    topic: str = "site/z2/air",
    qos: int = 1,
    packet_id: int = 1,
    ids: tuple[int, ...] = (AIR,),
    again: bool = False,
    retain: bool = False,
    expiry_s: int | None = None,
) -> bytes:
    return mqtt5.PublishPacket(
        topic,
        payload,
        qos=mqtt5.QoS(qos),
        packet_id=packet_id if qos else None,
        subscription_ids=list(ids),
        duplicate=again,
        retain=retain,
        message_expiry_interval=expiry_s,
    ).write()


def open_node(**given: dict[str, str]) -> Node:
    node = Node(**given)  # type: ignore[arg-type]  # the tests' own keywords
    node.hears(WELCOME)
    return node


def ack(*packet_ids: int) -> bytes:
    return b"".join(b"\x40\x02" + number.to_bytes(2, "big") for number in packet_ids)


def test_a_message_is_journaled_then_acknowledged() -> None:
    node = open_node()
    assert node.hears(message(b"1", packet_id=7) + message(b"2", qos=0) + message(b"3", packet_id=9)) == ack(
        7, 9
    )
    assert node.payloads() == [b"1", b"2", b"3"]


def test_a_welcome_opens_once() -> None:
    node = open_node()
    assert isinstance(node.heard[0], Welcome)
    node.hears(WELCOME)
    assert node.closed is not None
    assert node.closed.reason == "protocol_error"


def test_a_message_counts_for_the_streams_of_its_subscriptions_only() -> None:
    node = open_node()
    node.hears(
        message(b"1", topic="site/z1/air", ids=(AIR,)), message(b"1", topic="site/z1/air", ids=(ZONE,))
    )
    node.hears(message(b"2", topic="site/z1/air", ids=(AIR, ZONE)))
    node.hears(message(b"3", topic="site/z1/air", ids=(123,)))
    assert node.payloads("air") == node.payloads("zone") == [b"1", b"2"]
    assert node.unrouted == 1


def test_without_identifiers_the_topic_says_where_a_message_goes() -> None:
    node = open_node()
    node.hears(message(b"1", topic="site/z1/air", ids=()))
    assert node.payloads("air") == node.payloads("zone") == [b"1"]


def test_other_properties_are_read_past() -> None:
    node = open_node()
    node.hears(message(b"1", expiry_s=9), message(b"2"), message(b"3", ids=(5, AIR), expiry_s=9))
    assert node.payloads() == [b"1", b"2", b"3"]


def test_retained_messages_are_counted_and_acknowledged_and_no_more() -> None:
    node = open_node()
    assert node.hears(message(b"old", retain=True, packet_id=3) + message(b"new", packet_id=4)) == ack(3, 4)
    assert node.payloads() == [b"new"]
    assert node.retained == 1
    node.hears(message(b"old", retain=True, packet_id=3, again=True))
    assert (node.retained, node.redelivered) == (2, 0)


def test_a_redelivery_is_known_by_packet_id_and_content() -> None:
    node = open_node()
    node.hears(message(b"1", packet_id=5))
    assert node.hears(message(b"1", packet_id=5, again=True)) == ack(5)
    node.hears(message(b"2", packet_id=5, again=True))
    assert node.payloads() == [b"1", b"2"]
    assert node.redelivered == 1


def test_the_broker_s_own_count_is_no_message() -> None:
    node = open_node()
    dropped = identifier(DROPPED_TOPIC)
    said = message(b"12", topic=DROPPED_TOPIC, qos=0, ids=(dropped,), retain=True)
    wrong = message(b"many", topic=DROPPED_TOPIC, qos=0, ids=(dropped,))
    node.hears(message(b"1") + said + message(b"2", packet_id=2))
    node.hears(said)
    node.hears(wrong + message(b"3", packet_id=3))
    node.hears(wrong)
    assert node.dropped == [12, 12]
    assert node.payloads() == [b"1", b"2", b"3"]
    assert (node.taken, node.unrouted) == (3, 0)


def test_what_came_before_a_fault_is_taken() -> None:
    node = open_node()
    said = node.hears(message(b"1") + message(b"2", qos=2, packet_id=2) + message(b"3", packet_id=3))
    assert said == ack(1) + b"\xe0\x01\x82"
    assert node.payloads() == [b"1"]
    assert node.conversation.state is State.CLOSED


def test_nothing_of_a_part_is_taken() -> None:
    node, whole = open_node(), message(b"x" * 300)
    node.hears(*(whole[at : at + 1] for at in range(len(whole) - 1)))
    assert not node.payloads()
    node.hears(whole[-1:])
    assert node.payloads() == [b"x" * 300]


def test_answers_come_out_as_values() -> None:
    node = open_node()
    code = mqtt5.SubAckReasonCode.QUOTA_EXCEEDED
    node.hears(mqtt5.SubAckPacket(3, [code], reason_str="full").write())
    assert node.heard[-1] == Subscribed(packet_id=3, codes=(0x97,), reason_text="full")


@pytest.mark.parametrize("text", [b"\xff", b"\x00"])
def test_a_text_that_is_none_never_reaches_the_codec(text: bytes) -> None:
    node = Node()
    node.hears(b"\x20\x07\x00\x87\x04\x1f\x00\x01" + text)
    assert node.closed is not None
    assert node.closed.reason == "malformed"


@st.composite
def deliveries(draw: st.DrawFn) -> list[dict[str, object]]:
    """What a broker may deliver, in the words of :func:`message`."""
    return draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "payload": st.binary(max_size=8),
                    "topic": st.sampled_from(TOPICS),
                    "qos": st.sampled_from([0, 1, 1]),
                    "packet_id": st.integers(1, 9),
                    "ids": st.sampled_from([(AIR,), (ZONE,), (AIR, ZONE), (), (77,), (1, AIR)]),
                    "expiry_s": st.sampled_from([None, None, 60]),
                }
            ),
            max_size=12,
        )
    )


@given(st.data())
@settings(max_examples=150)
def test_however_the_bytes_are_cut_each_stream_takes_what_its_subscriptions_bring(
    data: st.DataObject,
) -> None:
    given_messages = data.draw(deliveries())
    stream = b"".join(message(**fields) for fields in given_messages)  # type: ignore[arg-type]  # as drawn
    node = open_node()
    node.hears(*data.draw(cuts(stream)))
    filters = {AIR: {"air"}, ZONE: {"zone"}}
    expected: dict[str, list[object]] = {name: [] for name in ROUTES}
    for fields in given_messages:
        ids = fields["ids"]
        assert isinstance(ids, tuple)
        allowed = set(ROUTES) if not ids else set().union(*(filters.get(number, set()) for number in ids))
        for name in node.router.route(str(fields["topic"])):
            if name in allowed:
                expected[name].append(fields["payload"])
    assert {name: node.payloads(name) for name in ROUTES} == expected
    asked = Counter(fields["packet_id"] for fields in given_messages if fields["qos"])
    assert Counter(_acks(node.said)) == asked


def _acks(said: bytes) -> list[int]:
    found = []
    while said:
        packet, length = mqtt5.read(memoryview(said))
        assert isinstance(packet, mqtt5.PubAckPacket)
        found.append(packet.packet_id)
        said = said[length:]
    return found
