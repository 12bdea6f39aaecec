import contextlib
import random

import mqtt5
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fog_node.ingest.listener.codec_v5 import CodecV5
from fog_node.ingest.listener.codec_v311 import CodecV311
from fog_node.ingest.listener.packets import (
    Authenticate,
    Codec,
    Connect,
    Goodbye,
    Ping,
    Release,
    Subscribe,
    Unsubscribe,
    Welcome,
    Will,
)
from fog_node.ingest.packet_v5 import read_packet
from fog_node.ingest.packets import MalformedPacket, Reason
from tests.unit.fog_node.ingest.packets_in import DISCONNECT, PINGREQ, connect, packet, pubrel, text

FIVE, OLD = CodecV5(), CodecV311()
BOTH = pytest.mark.parametrize("codec", [FIVE, OLD], ids=["5", "3.1.1"])
WELCOME = Welcome(session_present=True, receive_maximum=20, max_packet_bytes=1000)


@BOTH
def test_connect_is_read_with_everything_in_it(codec: Codec) -> None:
    frame = connect(codec.version, "d", clean=True, will=("t", b"gone", 1), user="u", password=b"p")
    assert codec.read(frame) == Connect(
        client="d",
        clean=True,
        keep_alive_s=60,
        will=Will(topic="t", payload=b"gone", qos=1, retain=False),
        user="u",
        password=b"p",
        session_expiry_s=3600 if codec.version == 5 else 0,
    )


@BOTH
def test_the_small_packets_are_read(codec: Codec) -> None:
    properties = b"\0" if codec.version == 5 else b""
    assert codec.read(PINGREQ) == Ping()
    assert codec.read(DISCONNECT) == Goodbye()
    assert codec.read(pubrel(7)) == Release(packet_id=7)
    subscribe = packet(0x82, b"\0\5" + properties + text("a/#") + b"\1" + text("b") + b"\0")
    assert codec.read(subscribe) == Subscribe(packet_id=5, filters=2)
    unsubscribe = packet(0xA2, b"\0\5" + properties + text("a/#"))
    assert codec.read(unsubscribe) == Unsubscribe(packet_id=5, filters=1)


def test_a_goodbye_may_ask_for_the_will() -> None:
    assert FIVE.read(b"\xe0\x01\x04") == Goodbye(with_will=True)
    assert FIVE.read(mqtt5.AuthPacket(authentication_method="x").write()) == Authenticate()


def test_subscriptions_are_refused() -> None:
    request = Subscribe(packet_id=5, filters=2)
    answer, _ = mqtt5.read(memoryview(FIVE.subscribed(request)))
    assert isinstance(answer, mqtt5.SubAckPacket)
    assert answer.reason_codes == [mqtt5.SubAckReasonCode.NOT_AUTHORIZED] * 2
    assert OLD.subscribed(request) == b"\x90\x04\x00\x05\x80\x80"
    assert OLD.unsubscribed(Unsubscribe(packet_id=5, filters=1)) == b"\xb0\x02\x00\x05"


def test_the_welcome_of_5_says_every_limit() -> None:
    answer, _ = mqtt5.read(memoryview(FIVE.welcome(WELCOME)))
    assert isinstance(answer, mqtt5.ConnAckPacket)
    assert answer.session_present
    assert not answer.retain_available
    assert not answer.wildcard_subscription_available
    assert (answer.receive_max, answer.max_packet_size, answer.topic_alias_max) == (20, 1000, 0)
    assert OLD.welcome(WELCOME) == b"\x20\x02\x01\x00"


@pytest.mark.parametrize("reason", [r for r in Reason if r >= Reason.UNSPECIFIED])
def test_what_5_is_told_can_be_read_by_another_codec(reason: Reason) -> None:
    goodbye = FIVE.goodbye(reason)
    if hasattr(mqtt5.DisconnectReasonCode, reason.name):
        answer, _ = mqtt5.read(memoryview(goodbye))
        assert isinstance(answer, mqtt5.DisconnectPacket)
        assert int(answer.reason_code) == int(reason)
    assert OLD.goodbye(reason) == b""


