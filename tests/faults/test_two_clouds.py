"""Two cloud processes on one store: one is killed at the worst instants, and its children go on with the other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from fogline.uplink.dial import channel_to
from fogline.v1 import api_pb2, api_pb2_grpc
from tests.contract.installation import Reading, spec
from tests.faults.device import Device
from tests.faults.house import House, Tier, at_work, cloud_in, deploy, publish, running, wrong_results
from tests.faults.site import fogline
from tests.faults.truth import PIPELINE, Truth
from tests.integration.cloud.child import child_of, heard
from tests.integration.cloud.test_cloud import part
from tests.postgres import PostgresServer

HANG_S = 60.0
STAGES = [
    ("commit", "before", "3"),
    ("commit", "after", "2"),
    ("finish", "before", "4"),
    ("finish", "after", "4"),
]
"""Where the first of two processes dies, each time that the node has come back to it."""


@pytest.fixture
def clouds(tmp_path: Path, postgres: PostgresServer) -> tuple[Tier, Tier]:
    """Two processes on a PostgreSQL store, not started yet. Both would make the tables."""
    store = ("--store", postgres.database())
    one, other = (cloud_in(tmp_path / name, "--name", name, *store) for name in ("one", "other"))
    return one, other


async def dies(tier: Tier, *at: str) -> None:
    """Start a process that dies there."""
    await tier.start("tests.faults.doomed", *at)


@asynccontextmanager
async def publishing(device: Device, truth: Truth) -> AsyncIterator[None]:
    """The device publishes all the time."""
    stopping, rng = asyncio.Event(), Random(4)

    async def publish_on() -> None:
        first = 0
        while not stopping.is_set():
            await publish(device, truth, rng, range(first, first + 50))
            first += 50
            await asyncio.sleep(0.02)

    task = asyncio.create_task(publish_on(), name="publish")
    try:
        yield
    finally:
        stopping.set()
        await task


async def test_every_message_counts_once_wherever_a_process_dies(
    tmp_path: Path, clouds: tuple[Tier, Tier]
) -> None:
    text, truth = tmp_path / "drill.yaml", Truth()
    text.write_text(PIPELINE)
    one, other = clouds
    async with running(one, other):
        house = House(tmp_path / "node", one.address, other.address)
        device = Device("d0", "127.0.0.1", house.port, in_flight=2_000)
        async with at_work(house, device):
            await deploy(text, other.address)
            async with publishing(device, truth):
                for stage in STAGES:
                    await one.kill()
                    await dies(one, *stage)
                    # The node is with the other one, and comes back when that one goes.
                    await other.kill()
                    async with asyncio.timeout(HANG_S):
                        await one.died()
                    await other.start()
                await one.start()
            await device.all_taken()
            for server in (one.address, other.address):
                assert not await wrong_results(server, truth)
        ledger = await fogline("ledger", "--server", other.address, "--json")
        assert '"adds_up": false' not in ledger, ledger


async def test_what_a_process_left_undone_another_finishes(clouds: tuple[Tier, Tier]) -> None:
    one, other = clouds
    async with running(other):
        await dies(one, "finish", "before", "1")
        async with channel_to(other.address) as channel:
            stub = api_pb2_grpc.PipelineServiceStub(channel)
            plan = (await stub.Deploy(api_pb2.DeployRequest(spec=spec()))).plan
            async with child_of(one.address, plan) as child:
                assert (await child.push(part([Reading(1, "north", 20.0)], 0)))[0] == "ack"
            await one.died()
            follow = api_pb2.GetResultsRequest(pipeline="greenhouse", follow=True)
            async with asyncio.timeout(HANG_S):
                said = await heard(api_pb2_grpc.ResultServiceStub(channel).GetResults(follow))
            assert [(r.key[0].value, r.readings) for r in said.results] == [("north", 1)]
