"""What `build` prints is fit for a spec: a bundle, then an image of the same operator, as releases of one plan."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from fog_node.ingest.listener import ListenerSettings
from fog_node.node import run_node
from fog_node.settings import NodeSettings
from fogline.cli.operator.scaffold import new
from fogline.client import AsyncClient
from fogline.model.clock import SystemClock
from tests.engine import DockerEngine
from tests.faults.device import Device
from tests.faults.house import accepts, cloud_in, deploy, free_port, running
from tests.faults.site import fogline

NAME = "fogline-test-deployed"
SPEC = """\
name: built
streams: {air: {mqtt: "air/{zone}", fields: {temp: float}}}
steps:
  clean: {image: "@image@", from: air, fields: {score: float}, memory: 128Mi}
  all:
    sql: |
      SELECT zone, count(*) AS n, sum(score) AS s
      FROM clean GROUP BY zone, TUMBLE(arrival, INTERVAL '366 days')
"""


@asynccontextmanager
async def node(folder: Path, parent: str) -> AsyncIterator[Device]:
    """A node that may run processes, with a device that publishes to it."""
    port = free_port()
    settings = NodeSettings(
        name="node-1",
        folder=folder,
        parents=(parent,),
        plaintext=True,
        listener=ListenerSettings(port=port),
        allow_process=True,
    )
    stopping = asyncio.Event()
    device = Device("device", "127.0.0.1", port, in_flight=100)
    async with asyncio.timeout(150), asyncio.TaskGroup() as group:
        group.create_task(run_node(settings, stopping, clock=SystemClock(), rng=Random(1)))
        while not await accepts("127.0.0.1", port):
            pass
        link = group.create_task(device.run())
        try:
            yield device
        finally:
            device.unplug()
            link.cancel()
            stopping.set()


async def publish(device: Device, zone: str, client: AsyncClient) -> None:
    """Ten readings, one of which the operator drops; returns when results have them."""
    for temp in (*range(10, 19), 3000):
        await device.publish(f"air/{zone}".encode(), json.dumps({"temp": float(temp)}).encode())
    async with client.follow("built") as following:
        async for result in following:
            if result.key == {"zone": zone} and result.values["n"] == 9:
                assert result.values["s"] == pytest.approx(1.26)
                return


@pytest.mark.timeout(180)
async def test_a_bundle_and_an_image_are_releases_of_one_plan(
    tmp_path: Path, docker_engine: DockerEngine, base: str
) -> None:
    folder, spec = new(NAME, tmp_path), tmp_path / "built.yaml"
    bundles = tmp_path / "node" / "bundles"
    built = await fogline("operator", "build", str(folder), "--process", "--into", str(bundles))
    bundle = built.splitlines()[-1]
    image = (await fogline("operator", "build", str(folder), "--base", base)).splitlines()[-1]
    cloud = cloud_in(tmp_path / "cloud")
    try:
        async with (
            running(cloud),
            AsyncClient(cloud.address, timeout=60.0) as client,
            node(tmp_path / "node", cloud.address) as device,
        ):
            for number, reference in enumerate((bundle, image), start=1):
                spec.write_text(SPEC.replace("@image@", reference))
                await deploy(spec, cloud.address)
                await publish(device, f"zone{number}", client)
                pipeline = await client.pipeline("built")
                assert pipeline.release == number
                assert [one.image for one in pipeline.images] == [reference]
                assert len(pipeline.running) == 1
    finally:
        digest = image.partition("@")[2]
        for seen in docker_engine.client.containers(all=True, filters={"ancestor": digest}):
            docker_engine.client.remove_container(seen["Id"], force=True, v=True)
        docker_engine.client.remove_image(digest, force=True)
