"""What a node makes of desired state, and when it lets live messages go first."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fog_node.journal.journal import Journal
from fog_node.journal.settings import JournalSettings
from fog_node.operators.gateway import Operators
from fog_node.operators.settings import OperatorSettings
from fog_node.permit import read_permits
from fog_node.plans import LiveFirst, NodePlans
from fogline.model.clock import SECOND
from fogline.spec import make_plan, read_spec
from fogline.testing.clock import ManualClock
from fogline.uplink.lanes import LaneSet
from fogline.v1 import control_pb2
from fogline.wire.plan import plan_id, plan_to_wire

SPEC = """
name: {name}
streams:
  {stream}: {{mqtt: "{topic}", format: json, time: ts, fields: {{temp: float}}}}
steps:
  all: {{sql: "SELECT count(*) AS n FROM {stream} GROUP BY TUMBLE(ts, INTERVAL '10 seconds')"}}
"""


def desired(generation: int, *plans: tuple[str, str, str]) -> control_pb2.DesiredState:
    """Plans by pipeline, stream and topic."""
    state = control_pb2.DesiredState(generation=generation)
    for name, stream, topic in plans:
        plan = make_plan(read_spec(SPEC.format(name=name, stream=stream, topic=topic)), "main")
        state.plans.add(id=plan_id(plan), plan=plan_to_wire(plan))
    return state


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def journal(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Journal]:
    settings = JournalSettings(commit_every_us=0)
    names = iter(range(256))
    opened = Journal(
        settings, folder=tmp_path, node="n1", clock=clock, entropy=lambda n: bytes([next(names)]) * n
    )
    async with opened:
        yield opened


@pytest.fixture
async def plans(journal: Journal, clock: ManualClock, tmp_path: Path) -> NodePlans:
    live_first = LiveFirst(journal, after_us=30 * SECOND, clock=clock)
    operators = Operators(OperatorSettings(), folder=tmp_path / "operators", clock=clock)
    return NodePlans(
        journal=journal,
        lanes=LaneSet(),
        live_first=live_first,
        operators=operators,
        permits=read_permits(""),
        clock=clock,
    )


async def test_a_plan_brings_its_streams_routes_and_lane(plans: NodePlans, journal: Journal) -> None:
    await plans.apply(desired(3, ("p", "air", "house/{room}/air")))
    assert plans.router.route("house/attic/air") == ("air",)
    assert plans.router.route("house/attic") == ()
    assert [lane.spec.pipeline for lane in plans.lanes] == ["p"]
    assert journal.streams() == ("air",)
    assert plans.applied.generation == 3
    assert not plans.applied.faults


async def test_applying_twice_changes_nothing(plans: NodePlans) -> None:
    await plans.apply(desired(1, ("p", "air", "a/{x}")))
    before = plans.lanes
    await plans.apply(desired(2, ("p", "air", "a/{x}")))
    assert plans.lanes == before
    assert plans.applied.generation == 2


async def test_a_plan_that_is_not_desired_any_more_is_withdrawn(plans: NodePlans) -> None:
    await plans.apply(desired(1, ("p", "air", "a/{x}"), ("q", "sea", "s/{x}")))
    await plans.apply(desired(2, ("q", "sea", "s/{x}")))
    assert [lane.spec.pipeline for lane in plans.lanes] == ["q"]
    assert plans.router.route("a/1") == ()


async def test_one_plan_that_cannot_run_blocks_only_itself(plans: NodePlans) -> None:
    state = desired(1, ("p", "air", "a/{x}"), ("q", "air", "b/{x}"), ("r", "sea", "s/{x}"))
    state.plans[2].plan.steps[0].source = "nowhere"
    await plans.apply(state)
    assert [lane.spec.pipeline for lane in plans.lanes] == ["p"]
    conflict, broken = plans.applied.faults
    assert "give one of the two streams another name" in conflict
    assert "nowhere" in broken


async def test_a_lagging_live_origin_asks_for_a_new_epoch_once_in_a_while(
    journal: Journal, clock: ManualClock
) -> None:
    live_first = LiveFirst(journal, after_us=30 * SECOND, clock=clock)
    await clock.advance(60)

    def asks_after(lag_s: int) -> bool:
        live_first.lags(clock.now_us() - lag_s * SECOND)
        return live_first.wanted

    assert not asks_after(29)
    assert asks_after(31)
    before = journal.epoch
    await live_first.roll_if_wanted()
    assert journal.epoch != before
    assert not asks_after(31), "the backlog drains now; a further epoch would help nobody"
