"""Operators among a plan's steps: what they leave out, make more of or fail on is in the ledger."""

import asyncio
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cloud.api.ledger import reading_differences, step_ledgers
from cloud.catalog import KnownPlan
from cloud.store.book import PlanRow, Stage
from cloud.store.rows import layouts_of
from fog_node.messages import Range
from fog_node.steps.graph import BlockGivenUp
from fog_node.steps.lane import PlanLane
from fogline.engine.answer import RowAnswer
from fogline.engine.batch import Batch, NumberColumn
from fogline.model.clock import MINUTE
from fogline.model.gap import OPERATOR_FAILED
from fogline.model.plan import Identity, OperatorQuery, OutputColumn, Plan, StepSpec, WindowQuery
from fogline.wire.batch import distinct
from tests.unit.fog_node.steps.stage import LIFE, NOON, Cloud, JumpingClock, MemoryJournal, plan
from tests.unit.fog_node.steps.test_lane import lane_of, settle

COLUMNS = (OutputColumn(name="device", type="text"), OutputColumn(name="seq", type="int"))


def with_operators() -> Plan:
    """``air`` -> ``thrice`` (operator) -> ``even`` (SQL) -> ``again`` (operator), and windows behind each of them."""
    spec = plan()
    even, all_, _ = spec.steps
    assert isinstance(all_.query, WindowQuery)
    query = OperatorQuery(columns=COLUMNS)
    thrice = StepSpec(name="thrice", source="air", stream="air", where=None, query=query)
    steps = [
        thrice,
        replace(even, source="thrice"),
        replace(thrice, name="again", source="even"),
        *(replace(all_, name=f"of_{source}", source=source) for source in ("air", "thrice", "even", "again")),
    ]
    return replace(spec, steps=tuple(steps))


class Copies:
    """An operator that answers with ``seq % 4`` rows for a row, and fails on some blocks."""

    def __init__(self, *failing: int) -> None:
        self.failing = failing
        self.asked: list[Range] = []

    async def answer(self, batch: Batch, messages: Range) -> RowAnswer:
        self.asked.append(messages)
        await asyncio.sleep(0)
        if messages.first in self.failing:
            raise BlockGivenUp("it keeps dying")
        seq = batch.columns["seq"]
        assert isinstance(seq, NumberColumn)
        rows = np.repeat(np.arange(batch.rows), seq.values.astype(np.int64) % 4)
        return RowAnswer(batch=batch.take(rows), input_rows=rows, filtered=batch.rows - distinct(rows))


def differences(spec: Plan, cloud: Cloud) -> list[str]:
    """What the cloud's ledger says of the readings."""
    row = PlanRow(tenant="main", plan="p1", pipeline="p", wire=b"", deployed_us=0, stage=Stage.PUBLIC)
    known = KnownPlan(row=row, content=spec, layouts=layouts_of(spec), queries={})
    lines = step_ledgers(known, "air", cloud.readings)
    assert {line.step for line in lines} == {step.name for step in spec.steps if step.name.startswith("of_")}
    return [said for line in lines for said in reading_differences(line)]


async def run(lane: PlanLane, journal: MemoryJournal, clock: JumpingClock) -> Cloud:
    cloud = Cloud()
    lane.opened(0)
    async with asyncio.timeout(60):
        await settle(lane, cloud, journal, clock)
    return cloud


@given(st.lists(st.lists(st.integers(0, 11), min_size=1, max_size=6), min_size=1, max_size=6), st.data())
async def test_the_ledger_adds_up_whatever_operators_make_of_rows(
    blocks: list[list[int]], data: st.DataObject
) -> None:
    journal, clock = MemoryJournal(), JumpingClock(NOON)
    ends = np.cumsum([len(block) for block in blocks])
    firsts = [0, *ends[:-1].tolist()]
    for block in blocks:
        journal.append(block)
    failing = data.draw(st.sets(st.sampled_from(firsts)))
    spec = with_operators()
    operator = Copies(*failing)
    cloud = await run(lane_of(journal, clock, spec, thrice=operator, again=Copies()), journal, clock)
    assert differences(spec, cloud) == []
    good = [n for first, block in zip(firsts, blocks, strict=True) if first not in failing for n in block]
    copies = {n: n % 4 for n in good}
    assert cloud.counted["of_air"] == len(good)
    assert cloud.counted["of_thrice"] == sum(copies[n] for n in good)
    assert cloud.counted["of_again"] == sum(copies[n] ** 2 for n in good if n % 2 == 0)
    lost = sum(len(block) for first, block in zip(firsts, blocks, strict=True) if first in failing)
    assert cloud.gaps == ({OPERATOR_FAILED: lost} if lost else {})
    asked = {(one.first, one.end) for one in operator.asked}
    assert asked == set(zip(firsts, ends.tolist(), strict=True)), "a batch is exactly one block"


async def test_a_block_that_is_given_up_is_on_record_before_it_goes_up() -> None:
    journal, clock = MemoryJournal(), JumpingClock(NOON)
    journal.append([1, 2])
    journal.append([3])
    lane = lane_of(journal, clock, with_operators(), thrice=Copies(0), again=Copies())
    lane.opened(0)
    await lane.next_part()
    lane.answered({journal.live: 0}, LIFE)
    part = await lane.next_part()
    assert [(c.first, c.end, c.gap) for c in part.contributions] == [(0, 2, OPERATOR_FAILED)]
    assert [gap.reason for gap in journal.gaps("p1", journal.live)] == [OPERATOR_FAILED]


async def test_an_operator_that_is_away_holds_its_plan_and_no_other() -> None:
    journal, clock = MemoryJournal(), JumpingClock(NOON)
    journal.append([1, 2])
    here = asyncio.Event()

    class Away(Copies):
        async def answer(self, batch: Batch, messages: Range) -> RowAnswer:
            await here.wait()
            return await super().answer(batch, messages)

    waiting = lane_of(journal, clock, with_operators(), thrice=Away(), again=Copies())
    held = asyncio.create_task(run(waiting, journal, clock))
    others = await run(lane_of(journal, clock, plan()), journal, clock)
    assert others.counted["all"] == 2
    assert not held.done()
    here.set()
    assert (await held).counted["of_thrice"] == 3


async def test_what_is_read_again_behind_a_block_that_was_given_up_is_no_repeat_of_itself() -> None:
    journal, clock = MemoryJournal(), JumpingClock(NOON)
    for seq in (1, 5, 9):
        journal.append([seq])
    journal.append([9])
    spec = replace(
        with_operators(), streams=plan(Identity(names=("device", "seq"), within_us=MINUTE)).streams
    )
    cloud = await run(lane_of(journal, clock, spec, thrice=Copies(0), again=Copies()), journal, clock)
    assert cloud.gaps == {OPERATOR_FAILED: 1}
    assert cloud.counted["of_air"] == 2
    assert cloud.terms[".dead.duplicate"] == 1
