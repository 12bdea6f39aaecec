"""The cloud's own numbers, after parts were committed, refused, and the store went away."""

import asyncio

import pytest

from cloud import metrics
from fogline.model.caller import LOCAL
from fogline.model.clock import NEVER
from fogline.model.errors import StoreBusy
from fogline.model.part import Contribution, Part
from fogline.service.metrics import Snapshot
from fogline.uplink.dial import channel_to
from fogline.v1 import api_pb2, api_pb2_grpc
from tests.contract.installation import Reading, origin, plan_of, spec, state_of
from tests.integration.cloud.child import child_of
from tests.integration.cloud.conftest import Running

PLAN = plan_of(spec())
STEP = (LOCAL.tenant, "greenhouse", "public", "by_zone")


async def deploy(running: Running) -> str:
    async with channel_to(running.address) as channel:
        stub = api_pb2_grpc.PipelineServiceStub(channel)
        return (await stub.Deploy(api_pb2.DeployRequest(spec=spec(), file="greenhouse.yaml"))).plan


async def push(running: Running, plan: str, first: int) -> None:
    readings = [Reading(1, "north", 20.0), Reading(2, "south", 19.0)]
    end = first + len(readings)
    contribution = Contribution(origin=origin(), start=0, first=first, end=end, watermark=NEVER)
    async with child_of(running.address, plan) as child:
        await child.push(Part(contributions=(contribution,), state=state_of(PLAN, readings)))


def snapshot_of(running: Running) -> Snapshot:
    snapshot = Snapshot()
    for source in running.cloud.metrics.sources.values():
        source(snapshot)
    return snapshot


async def test_commits_refusals_windows_and_calls_are_counted(running: Running) -> None:
    plan = await deploy(running)
    await push(running, plan, 0)
    await push(running, plan, 7)
    async with asyncio.timeout(30):
        while not running.cloud.core.finisher.written:  # noqa: ASYNC110 - a pass sends no event
            await asyncio.sleep(0.01)
    await running.cloud._watch.look()

    found = snapshot_of(running)
    assert found.value(metrics.PARTS) == 2
    assert found.value(metrics.REFUSALS) == 1
    commits = found.value(metrics.COMMITS)
    assert isinstance(commits, tuple)
    assert sum(commits.counts) == 2
    assert found.value(metrics.RESULTS) == 2
    assert found.value(metrics.PLANS, "main", "public") == 1
    assert found.value(metrics.UNSETTLED, *STEP, "open") == 1
    late = found.value(metrics.LATENESS, *STEP)
    assert isinstance(late, float)
    assert late > 1_000  # the window ended long ago
    assert found.value(metrics.CALLS.ended, "grpc", "PipelineService.Deploy", "OK") == 1
    assert found.value(metrics.DIFFERENCES, "main", "greenhouse", "air") == 0


async def test_a_store_that_is_away_is_said(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    await deploy(running)
    watch = running.cloud._watch
    looks = [asyncio.Event(), asyncio.Event()]

    async def look() -> None:
        looks[0].set() if not looks[0].is_set() else looks[1].set()
        raise StoreBusy("the store is away")

    monkeypatch.setattr(watch, "look", look)
    monkeypatch.setattr(metrics, "WATCH_EVERY_S", 0.0)
    watching = asyncio.create_task(watch.run())
    async with asyncio.timeout(30):
        await looks[1].wait()
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    assert snapshot_of(running).value(metrics.STORE) == 0
