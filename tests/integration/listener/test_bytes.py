"""What only bytes can say: order, silence, floods and cuts."""

import asyncio
from pathlib import Path

import pytest

from fogline.model.errors import InvalidInput
from fogline.testing.clock import ManualClock
from fogline.testing.until import until
from tests.integration.listener.conftest import Listen
from tests.integration.listener.stand_in import HeldJournal, Wire
from tests.unit.fog_node.ingest.packets_in import DISCONNECT, PINGREQ, connect, publish, pubrel

AIR = "site/z1/air"
VERSIONS = pytest.mark.parametrize("version", [4, 5])
PUBACK_7 = b"\x40\x02\x00\x07"


@VERSIONS
async def test_a_message_is_acknowledged_when_it_is_on_disk_and_not_before(
    version: int, listen: Listen, journal: HeldJournal
) -> None:
    async with listen() as listener, Wire.open(listener.port, connect(version)) as wire:
        journal.hold()
        wire.send(publish(version, AIR, b"x", 1, 7) + PINGREQ)
        await journal.reached.wait()
        answer = asyncio.ensure_future(wire.packet())
        for _ in range(10):
            await asyncio.sleep(0)
        assert not answer.done()
        journal.let_go()
        assert await answer == PUBACK_7
        assert await wire.packet() == b"\xd0\x00"


@VERSIONS
async def test_a_message_in_hand_when_the_device_vanishes_is_journaled_once(
    version: int, listen: Listen, journal: HeldJournal
) -> None:
    async with listen() as listener:
        async with Wire.open(listener.port, connect(version)) as wire:
            journal.hold()
            wire.send(publish(version, AIR, b"x", 1, 7))
            await journal.reached.wait()
        async with Wire.open(listener.port) as wire:
            # The new connection is let in when the old one has nothing in hand any more.
            wire.send(connect(version) + publish(version, AIR, b"x", 1, 7, dup=True))
            await until(lambda: listener.counts().connections == 2)
            journal.let_go()
            assert (await wire.packet())[0] == 0x20
            assert await wire.packet() == PUBACK_7
    assert journal.payloads() == [b"x"]
    assert journal.redelivered["air"] == 1


async def test_a_newer_connection_of_the_same_client_ends_the_older(
    listen: Listen, journal: HeldJournal
) -> None:
    greeting = connect(5, will=(AIR, b"gone", 1))
    async with (
        listen() as listener,
        Wire.open(listener.port, greeting) as older,
        Wire.open(listener.port, connect(5)) as newer,
    ):
        assert await older.packet() == b"\xe0\x01\x8e"
        assert await older.ended()
        newer.send(publish(5, AIR, b"x", 1, 7))
        assert await newer.packet() == PUBACK_7
        assert journal.payloads() == [b"gone", b"x"]
        assert listener.counts().ended == {"session_taken_over": 1}


@VERSIONS
async def test_the_sessions_are_rebuilt_from_the_journal(
    version: int, listen: Listen, journal: HeldJournal
) -> None:
    def frames(*, dup: bool) -> bytes:
        return b"".join(publish(version, AIR, b"%d" % n, 1 + n % 2, n + 1, dup=dup) for n in range(20))

    async with listen() as listener, Wire.open(listener.port, connect(version)) as wire:
        wire.send(frames(dup=False))
        await until(lambda: len(journal.payloads()) == 20)
    async with listen() as listener, Wire.open(listener.port) as wire:
        assert listener.counts().sessions == 1
        wire.send(connect(version))
        assert (await wire.packet())[2] == 1
        wire.send(frames(dup=True) + publish(version, AIR, b"new", 1, 21) + pubrel(2))
        answers = [(await wire.packet())[0] for _ in range(22)]
    assert answers == [0x40, 0x50] * 10 + [0x40, 0x70]
    assert journal.payloads() == [b"%d" % n for n in range(20)] + [b"new"]
    assert journal.redelivered["air"] == 20


@VERSIONS
async def test_what_was_said_before_a_fault_is_journaled(
    version: int, listen: Listen, journal: HeldJournal
) -> None:
    async with listen() as listener, Wire.open(listener.port, connect(version)) as wire:
        wire.send(publish(version, AIR, b"x", 1, 7) + b"\x36\x00")
        assert await wire.packet() == PUBACK_7
        assert await wire.packet() == (b"\xe0\x01\x81" if version == 5 else b"")
        assert await wire.ended()
        assert listener.counts().ended == {"malformed": 1}


