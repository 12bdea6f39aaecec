"""A lane that works while no parent can be reached: what it made is used, or forgotten, and counts once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fog_node.messages import Range
from fog_node.steps import lane as lanes
from fog_node.steps.lane import PlanLane
from fogline.engine.answer import RowAnswer
from fogline.engine.batch import Batch
from fogline.engine.rows import RowProgram
from fogline.intake.judgement import Verdict
from fogline.model.clock import HOUR, MINUTE, SECOND
from fogline.model.plan import Identity, Plan
from tests.unit.fog_node.steps.stage import LIFE, NOON, Cloud, JumpingClock, MemoryJournal, plan
from tests.unit.fog_node.steps.test_lane import lane_of, settle

TURNS = 40


class Operator:
    """A row step that is asked from far away: it counts what it is asked, and can be made to wait."""

    def __init__(self, spec: Plan) -> None:
        self._program = RowProgram(spec.steps[0])
        self.open = asyncio.Event()
        self.open.set()
        self.asked: list[tuple[int, int]] = []

    def hold(self, wait: bool) -> None:  # noqa: FBT001
        """Let it wait, or go on."""
        if wait:
            self.open.clear()
        else:
            self.open.set()

    async def answer(self, batch: Batch, messages: Range) -> RowAnswer:
        self.asked.append((messages.first, messages.end))
        await self.open.wait()
        return self._program.run(batch)


@asynccontextmanager
async def alone(lane: PlanLane) -> AsyncIterator[None]:
    """The lane works beside whatever happens inside."""
    working = asyncio.ensure_future(lane.ahead.run())
    try:
        yield
    finally:
        working.cancel()
        await asyncio.wait((working,))


async def turns(number: int = TURNS) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_operators_work_without_a_parent_and_what_they_made_goes_up_when_there_is_one() -> None:
    journal, clock, cloud, spec = MemoryJournal(), JumpingClock(NOON), Cloud(), plan()
    operator = Operator(spec)
    lane = lane_of(journal, clock, spec, even=operator)
    async with alone(lane):
        for seq in range(3):
            journal.append([seq, seq], clock.now_us())
            clock.advance(2 * SECOND)
            await turns()
        assert operator.asked == [(0, 2), (2, 4), (4, 6)]
        lane.opened(0)
        await settle(lane, cloud, journal, clock)
    assert operator.asked == [(0, 2), (2, 4), (4, 6)], "nothing was asked again"
    assert cloud.counted == {"all": 6, "of_even": 4}


async def test_after_a_restart_it_goes_on_where_the_store_was_last_heard_to_be() -> None:
    journal, clock, cloud, spec = MemoryJournal(), JumpingClock(NOON), Cloud(), plan()
    operator = Operator(spec)
    journal.append([1, 2])
    journal.append([3, 4])
    journal.committed[journal.live] = 2
    cloud.offsets[journal.live] = 2
    lane = lane_of(journal, clock, spec, even=operator)
    async with alone(lane):
        await turns()
        assert operator.asked == [(2, 4)]
        lane.opened(0)
        await settle(lane, cloud, journal, clock)
    assert (operator.asked, cloud.counted["all"]) == ([(2, 4)], 2)


async def test_what_the_store_has_already_is_forgotten() -> None:
    journal, clock, cloud, spec = MemoryJournal(), JumpingClock(NOON), Cloud(), plan()
    for seq in range(3):
        journal.append([seq])
    cloud.offsets[journal.live] = 2  # its acks never arrived
    lane = lane_of(journal, clock, spec)
    async with alone(lane):
        await turns()
        lane.opened(0)
        await settle(lane, cloud, journal, clock)
    assert cloud.counted["all"] == 1


async def test_a_stretch_that_a_parent_interrupts_is_read_again_and_is_no_repeat_of_itself() -> None:
    journal, clock, cloud = MemoryJournal(), JumpingClock(NOON), Cloud()
    spec = plan(Identity(names=("device", "seq"), within_us=MINUTE))
    operator = Operator(spec)
    operator.open.clear()
    journal.append([1, 2])
    lane = lane_of(journal, clock, spec, even=operator)
    async with alone(lane):
        await turns()
        assert operator.asked == [(0, 2)]
        lane.opened(0)
        operator.open.set()
        await settle(lane, cloud, journal, clock)
    assert operator.asked == [(0, 2), (0, 2)]
    assert (cloud.counted["all"], cloud.terms[".dead.duplicate"]) == (2, 0)


async def test_what_expires_after_it_was_read_goes_up_as_a_gap() -> None:
    journal, clock, cloud = MemoryJournal(), JumpingClock(NOON), Cloud()
    for seq in range(3):
        journal.append([seq])
    lane = lane_of(journal, clock, plan())
    async with alone(lane):
        await turns()
        journal.expire(journal.live, 2)
        lane.opened(0)
        await settle(lane, cloud, journal, clock)
    assert (cloud.gaps, cloud.counted["all"]) == ({"expired": 2}, 1)


async def test_what_cannot_be_read_is_waited_for() -> None:
    journal, clock = MemoryJournal(), JumpingClock(NOON)
    journal.append([1])
    journal.append([2])
    del journal.blocks[journal.live][0]
    lane = lane_of(journal, clock, plan())
    async with alone(lane):
        await turns()
    assert clock.now_us() > NOON, "it has slept"


async def test_beyond_its_memory_messages_wait_in_the_journal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    journal, clock, cloud, spec = MemoryJournal(), JumpingClock(NOON), Cloud(), plan()
    operator = Operator(spec)
    lane = lane_of(journal, clock, spec, even=operator)
    monkeypatch.setattr(lanes, "AHEAD_BYTES", 1)
    async with alone(lane):
        for seq in range(3):
            journal.append([seq], clock.now_us())
            clock.advance(2 * SECOND)
            await turns()
        assert operator.asked == [(0, 1)]
        lane.opened(0)
        await settle(lane, cloud, journal, clock)
    assert cloud.counted["all"] == 3


@given(seed=st.integers(min_value=0, max_value=2**32))
async def test_every_message_counts_once_though_parents_come_and_go(seed: int) -> None:
    rng = Random(seed)
    journal, clock, cloud = MemoryJournal(), JumpingClock(NOON), Cloud()
    spec = plan(Identity(names=("device", "seq"), within_us=HOUR))
    operator = Operator(spec)
    lane = lane_of(journal, clock, spec, even=operator)
    appended = 0
    async with alone(lane):
        for _ in range(rng.randrange(5, 30)):
            match rng.choice("AAAAWWTRHP"):
                case "A":
                    n = rng.randrange(1, 4)
                    journal.append(list(range(appended, appended + n)), clock.now_us())
                    appended += n
                case "W":
                    await turns(rng.randrange(12))
                case "T":
                    clock.advance(rng.choice([SECOND, 7 * SECOND]))
                case "R":
                    journal.roll()
                case "H":
                    operator.hold(rng.random() < 0.3)
                case "P":
                    await _with_a_parent(lane, cloud, rng)
        operator.open.set()
        lane.opened(0)
        async with asyncio.timeout(60):
            await settle(lane, cloud, journal, clock)
    assert (cloud.counted["all"], cloud.terms[".dead.duplicate"]) == (appended, 0)


async def _with_a_parent(lane: PlanLane, cloud: Cloud, rng: Random) -> None:
    """A stream that carries some parts, and breaks: the last answers may be lost."""
    lane.opened(0)
    for _ in range(rng.randrange(5)):
        pulling = asyncio.ensure_future(lane.next_part())
        await asyncio.wait((pulling,), timeout=0)
        await turns()
        if not pulling.done():
            pulling.cancel()
            await asyncio.wait((pulling,))
            break
        part = pulling.result()
        if cloud.commit(part) is Verdict.REFUSED:
            lane.refused(cloud.told(part), LIFE)
            lane.opened(1)
        elif rng.random() < 0.7:
            lane.answered(cloud.told(part), LIFE)
    lane.closed()