def test_a_failure_cannot_be_said_in_311() -> None:
    assert OLD.acknowledgement(4, 7, Reason.QUOTA_EXCEEDED) == b""
    assert OLD.acknowledgement(4, 7, Reason.NO_MATCHING_SUBSCRIBERS) == b"\x40\x02\x00\x07"
    assert OLD.refusal(Reason.BAD_USER_OR_PASSWORD) == b"\x20\x02\x00\x04"
    assert OLD.refusal(Reason.MALFORMED) == b""
    answer, _ = mqtt5.read(memoryview(FIVE.acknowledgement(4, 7, Reason.QUOTA_EXCEEDED)))
    assert isinstance(answer, mqtt5.PubAckPacket)
    assert (answer.packet_id, answer.reason_code) == (7, mqtt5.PubAckReasonCode.QUOTA_EXCEEDED)


@BOTH
@pytest.mark.parametrize(
    "frame",
    [
        b"\x00\x00",
        b"\x20\x02\x00\x00",
        b"\x60\x02\x00\x01",
        b"\x62\x02\x00\x00",
        b"\x62\x01\x00",
        b"\x62\x09\x00\x01\x00\x00\x00\x00\x00\x00\x00",
        b"\x82\x02\x00\x01",
        b"\xa2\x02\x00\x01",
        b"\xc0\x01\x00",
        b"\xc1\x00",
        b"\xf1\x00",
        b"\x10\x00",
        connect(4)[:-1],
    ],
)
def test_a_malformed_packet_is_refused(codec: Codec, frame: bytes) -> None:
    with pytest.raises(MalformedPacket):
        codec.read(frame)


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (0x01, Reason.MALFORMED),
        (0x40, Reason.MALFORMED),
        (0x08, Reason.MALFORMED),
        (0x20, Reason.MALFORMED),
        (0x1C, Reason.MALFORMED),
    ],
)
def test_connect_flags_that_contradict_each_other_are_refused(flags: int, reason: Reason) -> None:
    frame = bytearray(connect(4, "d", will=("t", b"", 0), user="u", password=b"p"))
    frame[9] = flags
    with pytest.raises(MalformedPacket) as caught:
        OLD.read(bytes(frame))
    assert caught.value.reason is reason


def test_an_empty_client_id_needs_a_clean_session_in_311() -> None:
    with pytest.raises(MalformedPacket) as caught:
        OLD.read(connect(4, ""))
    assert caught.value.reason is Reason.CLIENT_ID_NOT_VALID


def test_text_that_is_not_utf_8_does_not_escape_as_a_panic(capfd: pytest.CaptureFixture[str]) -> None:
    frame = bytearray(connect(5, "dddd"))
    frame[-2] = 0xFF
    with pytest.raises(MalformedPacket):
        FIVE.read(bytes(frame))
    assert capfd.readouterr().err == ""


@given(st.binary(min_size=2, max_size=80), st.sampled_from([FIVE, OLD]))
def test_random_bytes_raise_nothing_but_malformed_packet(frame: bytes, codec: Codec) -> None:
    with contextlib.suppress(MalformedPacket):
        codec.read(frame)


@BOTH
def test_changed_bytes_raise_nothing_but_malformed_packet(
    codec: Codec, capfd: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(23)
    good = connect(codec.version, "device", will=("a/b", b"gone", 1), user="user", password=b"secret")
    refused = 0
    for _ in range(2_000):
        frame = bytearray(good)
        frame[rng.randrange(len(frame))] = rng.randrange(256)
        try:
            codec.read(bytes(frame))
        except MalformedPacket:
            refused += 1
    assert refused > 100
    assert capfd.readouterr().err == ""


def test_a_panic_of_the_codec_is_a_malformed_packet(monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicException(BaseException):
        pass

    def panic(_: memoryview) -> None:
        raise PanicException

    monkeypatch.setattr(mqtt5, "read", panic)
    with pytest.raises(MalformedPacket):
        read_packet(PINGREQ)
