import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fog_node.ingest.listener.conversation import PINGRESP, State
from fog_node.ingest.publish import Run
from tests.unit.fog_node.ingest import obvious
from tests.unit.fog_node.ingest.listener.core import LIMIT, RECEIVE_MAXIMUM, Device
from tests.unit.fog_node.ingest.packets_in import (
    DISCONNECT,
    PINGREQ,
    connect,
    cuts,
    packet,
    publish,
    publishes,
    pubrel,
    text,
)

VERSIONS = pytest.mark.parametrize("version", [4, 5])
AIR = "site/z9/air"


def open_device(version: int, **given: object) -> Device:
    device = Device(**given)  # type: ignore[arg-type]  # the tests' own keywords
    device.says(connect(version))
    return device


def ack(kind: int, packet_id: int, reason: int = 0) -> bytes:
    if reason:
        return bytes([kind << 4, 3]) + packet_id.to_bytes(2, "big") + bytes([reason])
    return bytes([kind << 4, 2]) + packet_id.to_bytes(2, "big")


@VERSIONS
def test_each_level_has_its_acknowledgement(version: int) -> None:
    device = open_device(version)
    assert device.says(publish(version, AIR, b"0", 0)) == b""
    assert device.says(publish(version, AIR, b"1", 1, 7)) == ack(4, 7)
    assert device.says(publish(version, AIR, b"2", 2, 8)) == ack(5, 8)
    assert device.says(pubrel(8)) == ack(7, 8)
    assert device.payloads() == [b"0", b"1", b"2"]
    assert [m.flags for _, m in device.journal] == [b"\0", b"\1", b"\2"]


@VERSIONS
def test_a_topic_of_no_stream_is_acknowledged_and_counted(version: int) -> None:
    device = open_device(version)
    assert device.says(publish(version, "elsewhere", b"", 1, 7)) == ack(4, 7, 0x10 if version == 5 else 0)
    assert device.unrouted == 1
    assert device.journal == []


@VERSIONS
def test_a_topic_of_two_streams_is_journaled_in_both(version: int) -> None:
    device = open_device(version)
    assert device.says(publish(version, "site/z1/air", b"x", 1, 7)) == ack(4, 7)
    assert device.payloads("air") == device.payloads("zone") == [b"x"]


@VERSIONS
def test_a_repetition_across_connections_is_acknowledged_and_not_journaled(version: int) -> None:
    first = open_device(version)
    first.says(publish(version, AIR, b"x", 1, 7))
    again = open_device(version, sessions=first.sessions)
    assert again.says(publish(version, AIR, b"x", 1, 7, dup=True)) == ack(4, 7)
    assert again.journal == []
    assert again.redelivered == 1


@VERSIONS
@pytest.mark.parametrize(
    "different",
    [
        {"topic": "site/z8/air", "payload": b"x"},
        {"topic": AIR, "payload": b"y"},
        {"topic": AIR, "payload": b"x", "packet_id": 8},
    ],
)
def test_another_message_with_the_dup_flag_is_journaled(version: int, different: dict[str, str]) -> None:
    device = open_device(version)
    device.says(publish(version, AIR, b"x", 1, 7))
    device.says(publish(version, **{"packet_id": 7, **different}, dup=True))  # type: ignore[arg-type]
    assert len(device.journal) == 2


@VERSIONS
def test_a_clean_start_makes_a_repetition_a_new_message(version: int) -> None:
    first = open_device(version)
    first.says(publish(version, AIR, b"x", 1, 7))
    again = Device(sessions=first.sessions)
    again.says(connect(version, clean=True), publish(version, AIR, b"x", 1, 7, dup=True))
    assert again.payloads() == [b"x"]


@VERSIONS
def test_a_repetition_that_one_of_two_streams_holds_is_journaled_in_the_other(version: int) -> None:
    first = open_device(version, full=["zone"])
    assert first.says(publish(version, "site/z1/air", b"x", 1, 7)) == ack(4, 7)
    again = open_device(version, sessions=first.sessions)
    assert again.says(publish(version, "site/z1/air", b"x", 1, 7, dup=True)) == ack(4, 7)
    assert (again.payloads("air"), again.payloads("zone")) == ([], [b"x"])


@VERSIONS
def test_a_repetition_in_the_same_read_is_seen(version: int) -> None:
    device = open_device(version)
    data = publish(version, AIR, b"x", 1, 7) + publish(version, AIR, b"x", 1, 7, dup=True)
    assert device.says(data) == ack(4, 7) * 2
    assert device.payloads() == [b"x"]


@VERSIONS
def test_a_repetition_of_a_refused_message_in_the_same_read_is_refused_too(version: int) -> None:
    device = open_device(version, full=["air"])
    data = publish(version, AIR, b"x", 1, 7) + publish(version, AIR, b"x", 1, 7, dup=True)
    assert device.says(data) == (ack(4, 7, 0x97) * 2 if version == 5 else b"")


