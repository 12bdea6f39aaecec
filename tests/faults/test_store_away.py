"""PostgreSQL is killed and comes back: the cloud waits, says so, and loses nothing."""

import asyncio
from pathlib import Path
from random import Random

import grpc

from fogline.uplink.dial import channel_to
from fogline.v1 import api_pb2, api_pb2_grpc
from tests.faults.device import Device
from tests.faults.house import House, at_work, cloud_in, deploy, publish, wrong_results
from tests.faults.truth import PIPELINE, Truth
from tests.postgres import private_postgres

HANG_S = 60.0


async def code_of(server: str) -> grpc.StatusCode:
    async with channel_to(server) as channel:
        call = api_pb2_grpc.StatusServiceStub(channel).GetStatus(
            api_pb2.GetStatusRequest(), timeout=HANG_S, wait_for_ready=True
        )
        return await call.code()


async def test_the_cloud_waits_for_a_store_that_is_away_at_its_start_and_later(tmp_path: Path) -> None:
    text, truth, rng = tmp_path / "drill.yaml", Truth(), Random(9)
    text.write_text(PIPELINE)
    with private_postgres(durable=True) as server:
        cloud = cloud_in(tmp_path / "cloud", "--store", server.url)
        server.stop()
        starting = asyncio.create_task(cloud.start())
        try:
            await asyncio.wait((starting,), timeout=1.0)
            assert not starting.done()
            server.start()
            await starting
            house = House(tmp_path / "node", cloud.address)
            device = Device("d0", "127.0.0.1", house.port, in_flight=2_000)
            async with at_work(house, device):
                await deploy(text, cloud.address)
                for first in range(0, 600, 200):
                    await publish(device, truth, rng, range(first, first + 100))
                    server.kill()
                    await publish(device, truth, rng, range(first + 100, first + 200))
                    assert await code_of(cloud.address) is grpc.StatusCode.UNAVAILABLE
                    server.start()
                await device.all_taken()
                assert not await wrong_results(cloud.address, truth)
        finally:
            starting.cancel()
            await cloud.kill()