@VERSIONS
async def test_a_full_journal_ends_a_311_connection_and_answers_a_5_one(
    version: int, listen: Listen, journal: HeldJournal
) -> None:
    journal.full = ["air"]
    async with listen() as listener, Wire.open(listener.port, connect(version)) as wire:
        wire.send(publish(version, AIR, b"x", 1, 7))
        if version == 5:
            assert await wire.packet() == b"\x40\x03\x00\x07\x97"
            assert listener.counts().ended == {}
        else:
            assert await wire.ended()
            assert listener.counts().ended == {"quota_exceeded": 1}


@VERSIONS
async def test_a_silent_device_is_given_up_and_its_will_is_journaled(
    version: int, listen: Listen, journal: HeldJournal
) -> None:
    clock = ManualClock()
    greeting = connect(version, keep_alive_s=10, will=(AIR, b"gone", 1))
    async with listen(clock=clock) as listener, Wire.open(listener.port, greeting) as wire:
        await clock.slept(1)
        await clock.advance(14.0)
        wire.send(PINGREQ)
        assert await wire.packet() == b"\xd0\x00"
        await clock.advance(14.0)
        assert listener.counts().connections == 1
        await clock.advance(3.0)
        assert await wire.packet() == (b"\xe0\x01\x8d" if version == 5 else b"")
        await until(lambda: journal.payloads() == [b"gone"])
        assert journal.flags() == [0b1_0001]
        assert listener.counts().ended == {"keep_alive_timeout": 1}


async def test_a_slow_disk_is_not_taken_for_a_silent_device(listen: Listen, journal: HeldJournal) -> None:
    clock = ManualClock()
    greeting = connect(5, keep_alive_s=10)
    async with listen(clock=clock) as listener, Wire.open(listener.port, greeting) as wire:
        journal.hold()
        wire.send(publish(5, AIR, b"x", 1, 7))
        await journal.reached.wait()
        await clock.slept(1)
        await clock.advance(100.0)
        journal.let_go()
        assert await wire.packet() == PUBACK_7


async def test_a_will_waits_for_its_delay(listen: Listen, journal: HeldJournal) -> None:
    clock = ManualClock()
    greeting = connect(5, will=(AIR, b"gone", 1), will_delay_s=30)
    async with listen(clock=clock) as listener:
        await clock.slept(1)
        async with Wire.open(listener.port, greeting):
            pass
        await until(lambda: listener.counts().connections == 0)
        await clock.advance(29.0)
        assert journal.payloads() == []
        # Back in time: the device has not vanished.
        async with Wire.open(listener.port, greeting):
            await clock.advance(60.0)
            assert journal.payloads() == []
        await until(lambda: listener.counts().connections == 0)
        await clock.advance(32.0)
        await until(lambda: journal.payloads() == [b"gone"])


@VERSIONS
async def test_a_goodbye_leaves_no_will(version: int, listen: Listen, journal: HeldJournal) -> None:
    async with listen() as listener:
        async with Wire.open(listener.port, connect(version, will=(AIR, b"gone", 1))) as wire:
            wire.send(DISCONNECT)
            assert await wire.ended()
        await until(lambda: listener.counts().connections == 0)
        assert journal.payloads() == []
        assert listener.counts().ended == {}


async def test_whoever_does_not_greet_is_sent_away(listen: Listen) -> None:
    async with listen(handshake_s=0.05) as listener, Wire.open(listener.port) as wire:
        wire.send(connect(5)[:-1])
        assert await wire.ended()
        await until(lambda: listener.counts().refused == {"handshake_timeout": 1})


async def test_too_many_unfinished_handshakes_are_refused(listen: Listen) -> None:
    async with (
        listen(most_handshakes=2) as listener,
        Wire.open(listener.port) as first,
        Wire.open(listener.port),
        Wire.open(listener.port) as third,
    ):
        assert await third.ended()
        assert listener.counts().refused == {"too_many_handshakes": 1}
        first.send(connect(5))
        assert (await first.packet())[0] == 0x20
        async with Wire.open(listener.port, connect(4, "other")):
            assert listener.counts().connections == 3


async def test_too_many_connections_are_refused(listen: Listen) -> None:
    async with listen(most_connections=1) as listener:
        async with Wire.open(listener.port, connect(5)), Wire.open(listener.port) as second:
            assert await second.ended()
            assert listener.counts().refused == {"too_many_connections": 1}
        await until(lambda: listener.counts().connections == 0)
        async with Wire.open(listener.port, connect(5)):
            pass


async def test_a_packet_that_claims_to_be_huge_ends_the_connection_at_once(listen: Listen) -> None:
    async with listen(max_packet_bytes=1000) as listener, Wire.open(listener.port, connect(5)) as wire:
        wire.send(b"\x32\xff\xff\xff\x7f")
        assert await wire.packet() == b"\xe0\x01\x95"
        assert await wire.ended()


