"""Operators are killed, and one keeps dying of a message: what the results and the ledger then say."""

import asyncio
from pathlib import Path
from random import Random
from typing import Any

from fogline.testing.until import until
from tests.faults.house import publish
from tests.faults.operator_drill import drill, ledger, site
from tests.faults.site import fogline
from tests.faults.truth import PIPELINE, Truth

SEED = 20_261_123


async def test_totals_are_exact_though_operators_are_killed_in_their_work_and_the_node_once(
    tmp_path: Path,
) -> None:
    assert await drill(tmp_path, kills=5, seed=SEED) == []


async def settled(server: str, messages: int, *pipelines: str) -> dict[str, dict[str, Any]]:
    """The ledgers, once they know of so many messages and none of them waits."""
    async with asyncio.timeout(60):
        while True:
            found = {name: (await ledger(server, name))[0] for name in pipelines}
            if all(line["journaled"] == messages and not line["pending"] for line in found.values()):
                return found


async def test_a_message_that_keeps_killing_its_operator_is_a_gap_of_this_plan_alone(tmp_path: Path) -> None:
    rng, truth = Random(6), Truth()
    beside = tmp_path / "beside.yaml"
    beside.write_text(PIPELINE.replace("name: drill", "name: beside"))
    async with site(tmp_path, "touchy", 1) as (cloud, bench, device):
        await fogline("deploy", str(beside), "--server", cloud.address)
        await publish(device, truth, rng, range(600))
        await device.all_taken()
        await until(lambda: bench.operators.reports()[0].rows_in >= 600, within=60)
        await publish(device, truth, rng, range(-1, 0))
        await device.all_taken()
        await until(lambda: bool(bench.operators.quarantined), within=60)
        await bench.switch_off()
        await bench.start()
        await publish(device, truth, rng, range(600, 1200))
        await device.all_taken()
        found = await settled(cloud.address, 1201, "drill", "beside")
    for line in found.values():
        assert line["adds_up"], line["differences"]
    assert found["beside"]["gap"] == {}
    assert found["beside"]["committed"] == 1201
    lost = found["drill"]["gap"]["operator_failed"]
    assert 1 <= lost < 600, "its block, and no other"
    assert found["drill"]["committed"] + lost == 1201
    (step,) = found["drill"]["steps"]
    if lost == 1:
        assert (step["decoded"], step["made"], step["filtered"], step["counted"]) == (1200, 200, 600, 800)
