"""What only bytes can say: order, silence, floods and cuts."""

import asyncio
import gc

import pytest

from fog_node.ingest import Listener
from fogline.model.clock import SystemClock
from tests.integration.listener.conftest import Listen
from tests.integration.listener.stand_in import PATIENCE_S, HeldJournal, Wire
from tests.unit.fog_node.ingest.packets_in import DISCONNECT, PINGREQ, connect, publish, pubrel

AIR = "site/z1/air"
VERSIONS = pytest.mark.parametrize("version", [4, 5])


class FastClock(SystemClock):
    """A clock for which an hour passes in the blink of an eye when told to."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self._ahead

    def advance(self, seconds: float) -> None:
        self._ahead += seconds

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.01))


async def until(condition: object) -> None:
    """Wait for something that has no event of its own."""
    assert callable(condition)
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0)


def refused(listener: Listener, reason: str) -> bool:
    return bool(listener.counts().refused.get(reason))


@VERSIONS
async def test_a_message_is_acknowledged_when_it_is_on_disk_and_not_before(
    version: int, listen: Listen, journal: HeldJournal
) -> None:
    async with listen() as listener, Wire.open(listener.port, connect(version)) as wire:
        journal.hold()
        wire.send(publish(version, AIR, b"x", 1, 7), PINGREQ)
        await journal.reached.wait()
        answer = asyncio.ensure_future(wire.packet())
        await asyncio.sleep(0)
        assert not answer.done()
        journal.let_go()
        assert await answer == b"\x40\x02\x00\x07"
        assert await wire.packet() == b"\xd0\x00"


@VERSIONS
async def test_a_message_in_hand_when_the_device_vanishes_is_journaled_once(
    version: int, listen: Listen, journal: HeldJournal
) -> None:
    frame = publish(version, AIR, b"x", 1, 7)
    async with listen() as listener:
        async with Wire.open(listener.port, connect(version)) as wire:
            journal.hold()
            wire.send(frame)
            await journal.reached.wait()
        async with Wire.open(listener.port) as wire:
            # The new connection is let in when the old one has nothing in hand any more.
            wire.send(connect(version), publish(version, AIR, b"x", 1, 7, dup=True))
            await until(lambda: listener.counts().handshakes == 1)
            journal.let_go()
            assert (await wire.packet())[0] == 0x20
            assert await wire.packet() == b"\x40\x02\x00\x07"
    assert journal.payloads() == [b"x"]
    assert journal.redelivered["air"] == 1


async def test_a_newer_connection_of_the_same_client_ends_the_older(
    listen: Listen, journal: HeldJournal
) -> None:
    async with listen() as listener, Wire.open(listener.port, connect(5, will=(AIR, b"gone", 1))) as older:
        async with Wire.open(listener.port, connect(5)) as newer:
            assert await older.packet() == b"\xe0\x01\x8e"
            assert await older.ended()
            newer.send(publish(5, AIR, b"x", 1, 7))
            assert await newer.packet() == b"\x40\x02\x00\x07"
        assert journal.payloads()[0] == b"gone"
        assert listener.counts().ended == {"session_taken_over": 1}


@VERSIONS
async def test_the_sessions_are_rebuilt_from_the_journal(
    version: int, listen: Listen, journal: HeldJournal
) -> None:
    frames = [publish(version, AIR, b"%d" % n, 1 + n % 2, n + 1) for n in range(20)]
    again = [publish(version, AIR, b"%d" % n, 1 + n % 2, n + 1, dup=True) for n in range(20)]
    async with listen() as listener, Wire.open(listener.port, connect(version)) as wire:
        wire.send(*frames)
        await until(lambda: len(journal.payloads()) == 20)
    async with listen() as listener, Wire.open(listener.port) as wire:
        assert listener.counts().sessions == 1
        wire.send(connect(version))
        assert (await wire.packet())[:3] == (b"\x20\x02\x01" if version == 4 else b"\x20\x16\x01")[:1] + (
            await _session_present()
        )
        wire.send(*again, publish(version, AIR, b"new", 1, 21), pubrel(2))
        answers = [await wire.packet() for _ in range(22)]
    assert [a[0] for a in answers] == [0x40 if n % 2 == 0 else 0x50 for n in range(20)] + [0x40, 0x70]
    assert journal.payloads() == [b"%d" % n for n in range(20)] + [b"new"]
    assert journal.redelivered["air"] == 20


async def _session_present() -> bytes:
    return b""