async def test_when_the_memory_is_full_nobody_is_read(listen: Listen, journal: HeldJournal) -> None:
    frames = b"".join(publish(5, AIR, bytes(900), 1, n + 1) for n in range(200))
    async with (
        listen(bytes_in_hand=64 * 1024) as listener,
        Wire.open(listener.port, connect(5, "a")) as one,
        Wire.open(listener.port, connect(5, "b")) as two,
    ):
        journal.hold()
        one.send(frames)
        two.send(frames)
        await journal.reached.wait()
        await until(lambda: listener.counts().bytes_in_hand >= 64 * 1024)
        # Each connection has read once; what it may read is bounded by the room.
        assert listener.counts().bytes_in_hand <= 64 * 1024 + 2 * 4096
        journal.let_go()
        for wire in (one, two):
            for _ in range(200):
                assert (await wire.packet())[0] == 0x40
        await until(lambda: listener.counts().bytes_in_hand == 0)
    assert len(journal.payloads()) == 400


async def test_half_sent_packets_cannot_hold_the_memory_for_ever(listen: Listen) -> None:
    clock = ManualClock()
    half = publish(5, AIR, bytes(50_000), 1, 7)[:-1]
    async with (
        listen(bytes_in_hand=80_000, clock=clock) as listener,
        Wire.open(listener.port, connect(5, "a")) as one,
        Wire.open(listener.port, connect(5, "b")) as two,
    ):
        one.send(half)
        await until(lambda: listener.counts().bytes_in_hand == len(half))
        two.send(half)
        await until(lambda: listener.counts().bytes_in_hand >= 80_000)
        await clock.slept(1)
        await clock.advance(2.0)
        await until(lambda: listener.counts().ended == {"quota_exceeded": 1})
        two.send(b"\0")
        assert await two.packet() == PUBACK_7
        assert await one.ended()


async def test_leaving_ends_every_connection_and_journals_no_will(
    listen: Listen, journal: HeldJournal
) -> None:
    async with listen() as listener:
        port = listener.port
        opened = Wire.open(port, connect(5, will=(AIR, b"gone", 1)))
        wire = await opened.__aenter__()
        stranger = await Wire.open(port).__aenter__()
        await until(lambda: listener.counts().connections == 2)
    assert await wire.packet() == b"\xe0\x01\x8b"
    assert await wire.ended()
    assert await stranger.ended()
    await opened.__aexit__(None, None, None)
    assert journal.payloads() == []


async def test_the_address_must_be_loopback_or_have_tls_or_be_said_to_be_insecure(
    listen: Listen, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput, match="no TLS"):
        async with listen(host="0.0.0.0"):
            pass
    async with listen(host="0.0.0.0", insecure=True) as listener:
        taken = listener.port
        with pytest.raises(InvalidInput, match="cannot listen"):
            async with listen(port=taken):
                pass
    with pytest.raises(InvalidInput, match="for TLS"):
        async with listen(certificate=tmp_path / "no.pem"):
            pass


async def test_a_device_without_a_name_is_given_one(listen: Listen) -> None:
    async with listen() as listener, Wire.open(listener.port) as wire:
        wire.send(connect(5, "", clean=True))
        assert b"auto-" in await wire.packet()


async def test_leaving_does_not_wait_for_ever_for_a_journal_without_room(
    listen: Listen, journal: HeldJournal
) -> None:
    async with listen(shutdown_s=0.05) as listener:
        opened = Wire.open(listener.port, connect(5))
        wire = await opened.__aenter__()
        journal.hold()
        wire.send(publish(5, AIR, b"x", 1, 7))
        await journal.reached.wait()
    assert await wire.packet() == b""
    await opened.__aexit__(None, None, None)


async def test_a_greeting_that_timed_out_in_a_take_over_does_not_bar_the_next(
    listen: Listen, journal: HeldJournal
) -> None:
    greeting = connect(5, will=(AIR, b"gone", 1), will_delay_s=1000)
    async with listen(handshake_s=0.2) as listener:
        async with Wire.open(listener.port, greeting):
            pass
        await until(lambda: listener.counts().connections == 0)
        # A clean start ends the session, so the will is due: it waits for the disk, and the greeting with it.
        journal.hold()
        async with Wire.open(listener.port) as late:
            late.send(connect(5, clean=True))
            assert await late.ended()
        await until(lambda: listener.counts().refused == {"handshake_timeout": 1})
        async with Wire.open(listener.port, greeting):
            assert listener.counts().admitted == 2
