"""A lane against a journal in memory and the cloud's own judgement: every message counts once."""

import asyncio
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fog_node.messages import Range
from fog_node.steps.blocks import DecodedBlocks
from fog_node.steps.graph import RowStep, StepFailed, sql_row_steps
from fog_node.steps.lane import PlanLane
from fog_node.steps.reader import TOGETHER
from fogline.engine.answer import RowAnswer
from fogline.engine.batch import Batch
from fogline.engine.rows import RowProgram
from fogline.engine.state import PartState
from fogline.intake.judgement import Verdict
from fogline.model.clock import MINUTE, SECOND
from fogline.model.part import Part
from fogline.model.plan import (
    Identity,
    Plan,
)
from tests.unit.fog_node.steps.stage import LIFE, NOON, Cloud, JumpingClock, MemoryJournal, plan


def lane_of(journal: MemoryJournal, clock: JumpingClock, spec: Plan, **row_steps: RowStep) -> PlanLane:
    return PlanLane(
        "p1",
        spec,
        journal=journal,
        blocks=DecodedBlocks(),
        row_steps={**sql_row_steps(spec), **row_steps},
        clock=clock,
        lags=lambda _: None,
    )


async def settle(lane: PlanLane, cloud: Cloud, journal: MemoryJournal, clock: JumpingClock) -> None:
    """Send and commit until everything is in the cloud."""
    while any(cloud.offsets.get(s.origin) != s.end for s in journal.origins("air")):
        clock.advance(SECOND)
        part = await lane.next_part()
        verdict = cloud.commit(part)
        if verdict is Verdict.REFUSED:
            lane.refused(cloud.told(part), LIFE)
            lane.opened(1)
        else:
            lane.answered(cloud.told(part), LIFE)


async def test_the_first_part_of_a_round_is_the_probe() -> None:
    journal, clock = MemoryJournal(), JumpingClock(NOON)
    journal.append([1, 2, 3])
    lane = lane_of(journal, clock, plan())
    lane.opened(0)
    probe = await lane.next_part()
    assert probe.is_empty
    assert [c.first for c in probe.contributions] == [0]
    lane.answered({journal.live: 0}, LIFE)
    clock.advance(2 * SECOND)
    part = await lane.next_part()
    assert [(c.first, c.end) for c in part.contributions] == [(0, 3)]


async def test_nothing_is_computed_again_that_the_cloud_holds() -> None:
    journal, clock = MemoryJournal(), JumpingClock(NOON)
    for seq in range(5):
        journal.append([seq])
    lane = lane_of(journal, clock, plan())
    lane.opened(0)
    await lane.next_part()
    lane.answered({journal.live: 3}, LIFE)
    clock.advance(2 * SECOND)
    part = await lane.next_part()
    assert [(c.first, c.end) for c in part.contributions] == [(3, 5)]
    assert journal.committed[journal.live] == 3


async def test_counts_follow_each_step() -> None:
    journal, clock, cloud = MemoryJournal(), JumpingClock(NOON), Cloud()
    journal.append([0, 1, 2, 3, 4])
    journal.append([5])
    lane = lane_of(journal, clock, plan())
    lane.opened(0)
    await settle(lane, cloud, journal, clock)
    assert cloud.counted == {"all": 6, "of_even": 3}
    assert cloud.terms == {".decoded": 6, "all.counted": 6, "of_even.counted": 3, "of_even.filtered": 3}


async def test_repeats_are_dead_also_behind_a_rewind_and_across_epochs() -> None:
    journal, clock, cloud = MemoryJournal(), JumpingClock(NOON), Cloud()
    spec = plan(Identity(names=("device", "seq"), within_us=MINUTE))
    journal.append([1, 2])
    journal.append([2, 3])
    journal.roll()
    journal.append([3, 4])
    lane = lane_of(journal, clock, spec)
    lane.opened(0)
    await lane.next_part()
    lane.answered(dict.fromkeys(journal.blocks, 0), LIFE)
    clock.advance(2 * SECOND)
    await lane.next_part()
    lane.opened(0)  # the part is lost with its stream
    await settle(lane, cloud, journal, clock)
    assert cloud.counted["all"] == 4
    assert cloud.terms[".dead.duplicate"] == 2


async def test_identities_of_drained_epochs_are_let_go() -> None:
    journal, clock = MemoryJournal(), JumpingClock(NOON)
    for epoch in range(5):
        journal.append([epoch, epoch + 1])
        journal.roll()
    journal.append([9])
    lane = lane_of(journal, clock, plan(Identity(names=("device", "seq"), within_us=MINUTE)))
    cloud = Cloud()
    lane.opened(0)
    await settle(lane, cloud, journal, clock)
    assert lane.readers["air"].remembering == {journal.live}


async def test_a_gap_goes_up_as_a_gap() -> None:
    journal, clock, cloud = MemoryJournal(), JumpingClock(NOON), Cloud()
    journal.append([1, 2, 3])
    journal.append([4, 5])
    journal.expire(journal.live, 3)
    lane = lane_of(journal, clock, plan())
    lane.opened(0)
    await settle(lane, cloud, journal, clock)
    assert cloud.gaps == {"expired": 3}
    assert cloud.counted["all"] == 2


async def test_an_older_epoch_is_drained_and_told_closed() -> None:
    journal, clock, cloud = MemoryJournal(), JumpingClock(NOON), Cloud()
    old = journal.live
    journal.append([1, 2, 3])
    journal.roll()
    journal.append([4])
    lane = lane_of(journal, clock, plan())
    lane.opened(0)
    await settle(lane, cloud, journal, clock)
    assert cloud.closed == {old}
    assert cloud.counted["all"] == 4


