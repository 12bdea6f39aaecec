"""When an acknowledgement waits for the lanes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from fog_node.journal.journal import Journal
from fog_node.journal.settings import JournalSettings
from fog_node.messages import Messages
from fog_node.pressure import LONGEST_S, MOST_BEHIND, WORKED_WITHIN_S, PacedJournal
from fogline.model.clock import SystemClock
from fogline.testing.clock import ManualClock


class Lane:
    """As much of a lane as the pressure looks at."""

    def __init__(self, behind: int, read_at: float) -> None:
        self.left = behind
        self.read_at = read_at

    def behind(self) -> int:
        return self.left


MESSAGE = Messages(
    arrival_us=1,
    client="c",
    topics=("t",),
    topic_codes=np.zeros(1, np.uint32),
    payloads=(b"1",),
    packet_ids=np.ones(1, np.uint16),
    flags=b"\x01",
)


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    settings = JournalSettings(commit_every_us=0)
    opened = Journal(settings, folder=tmp_path, node="n", clock=SystemClock(), entropy=bytes)
    async with opened:
        opened.declare("s")
        yield opened


async def appended_after(journal: Journal, lane: Lane, clock: ManualClock) -> float:
    """Seconds of the clock until an append returned; the lane reads nothing meanwhile."""
    paced = PacedJournal(journal, lambda: [lane], clock)  # type: ignore[list-item]  # as much as it looks at
    began = clock.monotonic()
    append = asyncio.ensure_future(paced.append("s", MESSAGE))
    slept = 0
    while not append.done():
        await asyncio.wait(
            (append, asyncio.ensure_future(clock.slept(slept + 1))), return_when="FIRST_COMPLETED"
        )
        if not append.done():
            slept += 1
            await clock.advance(0.005)
    return clock.monotonic() - began


async def test_a_lane_that_keeps_up_holds_nobody_back(journal: Journal) -> None:
    clock = ManualClock()
    assert await appended_after(journal, Lane(MOST_BEHIND, clock.monotonic()), clock) == 0


async def test_a_working_lane_that_lags_holds_devices_back_but_not_for_long(journal: Journal) -> None:
    clock = ManualClock()
    waited = await appended_after(journal, Lane(MOST_BEHIND + 1, clock.monotonic()), clock)
    assert LONGEST_S <= waited <= 2 * LONGEST_S


async def test_a_lane_that_cannot_work_holds_nobody_back(journal: Journal) -> None:
    clock = ManualClock()
    stuck = Lane(10 * MOST_BEHIND, clock.monotonic() - 2 * WORKED_WITHIN_S)
    assert await appended_after(journal, stuck, clock) == 0
