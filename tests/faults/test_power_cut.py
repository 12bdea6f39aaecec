"""The power goes while devices publish: what was not synced is gone, and still every message counts once.

``kill -9`` leaves the page cache alive, so here the journal lies on a disk that forgets. In one instant the
device's wire is cut, the disk refuses everything, and what it had synced is what the next start finds.
"""

import asyncio
from pathlib import Path
from random import Random

import pytest

from fogline.testing.disk import ForgetfulDisk
from tests.faults.device import Device
from tests.faults.house import House, at_work, cloud_in, deploy, publish, running, wrong_results
from tests.faults.truth import PIPELINE, Truth

SEED = 20_261_123
CUTS = 6
BURST = 400


@pytest.mark.timeout(180)
async def test_every_message_counts_once_through_power_cuts(tmp_path: Path) -> None:
    rng, truth, next_id = Random(SEED), Truth(), 0
    spec = tmp_path / "drill.yaml"
    spec.write_text(PIPELINE)
    cloud = cloud_in(tmp_path / "cloud")
    disk = ForgetfulDisk()
    disk.make_folder(tmp_path / "node")
    house = House(tmp_path / "node", cloud.address, files=disk)
    device = Device("device-0", "127.0.0.1", house.port, in_flight=2 * BURST)
    async with running(cloud), at_work(house, device):
        await deploy(spec, cloud.address)
        for _ in range(CUTS):
            for _ in range(rng.randrange(1, 6)):
                await publish(device, truth, rng, range(next_id, next_id + BURST))
                next_id += BURST
            for _ in range(rng.randrange(200)):
                await asyncio.sleep(0)  # so many turns of the loop later, wherever the node is then
            await house.cut_power(device, rng)
            await house.start()
            device.plug_in()
        async with asyncio.timeout(30):
            await device.all_taken()
        wrong = await wrong_results(cloud.address, truth)
    assert not wrong, f"seed {SEED}: {wrong[:5]}"
    assert device.repeated, "no cut hit a message in flight"
