import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fog_node.ingest.packets import MalformedPacket, Reason
from fog_node.ingest.publish import KNOWN_HEADERS, PublishParser, Run
from fog_node.ingest.topics import TemplateRouter
from tests.unit.fog_node.ingest import obvious
from tests.unit.fog_node.ingest.packets_in import PINGREQ, packet, publish, publishes

LIMIT = 4096
VERSIONS = pytest.mark.parametrize("version", [4, 5])


def parser(version: int, router: TemplateRouter | None = None) -> PublishParser:
    return PublishParser(version=version, max_packet_bytes=LIMIT, router=router or TemplateRouter())


def messages(run: Run) -> list[obvious.Message]:
    if run.published is None:
        return []
    found = run.published
    columns = (found.topic_codes.tolist(), found.payloads, found.packet_ids.tolist(), found.flags.tolist())
    return [
        obvious.Message(found.topics[code].text, payload, packet_id, flags)
        for code, payload, packet_id, flags in zip(*columns, strict=True)
    ]


def assert_agrees(data: bytes, version: int, used: PublishParser | None = None) -> None:
    run = (used or parser(version)).parse(data, 0)
    expected, end, wrong = obvious.every(data, version=version, limit=LIMIT)
    assert messages(run) == expected
    assert run.end == end
    # The batch parser may see sooner than its end that a packet can never be taken, but never the reverse.
    if wrong:
        assert run.fault is not None
    elif run.fault is not None:
        filled = data + bytes(LIMIT)
        assert obvious.every(filled[end:], version=version, limit=LIMIT)[2]


@given(st.sampled_from([4, 5]), st.data())
def test_what_devices_send_is_parsed_as_the_obvious_parser_parses_it(
    version: int, data: st.DataObject
) -> None:
    frames = data.draw(st.lists(publishes(version), max_size=12))
    assert_agrees(b"".join(frames) + data.draw(st.sampled_from([b"", PINGREQ, b"\x32"])), version)


@settings(max_examples=150)
@given(st.sampled_from([4, 5]), st.data())
def test_a_changed_byte_changes_both_parsers_alike(version: int, data: st.DataObject) -> None:
    stream = bytearray(b"".join(data.draw(st.lists(publishes(version), min_size=1, max_size=4))))
    stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    used = parser(version)
    used.parse(b"".join(data.draw(st.lists(publishes(version), max_size=4))), 0)
    assert_agrees(bytes(stream), version, used)


@given(st.sampled_from([4, 5]), st.binary(max_size=60))
def test_random_bytes_are_parsed_as_the_obvious_parser_parses_them(version: int, tail: bytes) -> None:
    assert_agrees(b"\x32" + tail, version)
    assert_agrees(publish(version, "a/b", b"x", 1, 7) + b"\x32" + tail, version)


@VERSIONS
def test_ten_thousand_changed_bytes_are_parsed_alike(version: int) -> None:
    rng = random.Random(17)
    frames = [
        publish(version, f"site/z{n % 3}/d{n}/air", b'{"temp":21.5}', 1 + n % 2, n + 1) for n in range(12)
    ]
    good = b"".join(frames)
    used = parser(version)
    for _ in range(5_000):
        stream = bytearray(good)
        stream[rng.randrange(len(stream))] = rng.randrange(256)
        assert_agrees(bytes(stream), version, used)


@VERSIONS
@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"\x36\x05\x00\x01a\x00\x01", Reason.MALFORMED),
        (b"\x38\x04\x00\x01a\x00", Reason.MALFORMED),
        (b"\x32\x06\x00\x01a\x00\x00\x00", Reason.MALFORMED),
        (b"\x32\x06\x00\x01+\x00\x01\x00", Reason.TOPIC_NAME_INVALID),
        (b"\x32\x06\x00\x01#\x00\x01\x00", Reason.TOPIC_NAME_INVALID),
        (b"\x32\x06\x00\x01\x00\x00\x01\x00", Reason.MALFORMED),
        (b"\x32\x06\x00\x01\xff\x00\x01\x00", Reason.MALFORMED),
        (b"\x32\x05\x00\x00\x00\x01\x00", Reason.PROTOCOL_ERROR),
        (b"\x32\x06\x00\x09a\x00\x01\x00", Reason.MALFORMED),
        (b"\x32\xff\xff\x7f", Reason.PACKET_TOO_LARGE),
        (b"\x32\x86\x00\x00\x01a\x00\x01\x00", Reason.MALFORMED),
        (b"\x32\xff\xff\xff\xff\x01", Reason.MALFORMED),
    ],
)
def test_a_malformed_message_is_refused_and_what_came_before_it_is_kept(
    version: int, frame: bytes, reason: Reason
) -> None:
    before = publish(version, "a", b"kept", 1, 3)
    run = parser(version).parse(before + frame, 0)
    assert [message.payload for message in messages(run)] == [b"kept"]
    assert run.end == len(before)
    assert isinstance(run.fault, MalformedPacket)
    assert run.fault.reason is reason


