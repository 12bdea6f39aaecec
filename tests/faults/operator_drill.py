"""Kills operators at random under load: ``python -m tests.faults.operator_drill --kills 100``."""

import argparse
import asyncio
import json
import random
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from fogline.testing.until import until
from tests.faults.device import Device
from tests.faults.house import Tier, cloud_in, publish, running, wrong_results
from tests.faults.site import fogline
from tests.faults.truth import PIPELINE, Truth
from tests.faults.workbench import Workbench

BURST = 300
RESTART_EVERY = 10
"""Kills between two restarts of the node."""
DIGEST = "sha256:" + "ab" * 32
OPERATOR = f"""\
steps:
  pass:
    image: registry.example/acme/pass:1@{DIGEST}
    from: beats
    fields: {{id: int, dice: int}}
    labels: [device]
"""
THROUGH = PIPELINE.replace("steps:\n", OPERATOR).replace("FROM beats", "FROM pass")


@asynccontextmanager
async def site(tmp_path: Path, function: str, replicas: int) -> AsyncIterator[tuple[Tier, Workbench, Device]]:
    """A cloud, a node with an operator, a device; the pipeline is deployed."""
    spec = tmp_path / "drill.yaml"
    spec.write_text(THROUGH)
    cloud = cloud_in(tmp_path / "cloud")
    bench = Workbench(
        tmp_path / "node", cloud.address, function=f"operator_functions:{function}", step="pass"
    )
    device = Device("device-0", "127.0.0.1", bench.port, in_flight=1000)
    async with running(cloud):
        await bench.start()
        link = asyncio.create_task(device.run(), name="device")
        try:
            # Not `--wait`: the node says that it cannot run the image itself.
            await fogline("deploy", str(spec), "--server", cloud.address)
            await until(lambda: bool(bench.operators.reports()), within=60)
            bench.plan = (await ledger(cloud.address))[0]["plan"]
            for replica in range(replicas):
                await bench.start_replica(replica)
            yield cloud, bench, device
        finally:
            device.unplug()
            link.cancel()
            await bench.switch_off()
            await bench.clear()


async def ledger(server: str, pipeline: str = "drill") -> list[dict[str, Any]]:
    lines = (await fogline("ledger", pipeline, "--server", server, "--json")).splitlines()
    return [json.loads(line) for line in lines]


async def drill(folder: Path, *, kills: int, seed: int) -> list[str]:
    """Publish, kill a replica in the middle of its work, now and then restart the node; what is wrong at the end."""
    rng, truth = Random(seed), Truth()
    async with site(folder, "same", 2) as (cloud, bench, device):
        for kill in range(kills):
            before = _answered(bench)
            await publish(device, truth, rng, range(kill * BURST, (kill + 1) * BURST))
            await until(partial(_has_answered_more, bench, before), within=60)
            await until(partial(bench.kill_replica, rng), within=60)
            if kill % RESTART_EVERY == RESTART_EVERY // 2:
                await bench.switch_off()
                await bench.start()
        await device.all_taken()
        wrong = await wrong_results(cloud.address, truth)
        (line,) = await ledger(cloud.address)
    return [*wrong, *line["differences"], *(f"gap {reason}" for reason in line["gap"])]


def _has_answered_more(bench: Workbench, before: int) -> bool:
    return _answered(bench) > before


def _answered(bench: Workbench) -> int:
    return sum(report.batches for report in bench.operators.reports())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        found = asyncio.run(drill(Path(made), kills=given.kills, seed=given.seed))
    sys.stdout.write(
        "\n".join([f"kills {given.kills}, seed {given.seed}", *(found or ["exactly once"])]) + "\n"
    )
    sys.exit(bool(found))
