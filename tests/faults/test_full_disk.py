"""The disk of a node, and that of the database, is full to the last page: what is acknowledged counts once."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from cloud.store.migrate import migrate
from cloud.store.opening import open_postgres
from fog_node.journal.settings import KIB, JournalSettings
from fogline.model.errors import StoreBusy
from tests.conftest import absent
from tests.contract.installation import T0, Installation, Reading
from tests.faults.device import Device
from tests.faults.house import House, at_work, cloud_in, deploy, publish, running, wrong_results
from tests.faults.small_disk import CannotMount, SmallDisk, small_disk
from tests.faults.truth import PIPELINE, Truth
from tests.postgres import PostgresAbsent, private_postgres

HANG_S = 120.0
POSTGRES_MIB = 160
PART = 50
"""Readings of a part."""


@pytest.fixture
def disk(request: pytest.FixtureRequest) -> Iterator[SmallDisk]:
    try:
        with small_disk(request.param) as mounted:
            yield mounted
    except CannotMount as refused:
        absent(f"needs a file system of its own, and may not mount one: {refused}")


@pytest.mark.parametrize("disk", [8], indirect=True)
@pytest.mark.parametrize("policy", ["wait", "refuse"])
async def test_what_a_node_with_a_full_disk_acknowledges_counts_once(
    tmp_path: Path, disk: SmallDisk, policy: str
) -> None:
    """The device is told nothing, or is sent away; it sends again until there is room."""
    spec, truth, rng = tmp_path / "drill.yaml", Truth(), Random(11)
    spec.write_text(PIPELINE.replace("    fields:", f"    full: {policy}\n    fields:"))
    cloud = cloud_in(tmp_path / "cloud")
    journal = JournalSettings(reserve_bytes=64 * KIB, memory_bytes=64 * KIB)
    house = House(disk.folder / "node", cloud.address, journal=journal)
    device = Device("device-0", "127.0.0.1", house.port, in_flight=5_000)
    async with running(cloud), at_work(house, device):
        await deploy(spec, cloud.address)
        await publish(device, truth, rng, range(500))
        await device.all_taken()
        await asyncio.to_thread(disk.fill)
        await publish(device, truth, rng, range(500, 3_000))
        # However busy the machine is: there is no room for them.
        with suppress(TimeoutError):
            await asyncio.wait_for(device.all_taken(), 2.0)
        assert device.acknowledged < 3_000
        await asyncio.to_thread(disk.clear)
        async with asyncio.timeout(HANG_S):
            await device.all_taken()
        assert not await wrong_results(cloud.address, truth)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("disk", [POSTGRES_MIB], indirect=True)
async def test_a_database_on_a_full_disk_is_waited_for_and_counts_once(disk: SmallDisk) -> None:
    """Whether PostgreSQL refuses a statement or ends: a part that got no answer is pushed again."""
    try:
        with private_postgres(disk.folder, durable=True) as server:
            url = server.database()
            await asyncio.to_thread(migrate, url)
            async with open_postgres(url, T0) as store:
                made = Installation(store)
                await made.deploy()
                assert not (await made.push(_readings(0))).refused
                await asyncio.to_thread(disk.fill)
                pushed = await _push_until_busy(made, PART)
                await asyncio.to_thread(disk.clear)
                await asyncio.to_thread(server.restart)
                for first in (pushed, pushed + PART):
                    assert not (await made.push(_readings(first), first=first)).refused
                (row,) = (await store.ledger("main")).offsets
                assert row.offset == pushed + 2 * PART
                await made.finish()
                readings = [result.readings for result in await made.results()]
                assert readings == [1] * row.offset
    except PostgresAbsent as missing:
        absent(str(missing))


async def _push_until_busy(made: Installation, pushed: int) -> int:
    """How many were committed."""
    async with asyncio.timeout(HANG_S):
        while True:
            try:
                assert not (await made.push(_readings(pushed), first=pushed)).refused
            except StoreBusy:
                return pushed
            pushed += PART


def _readings(first: int) -> list[Reading]:
    """A window and a zone for each: new rows need new pages."""
    return [Reading(number * 10.0, f"{number:0200}", 20.0) for number in range(first, first + PART)]
