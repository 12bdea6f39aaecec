"""What a node shows stays as small as what is deployed, whatever devices send and however often it starts."""

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from fog_node import metrics
from fog_node.ingest.session import Sessions
from fog_node.journal.journal import Journal
from fog_node.journal.settings import JournalSettings
from fog_node.messages import Messages
from fog_node.metrics import NodeMetrics, roles
from fog_node.node import Node
from fog_node.settings import NodeSettings
from fogline.model.clock import SECOND
from fogline.service.metrics import Snapshot
from fogline.spec import make_plan, read_spec
from fogline.testing.clock import ManualClock
from fogline.v1 import control_pb2
from fogline.wire.plan import plan_id, plan_to_wire

SPEC = """
name: {name}
streams:
  air: {{mqtt: "house/{{room}}", format: json, time: ts, fields: {{temp: float}}}}
steps:
  all: {{sql: "SELECT count(*) AS n FROM air WHERE temp < {limit} GROUP BY TUMBLE(ts, INTERVAL '10 seconds')"}}
"""


def desired(generation: int, *plans: tuple[str, int]) -> control_pb2.DesiredState:
    """Plans by pipeline and a number in their SQL."""
    state = control_pb2.DesiredState(generation=generation)
    for name, limit in plans:
        plan = make_plan(read_spec(SPEC.format(name=name, limit=limit)), "main")
        state.plans.add(id=plan_id(plan), plan=plan_to_wire(plan))
    return state


class Bench:
    """A node whose parts are driven by hand."""

    def __init__(self, folder: Path, journal: Journal, clock: ManualClock) -> None:
        settings = NodeSettings(name="n1", folder=folder, parents=("127.0.0.1:1",))
        self.journal, self.clock = journal, clock
        self.node = Node(settings, journal, clock=clock, rng=Random(1))
        self.plans = self.node._plans
        sessions = Sessions(keep_us=1, most_sessions=1, most_entries=1)
        self.listener, self.brokers = self.node._ingest(sessions)
        self.metrics = NodeMetrics(
            listener=self.listener,
            journal=journal,
            plans=self.plans,
            reporter=self.node._reporter,
            uplink=self.node._uplink,
            control=self.node._control,
            visits=self.node._visits,
            clock=clock,
        )

    async def publish(self, *topics: str) -> None:
        count = len(topics)
        await self.journal.append(
            "air",
            Messages(
                arrival_us=self.clock.now_us(),
                client=topics[0],
                topics=list(topics),
                topic_codes=list(range(count)),
                payloads=[b"{}"] * count,
                packet_ids=[0] * count,
                flags=bytes(count),
            ),
        )

    async def snapshot(self) -> Snapshot:
        for lane in self.plans.lanes:
            await lane._follow_journal()
        await self.node._reporter.refresh(self.listener, self.brokers)
        found = Snapshot()
        for source in self.metrics.sources.values():
            source(found)
        return found


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    clock, names = ManualClock(), iter(range(256))
    journal = Journal(
        JournalSettings(commit_every_us=0),
        folder=tmp_path / "journal",
        node="n1",
        clock=clock,
        entropy=lambda n: bytes([next(names)]) * n,
    )
    async with journal:
        yield Bench(tmp_path, journal, clock)


def series(snapshot: Snapshot) -> set[tuple[str, ...]]:
    return {(metric.name, *labels) for metric, values in snapshot.each() for labels in values}


async def test_topics_epochs_and_deployments_make_no_series(bench: Bench) -> None:
    await bench.plans.apply(desired(1, ("p", 1), ("q", 1)))
    await bench.publish("house/attic")
    before = series(await bench.snapshot())
    assert len(before) < 120

    for run in range(2, 12):
        await bench.journal.roll()
        await bench.publish(*(f"house/{run}-{number}" for number in range(50)))
        await bench.plans.apply(desired(run, ("p", run), ("q", 1)))
    after = await bench.snapshot()
    assert series(after) == before
    assert after.value(metrics.JOURNALED, "air") == 501
    assert after.value(metrics.PENDING, "p", "newest", "air") == 501


async def test_of_two_plans_of_a_pipeline_the_one_deployed_last_is_the_newest(bench: Bench) -> None:
    await bench.plans.apply(desired(2, ("p", 1), ("q", 1), ("p", 2)))
    assert [(lane.spec.pipeline, role) for lane, role in roles(bench.plans.lanes)] == [
        ("p", "older"),
        ("q", "newest"),
        ("p", "newest"),
    ]


async def test_the_age_of_what_waits_is_that_of_its_oldest_message(bench: Bench) -> None:
    await bench.plans.apply(desired(1, ("p", 1)))
    labels = ("p", "newest", "air")
    assert (await bench.snapshot()).value(metrics.PENDING_AGE, *labels) == 0
    await bench.publish("house/attic")
    await bench.clock.advance(40)
    await bench.publish("house/cellar")
    found = await bench.snapshot()
    assert found.value(metrics.PENDING_AGE, *labels) == 40
    uncommitted = found.value(metrics.STREAM_UNCOMMITTED, "air")
    assert uncommitted == found.value(metrics.STREAM_USED, "air")
    assert uncommitted
    assert bench.journal.arrival(bench.journal.origins("air")[0].origin, 7) is None
    assert bench.clock.now_us() > 40 * SECOND