@VERSIONS
def test_an_unreleased_message_is_not_journaled_again(version: int) -> None:
    device = open_device(version)
    frame = publish(version, AIR, b"x", 2, 7, dup=True)
    assert device.says(publish(version, AIR, b"x", 2, 7), frame, pubrel(7)) == ack(5, 7) * 2 + ack(7, 7)
    assert device.payloads() == [b"x"]
    device.says(publish(version, AIR, b"x", 2, 7))
    assert device.payloads() == [b"x", b"x"]


def test_a_new_message_under_an_unreleased_id_is_refused_in_5() -> None:
    device = open_device(5)
    device.says(publish(5, AIR, b"x", 2, 7))
    assert device.says(publish(5, AIR, b"y", 2, 7)) == ack(5, 7, 0x91)
    assert device.payloads() == [b"x"]


def test_the_release_of_an_unknown_id_is_completed_all_the_same() -> None:
    assert open_device(5).says(pubrel(9)) == ack(7, 9, 0x92)
    assert open_device(4).says(pubrel(9)) == ack(7, 9)


@VERSIONS
def test_a_full_journal_is_said_in_5_and_silent_in_311(version: int) -> None:
    device = open_device(version, full=["air"])
    frames = publish(version, AIR, b"x", 1, 7) + publish(version, "site/z9/soil", b"y", 1, 8)
    refused = ack(4, 7, 0x97) if version == 5 else b""
    assert device.says(frames) == refused + ack(4, 8)
    assert device.says(publish(version, AIR, b"x", 2, 9)) == (ack(5, 9, 0x97) if version == 5 else b"")
    assert device.payloads() == []
    # What was refused is no redelivery when it comes again.
    device.full = ()
    device.says(publish(version, AIR, b"x", 1, 7, dup=True))
    assert device.payloads() == [b"x"]


def test_a_retained_message_of_311_is_an_ordinary_one() -> None:
    device = open_device(4)
    assert device.says(publish(4, AIR, b"x", 1, 7, retain=True)) == ack(4, 7)
    assert device.retained == 1
    assert device.journal[0][1].flags == bytes([0b1001])


def test_a_retained_message_of_5_ends_the_connection_as_the_standard_says() -> None:
    device = open_device(5)
    assert device.says(publish(5, AIR, b"x", 1, 7, retain=True)) == b"\xe0\x01\x9a"
    assert device.closed is not None
    assert device.closed.reason == "retain_not_supported"


@VERSIONS
def test_what_is_no_publish_is_answered(version: int) -> None:
    device = open_device(version)
    empty = b"\0" if version == 5 else b""
    assert device.says(PINGREQ) == PINGRESP
    subscribe = device.says(packet(0x82, b"\0\5" + empty + text("a") + b"\0"))
    assert subscribe == b"\x90" + (b"\4\0\5\0\x87" if version == 5 else b"\3\0\5\x80")
    unsubscribe = device.says(packet(0xA2, b"\0\5" + empty + text("a")))
    assert unsubscribe == b"\xb0" + (b"\4\0\5\0\x11" if version == 5 else b"\2\0\5")


@VERSIONS
def test_a_goodbye_voids_the_will(version: int) -> None:
    device = Device()
    device.says(connect(version, will=(AIR, b"gone", 1)))
    assert device.conversation.will is not None
    device.says(DISCONNECT + publish(version, AIR, b"late", 1, 1))
    conversation = device.conversation
    assert (conversation.will, conversation.state) == (None, State.CLOSED)
    assert device.closed is not None
    assert device.closed.reason == ""
    assert device.journal == []


def test_a_goodbye_with_will_keeps_it() -> None:
    device = Device()
    device.says(connect(5, will=(AIR, b"gone", 1)), b"\xe0\x01\x04")
    assert device.conversation.will is not None


def test_a_goodbye_cannot_prolong_a_session_that_was_not_to_be_kept() -> None:
    device = Device()
    device.says(connect(5, expiry_s=0))
    assert device.says(b"\xe0\x07\x00\x05\x11\x00\x00\x00\x09") == b"\xe0\x01\x82"
    kept = Device()
    kept.says(connect(5, expiry_s=5), b"\xe0\x07\x00\x05\x11\x00\x00\x00\x09")
    assert kept.conversation.session_expiry_s == 9


@VERSIONS
@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (connect(4), "protocol_error"),
        (b"\xf0\x02\x18\x00", "protocol_error"),
        (b"\x20\x02\x00\x00", "protocol_error"),
        (b"\xc3\x00", "malformed"),
        (b"\x62\x02\x00\x00", "malformed"),
        (b"\x32\xff\xff\xff\x7f", "packet_too_large"),
    ],
)
def test_a_fault_ends_the_connection_and_is_named(version: int, frame: bytes, reason: str) -> None:
    device = Device()
    device.says(connect(version, will=(AIR, b"gone", 1)))
    if frame[0] == 0x10:
        frame = connect(version)
    said = device.says(publish(version, AIR, b"kept", 1, 1) + frame)
    assert device.payloads() == [b"kept"]
    assert device.closed is not None
    assert device.closed.reason == reason
    assert said[:4] == ack(4, 1)
    assert said[4:] == b"" if version == 4 else said[4:6] == b"\xe0\x01"
    assert device.conversation.will is not None


