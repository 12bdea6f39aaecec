"""The uplink is away, moves, or the journal is damaged: what the results and the ledger then say."""

import asyncio
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from fog_node.journal.settings import JournalSettings
from fogline.model.clock import MILLISECOND
from tests.faults.device import Device
from tests.faults.house import (
    House,
    aggregator_in,
    at_work,
    cloud_in,
    deploy,
    publish,
    running,
    wrong_results,
)
from tests.faults.site import fogline
from tests.faults.truth import PIPELINE, Truth

TIGHT = JournalSettings(
    keep_us=0,
    keep_bytes=0,
    segment_bytes=64 * 1024,
    block_bytes=16 * 1024,
    memory_bytes=16 * 1024,
    tidy_every_us=20 * MILLISECOND,
)
"""Lets go of everything as soon as it may."""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    file = tmp_path / "drill.yaml"
    file.write_text(PIPELINE)
    return file


async def ledger(server: str) -> dict[str, Any]:
    (line,) = (await fogline("ledger", "drill", "--server", server, "--json")).splitlines()
    entry: dict[str, Any] = json.loads(line)
    return entry


def segments(folder: Path) -> list[Path]:
    return sorted(p for p in (folder / "journal" / "streams").rglob("*") if p.is_file())


async def test_a_long_outage_loses_nothing_though_the_journal_is_tidied(tmp_path: Path, spec: Path) -> None:
    rng, truth = Random(1), Truth()
    cloud = cloud_in(tmp_path / "cloud")
    house = House(tmp_path / "node", cloud.address, journal=TIGHT)
    device = Device("device-0", "127.0.0.1", house.port, in_flight=1000)
    async with running(cloud), at_work(house, device):
        await deploy(spec, cloud.address)
        await publish(device, truth, rng, range(2000))
        await device.all_taken()
        await cloud.kill()
        for first in range(2000, 20_000, 2000):
            await publish(device, truth, rng, range(first, first + 2000))
            await device.all_taken()
        await house.switch_off()
        await house.start()
        await publish(device, truth, rng, range(20_000, 22_000))
        await cloud.start()
        assert not await wrong_results(cloud.address, truth)
        async with asyncio.timeout(60):
            while len(segments(tmp_path / "node")) > 4:  # noqa: ASYNC110  # files have no event
                await asyncio.sleep(0)


async def test_a_node_moves_between_two_aggregators_and_back(tmp_path: Path, spec: Path) -> None:
    rng, truth = Random(2), Truth()
    cloud = cloud_in(tmp_path / "cloud")
    first = aggregator_in(tmp_path / "a1", "a1", cloud.address)
    second = aggregator_in(tmp_path / "a2", "a2", cloud.address)
    house = House(tmp_path / "node", first.address, second.address)
    device = Device("device-0", "127.0.0.1", house.port, in_flight=1000)
    async with running(cloud, first, second), at_work(house, device):
        await deploy(spec, cloud.address)
        id_ = 0
        for _ in range(3):
            for away in (first, second):
                for _ in range(5):
                    await publish(device, truth, rng, range(id_, id_ + 300))
                    id_ += 300
                await away.kill()
                await publish(device, truth, rng, range(id_, id_ + 300))
                id_ += 300
                await away.start()
        await device.all_taken()
        wrong = await wrong_results(cloud.address, truth)
    assert not wrong, wrong[:5]


async def test_a_flipped_byte_is_a_gap_that_is_told_and_never_a_wrong_number(
    tmp_path: Path, spec: Path
) -> None:
    rng, truth = Random(3), Truth()
    cloud = cloud_in(tmp_path / "cloud")
    house = House(tmp_path / "node", cloud.address, journal=JournalSettings(block_bytes=8 * 1024))
    device = Device("device-0", "127.0.0.1", house.port, in_flight=1000)
    async with running(cloud), at_work(house, device):
        await deploy(spec, cloud.address)
        await cloud.kill()
        await publish(device, truth, rng, range(6000))
        await device.all_taken()
        await house.switch_off()
        victim = max(segments(tmp_path / "node"), key=lambda p: p.stat().st_size)
        data = bytearray(victim.read_bytes())
        place = data.index(b'"id":3', len(data) // 2) + 5
        data[place] ^= 1  # still a digit: only the checksum can tell
        victim.write_bytes(data)
        await house.start()
        await cloud.start()
        async with asyncio.timeout(40):
            # A gap is told of once the node has read as far.
            while (told := await ledger(cloud.address))["pending"] or not told["adds_up"]:
                pass
        assert told["journaled"] == 6000
        lost = sum(told["gap"].values())
        rows: list[dict[str, Any]] = []
        async with asyncio.timeout(40):
            # What is committed becomes a result in a pass of its own.
            while sum(row["values"]["n"] for row in rows) != 6000 - lost:
                said = await fogline("results", "drill", "--server", cloud.address, "--json")
                rows = [json.loads(line) for line in said.splitlines()]
    assert set(told["gap"]) == {"corrupt"}
    assert 0 < lost < 6000
    assert told["adds_up"], told["differences"]
    assert sum(row["values"]["ids"] for row in rows) < sum(range(6000))
