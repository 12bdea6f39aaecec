"""A start with notes recalls what one without recalls, and reads no closed segment."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fog_node.ingest.noting import Noting
from fog_node.ingest.rebuild import rebuild_sessions
from fog_node.ingest.sent import Sent, from_note, noted
from fog_node.ingest.session import Session, Sessions, content_hashes
from fog_node.journal import Gap, Journal, JournalSettings
from fog_node.journal.settings import KIB
from fog_node.messages import Block, Messages
from fogline.model.part import Origin
from fogline.testing.clock import ManualClock
from fogline.testing.disk import ForgetfulDisk

CLIENTS = ("one", "two", "three")
STREAMS = ("air", "soil")


class Site:
    """A node's journal, and what was put into it."""

    def __init__(self) -> None:
        self.disk = ForgetfulDisk()
        self.clock = ManualClock()
        self.reads = 0
        self._rng = Random(3)

    @asynccontextmanager
    async def opened(self, streams: Sequence[str] = STREAMS) -> AsyncIterator[Journal]:
        site = self

        class Watched(Journal):
            async def read(self, origin: Origin, first: int, *, plan: str = "") -> Block | Gap | None:
                site.reads += 1
                return await super().read(origin, first, plan=plan)

        journal = Watched(
            JournalSettings(commit_every_us=0, reserve_bytes=KIB, segment_bytes=4 * KIB, memory_bytes=0),
            folder=Path("/site/node/journal"),
            node="n",
            clock=self.clock,
            entropy=self._rng.randbytes,
            files=self.disk,
        )
        async with journal:
            for stream in streams:
                journal.declare(stream)
            yield journal

    async def publish(self, journal: Journal, count: int) -> None:
        for number in range(count):
            messages = Messages(
                arrival_us=1_000 + number,
                client=CLIENTS[number % 3],
                topics=["a", "b"],
                topic_codes=[0, 1],
                payloads=[self._rng.randbytes(150) for _ in range(2)],
                packet_ids=[1 + 2 * number, 2 + 2 * number],
                flags=bytes([1, 1]),
            )
            await journal.append("air" if number % 4 else "soil", messages)


async def recalled(journal: Journal) -> dict[str, Any]:
    sessions = Sessions(keep_us=10**15, most_sessions=10, most_entries=10**6)
    await rebuild_sessions(journal, STREAMS, sessions, newest=10**6, keep_us=10**15, now_us=2_000)
    return {
        client: _held(sessions.enter(client, clean=False, window=1000, now_us=2_000)[0]) for client in CLIENTS
    }


def _held(session: Session) -> tuple[object, ...]:
    columns = (getattr(session, name) for name in ("_ids", "_contents", "_streams"))
    return (session.remembered, session.left_at_us, *columns)


async def test_the_second_start_reads_no_closed_segment_and_recalls_the_same() -> None:
    site = Site()
    async with site.opened() as journal:
        await site.publish(journal, 60)
    async with site.opened() as journal:
        first, reads = await recalled(journal), site.reads
        assert reads > 10
        assert all(held[0] == 40 for held in first.values())
    async with site.opened() as journal:
        assert await recalled(journal) == first
        assert site.reads == reads


async def test_a_stream_that_no_plan_reads_any_more_is_recalled_too() -> None:
    """Its messages stay for a while, and a node starts with them."""
    site = Site()
    async with site.opened() as journal:
        await site.publish(journal, 60)
    async with site.opened(streams=["air"]) as journal:
        assert set(journal.streams()) == set(STREAMS)
        assert all(held[0] == 40 for held in (await recalled(journal)).values())


async def test_of_a_running_node_one_segment_is_noted_at_a_time() -> None:
    site = Site()
    async with site.opened() as journal:
        noting = Noting(journal, journal.streams, site.clock)
        await site.publish(journal, 60)
        closed = [s for stream in STREAMS for s in journal.segments(stream) if s.closed]
        for number in range(len(closed) + 1):
            have = [await journal.note(segment) for segment in closed]
            assert sum(note is not None for note in have) == number or number > len(closed)
            await noting.note_one()
            await journal.plan_started(f"p{number}", closed[0].origin)  # behind the note's writing
        reads = site.reads
        await noting.note_one()
        assert site.reads == reads


async def test_what_lies_behind_damage_is_noted_by_none() -> None:
    site = Site()
    async with site.opened() as journal:
        await site.publish(journal, 60)
    damaged = min(path for path in site.disk.files() if path.suffix == ".blocks")
    site.disk.flip(damaged, site.disk.size(damaged) // 2)
    async with site.opened() as journal:
        without = await recalled(journal)
        assert sum(held[0] for held in without.values()) < 120
    assert damaged.with_suffix(".note") not in site.disk.files()
    async with site.opened() as journal:
        assert await recalled(journal) == without


ROWS = st.tuples(
    st.sampled_from(CLIENTS),
    st.integers(0, 2**62),
    st.integers(1, 65_535),
    st.integers(-(2**63), 2**63 - 1),
)


@given(st.lists(st.lists(ROWS, max_size=9), max_size=4))
def test_a_note_says_what_it_was_made_of(parts: list[list[tuple[str, int, int, int]]]) -> None:
    read = from_note(noted([_sent(part) for part in parts]))
    assert read is not None
    told = {
        client: list(zip(arrivals.tolist(), ids.tolist(), contents.tolist(), strict=True))
        for client, arrivals, ids, contents in read.by_client()
    }
    rows = [row for part in parts for row in part]
    assert told == {name: [row[1:] for row in rows if row[0] == name] for name in {row[0] for row in rows}}


def _sent(rows: list[tuple[str, int, int, int]]) -> Sent:
    clients = sorted({row[0] for row in rows})
    return Sent(
        clients=clients,
        codes=np.array([clients.index(row[0]) for row in rows], np.uint32),
        arrivals=np.array([row[1] for row in rows], np.int64),
        ids=np.array([row[2] for row in rows], np.uint16),
        contents=np.array([row[3] for row in rows], np.int64),
    )


@pytest.mark.parametrize(
    "note", [b"", b"\x00", b"\xc1" * 40, noted([])[:-1], noted([]).replace(b"\x01", b"\x02", 1)]
)
def test_a_note_of_another_release_is_read_as_none(note: bytes) -> None:
    assert from_note(note) is None


def test_contents_are_told_apart_the_same_way_in_every_release() -> None:
    """Notes on disk hold them: a change here needs another version of notes."""
    contents = content_hashes(["site/a", "site/b"], np.array([0, 1, 0], np.intp), [b"21.5", b"21.5", b""])
    assert contents.tolist() == [4536692370636275210, -7350698914672422807, 9133537166478019512]