def test_a_retained_message_is_refused_in_5_and_taken_in_311() -> None:
    assert parser(4).parse(publish(4, "a", b"", retain=True), 0).fault is None
    fault = parser(5).parse(publish(5, "a", b"", retain=True), 0).fault
    assert fault is not None
    assert fault.reason is Reason.RETAIN_NOT_SUPPORTED


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        (b"\x23\x00\x01", Reason.TOPIC_ALIAS_INVALID),
        (b"\x0b\x01", Reason.MALFORMED),
        (b"\x01\x02", Reason.PROTOCOL_ERROR),
        (b"\x01\x01\x01\x01", Reason.PROTOCOL_ERROR),
        (b"\x11\x00\x00\x00\x00", Reason.MALFORMED),
        (b"\x02\x00", Reason.MALFORMED),
        (b"\x03\x00\x05ab", Reason.MALFORMED),
        (b"\x08\x00\x01#", Reason.TOPIC_NAME_INVALID),
        (b"\x26\x00\x01a\x00\x01\xff", Reason.MALFORMED),
    ],
)
def test_wrong_properties_are_refused(properties: bytes, reason: Reason) -> None:
    good = publish(5, "a", b"kept", 1, 1, b"\x01\x01")
    run = parser(5).parse(good + publish(5, "a", b"", 1, 2, properties), 0)
    assert [message.payload for message in messages(run)] == [b"kept"]
    assert run.fault is not None
    assert run.fault.reason is reason


@VERSIONS
def test_a_message_that_is_too_large_is_refused_before_it_has_arrived(version: int) -> None:
    start = publish(version, "a", bytes(LIMIT))[:4]
    fault = parser(version).parse(start, 0).fault
    assert fault is not None
    assert fault.reason is Reason.PACKET_TOO_LARGE


@VERSIONS
def test_more_headers_than_are_remembered_are_parsed_all_the_same(version: int) -> None:
    used = parser(version)
    for start in range(0, 3 * KNOWN_HEADERS, 1000):
        data = b"".join(publish(version, f"t/{n}", b"", 1, 1) for n in range(start, start + 1000))
        assert [m.topic for m in messages(used.parse(data, 0))] == [
            f"t/{n}" for n in range(start, start + 1000)
        ]


@VERSIONS
def test_headers_of_all_sizes_follow_one_another(version: int) -> None:
    frames = [
        publish(version, "t" * topic, bytes(payload), qos, 5)
        for topic in (1, 3, 120, 127, 128, 255, 256, 300)
        for payload in (0, 1, 100, 130)
        for qos in (0, 1, 2)
    ]
    used = parser(version)
    for _ in range(2):
        assert_agrees(b"".join(frames), version, used)


@VERSIONS
def test_a_new_plan_is_seen_by_a_connection_that_knows_the_topic(version: int) -> None:
    router = TemplateRouter({})
    used = parser(version, router)
    data = publish(version, "site/z1/air", b"")
    before = used.parse(data, 0).published
    router.replace({"air": "site/{zone}/air"})
    after = used.parse(data, 0).published
    assert before is not None
    assert after is not None
    assert before.topics[0].streams == ()
    assert after.topics[0].streams == ("air",)


def test_another_packet_ends_the_run() -> None:
    data = publish(4, "a", b"1") + PINGREQ + publish(4, "a", b"2")
    run = parser(4).parse(data, 0)
    assert run.end == len(publish(4, "a", b"1"))
    assert run.fault is None
    assert packet(0xC0, b"") == PINGREQ