class SlowStep:
    """A row step that answers the first batch last."""

    def __init__(self, program: RowProgram) -> None:
        self._program = program
        self._first = asyncio.Event()
        self._seen = 0

    async def answer(self, batch: Batch, messages: Range) -> RowAnswer:
        self._seen += 1
        if self._seen == 1:
            await self._first.wait()
        elif self._seen == 3:
            self._first.set()
        return self._program.run(batch)


async def test_answers_may_come_late_and_out_of_order() -> None:
    journal, clock, cloud = MemoryJournal(), JumpingClock(NOON), Cloud()
    for seq in range(4):
        journal.append([seq, seq])
    spec = plan()
    lane = lane_of(journal, clock, spec, even=SlowStep(RowProgram(spec.steps[0])))
    lane.opened(0)
    async with asyncio.timeout(60):
        await settle(lane, cloud, journal, clock)
    assert cloud.counted == {"all": 8, "of_even": 4}


class BrokenStep:
    """A step with a fault of its own."""

    async def answer(self, batch: Batch, messages: Range) -> RowAnswer:
        raise ZeroDivisionError


async def test_a_step_that_breaks_stops_its_lane_with_an_error_that_can_be_told() -> None:
    journal, clock = MemoryJournal(), JumpingClock(NOON)
    journal.append([1])
    lane = lane_of(journal, clock, plan(), even=BrokenStep())
    lane.opened(0)
    await lane.next_part()
    lane.answered({journal.live: 0}, LIFE)
    with pytest.raises(StepFailed, match="ZeroDivisionError"):
        await lane.next_part()


async def test_small_blocks_become_one_batch_where_every_step_answers_at_once() -> None:
    journal, clock, cloud = MemoryJournal(), JumpingClock(NOON), Cloud()
    for seq in range(5):
        journal.append([seq, seq])
    journal.append(list(range(TOGETHER)))
    lane = lane_of(journal, clock, plan())
    lane.opened(0)
    probe = await lane.next_part()
    lane.answered({journal.live: probe.contributions[0].first}, LIFE)
    reader = lane._readers["air"]
    read = await reader.read(journal.live, 0, 10 + TOGETHER)
    assert [one.end for one in read.reads] == [10, 10 + TOGETHER]
    await settle(lane, cloud, journal, clock)
    assert cloud.counted == {"all": 10 + TOGETHER, "of_even": 6 + TOGETHER // 2}


async def test_few_messages_gather_until_something_is_due() -> None:
    journal, clock, cloud = MemoryJournal(), JumpingClock(NOON), Cloud()
    lane = lane_of(journal, clock, plan())
    lane.opened(0)
    probe = await lane.next_part()
    cloud.commit(probe)
    lane.answered(cloud.told(probe), LIFE)
    ends = []
    for beat in range(20):
        journal.append([beat], NOON + beat * SECOND // 10)
    clock.advance(2 * SECOND)
    while cloud.offsets[journal.live] < 60:
        part = await lane.next_part()
        cloud.commit(part)
        ends.append(part.contributions[0].end)
        lane.answered(cloud.told(part), LIFE)
        if ends[-1] < 60:
            for _ in range(20):
                journal.append([0], clock.now_us())
    assert ends == [20, 40, 60], "each part holds all that was there when it was due"


class Wire:
    """Between a lane and the cloud: parts that are sent, and everything that can happen to them."""

    def __init__(self, lane: PlanLane, cloud: Cloud) -> None:
        self._lane = lane
        self._cloud = cloud
        self._sent: list[Part[PartState]] = []

    async def pull(self) -> None:
        """Take a part; a lane that waits for an answer loses its stream."""
        pulling = asyncio.ensure_future(self._lane.next_part())
        for _ in range(50):
            await asyncio.sleep(0)
            if pulling.done():
                self._sent.append(pulling.result())
                return
        pulling.cancel()
        self.break_off(0)

    def deliver(self, *, answer: bool) -> None:
        """The oldest part arrives."""
        if not self._sent:
            return
        part = self._sent.pop(0)
        if self._cloud.commit(part) is Verdict.REFUSED:
            self._lane.refused(self._cloud.told(part), LIFE)
            self._sent.clear()
            self._lane.opened(1)
        elif answer:
            self._lane.answered(self._cloud.told(part), LIFE)

    def break_off(self, arriving: int) -> None:
        """The stream breaks; some of what was sent still arrives, unanswered, until one is refused."""
        for part in self._sent[:arriving]:
            if self._cloud.commit(part) is Verdict.REFUSED:
                break
        self._sent.clear()
        self._lane.opened(0)


@given(seed=st.integers(min_value=0, max_value=2**32))
async def test_every_message_counts_once_whatever_happens(seed: int) -> None:
    rng = Random(seed)
    journal, clock, cloud = MemoryJournal(), JumpingClock(NOON), Cloud()
    lane = lane_of(journal, clock, plan())
    lane.opened(0)
    wire = Wire(lane, cloud)
    appended = 0
    for _ in range(rng.randrange(5, 40)):
        match rng.choice("AAAPPPPDDDDBTR"):
            case "A":
                n = rng.randrange(1, 5)
                journal.append(list(range(n)), clock.now_us())
                appended += n
            case "P":
                await wire.pull()
            case "D":
                wire.deliver(answer=rng.random() < 0.7)
            case "B":
                wire.break_off(rng.randrange(4))
            case "T":
                clock.advance(rng.choice([SECOND, 7 * SECOND, MINUTE]))
            case "R":
                journal.roll()
    lane.opened(0)
    async with asyncio.timeout(60):
        await settle(lane, cloud, journal, clock)
    assert cloud.counted["all"] == appended
    assert cloud.terms[".decoded"] == appended