@pytest.mark.parametrize(
    ("frame", "said", "reason"),
    [
        (PINGREQ, b"", "protocol_error"),
        (publish(4, AIR, b""), b"", "protocol_error"),
        (
            packet(0x10, text("MQIsdp") + b"\x03\x02\x00\x00" + text("a")),
            b"\x20\2\0\1",
            "unsupported_version",
        ),
        (packet(0x10, text("MQTT") + b"\x06\x02\x00\x00" + text("a")), b"\x20\2\0\1", "unsupported_version"),
        (connect(4, ""), b"\x20\2\0\2", "client_id_not_valid"),
        (connect(4, "x" * 2000), b"\x20\2\0\2", "client_id_not_valid"),
        (connect(5, "x" * 2000), b"\x20\3\0\x85\0", "client_id_not_valid"),
        (connect(4, will=("a/#", b"", 0)), b"", "topic_name_invalid"),
        (b"\x10\xff\xff\xff\x7f", b"", "packet_too_large"),
        (packet(0x10, b""), b"", "malformed"),
    ],
)
def test_a_wrong_greeting_is_refused(frame: bytes, said: bytes, reason: str) -> None:
    device = Device()
    assert device.says(frame) == said
    assert device.closed is not None
    assert device.closed.reason == reason
    assert device.says(connect(4)) == b""


def test_more_than_the_receive_maximum_ends_the_connection() -> None:
    def frames(count: int) -> bytes:
        return b"".join(publish(5, AIR, b"", 1, n + 1) for n in range(count))

    device = open_device(5)
    assert len(device.says(frames(RECEIVE_MAXIMUM))) == 4 * RECEIVE_MAXIMUM
    assert device.says(frames(RECEIVE_MAXIMUM + 1)) == b"\xe0\x01\x93"
    assert len(device.payloads()) == RECEIVE_MAXIMUM


def test_unreleased_messages_count_against_the_receive_maximum() -> None:
    device = open_device(5)
    for packet_id in range(1, RECEIVE_MAXIMUM + 1):
        device.says(publish(5, AIR, b"", 2, packet_id))
    assert device.says(publish(5, AIR, b"", 2, 3, dup=True)) == ack(5, 3)
    assert device.says(publish(5, AIR, b"", 1, 999)) == b"\xe0\x01\x93"


@settings(max_examples=60)
@given(st.sampled_from([4, 5]), st.data())
def test_any_cut_of_the_stream_gives_the_same_messages_and_answers(version: int, data: st.DataObject) -> None:
    other = st.sampled_from([PINGREQ, pubrel(3)])
    frames = data.draw(st.lists(publishes(version) | other, max_size=10))
    stream = connect(version) + b"".join(frames)
    everywhere = {"all": "{a}", "more": "{a}/{b}", "most": "{a}/{b}/{c}/{d}"}
    whole, cut = Device(), Device()
    for device in (whole, cut):
        device.router.replace(everywhere)
    whole.says(stream)
    cut.says(*data.draw(cuts(stream)))
    assert cut.heard == whole.heard
    for name in everywhere:
        assert cut.payloads(name) == whole.payloads(name)


@settings(max_examples=60)
@given(st.sampled_from([4, 5]), st.data())
def test_new_messages_are_journaled_as_the_obvious_parser_reads_them(
    version: int, data: st.DataObject
) -> None:
    count = data.draw(st.integers(1, 20))
    expected, stream = [], connect(version)
    for packet_id in range(1, count + 1):
        qos = data.draw(st.integers(0, 2))
        frame = publish(version, AIR, data.draw(st.binary(max_size=30)), qos, packet_id)
        expected.append(obvious.one(frame, version=version, limit=LIMIT)[0].payload)
        stream += frame
    device = Device()
    device.says(*data.draw(cuts(stream)))
    assert device.payloads() == expected


def test_a_packet_that_comes_byte_by_byte_is_not_parsed_byte_by_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    device = open_device(4)
    frame = publish(4, AIR, bytes(3000), 1, 7)
    calls: list[int] = []
    parser = device.conversation._parser
    assert parser is not None
    parse = parser.parse

    def counted(data: bytes, at: int) -> Run:
        calls.append(at)
        return parse(data, at)

    monkeypatch.setattr(parser, "parse", counted)
    device.says(*(frame[n : n + 1] for n in range(len(frame))))
    assert device.payloads() == [bytes(3000)]
    assert len(calls) < 8
