"""Cuts the power before every single operation on the disk, and looks whether anything acknowledged is
gone.
"""

import asyncio
from pathlib import Path
from random import Random
from typing import Any

import pytest

from fog_node.journal.settings import KIB
from fogline.testing.disk import ForgetfulDisk


class Watch:
    """Copies the disk as a cut would leave it, before each operation, with what was acknowledged by then."""

    def __init__(self, disk: ForgetfulDisk, rng: Random | None) -> None:
        self.acknowledged: list[bytes] = []
        self.promised_start: list[int] = []
        self.cuts: list[tuple[list[bytes], list[int], ForgetfulDisk]] = []
        self._disk, self._rng = disk, rng
        disk.watcher = self.before

    def before(self, _operation: str) -> None:
        told = list(self.acknowledged), list(self.promised_start)
        self.cuts.append((*told, self._disk.cut_power(self._rng)))


async def work(disk: ForgetfulDisk, opened: Any, kit: Any, watch: Watch) -> None:
    """Appends into two streams, in small segments, with a start of a plan, a roll and a restart in
    between.
    """

    async def append(journal: Any, stream: str, number: int) -> None:
        payload = b"%s-%d" % (stream.encode(), number) + b"." * 700
        await journal.append(stream, kit.messages(payload))
        watch.acknowledged.append(payload)

    streams = ("air", "water")
    async with opened(disk, streams=streams) as journal:
        for number in range(12):
            await asyncio.gather(*(append(journal, stream, number) for stream in streams))
        await journal.plan_started("p", journal.origins("air")[0].origin, at="end")
        watch.promised_start.append(12)
        await journal.roll()
        await append(journal, "air", 12)
    disk.kill()
    async with opened(disk, streams=streams) as journal:
        await append(journal, "water", 13)


async def lost(watch: Watch, opened: Any, kit: Any) -> int:
    """How many acknowledged messages cannot be read after some cut; a message is never there twice."""
    missing = 0
    for acknowledged, starts, disk in watch.cuts:
        async with opened(disk, streams=("air", "water")) as journal:
            found = []
            for stream in ("air", "water"):
                found += (await kit.read_all(journal, stream))[0]
            assert len(found) == len(set(found))
            missing += len(set(acknowledged) - set(found))
            if starts:
                assert await journal.plan_started("p", journal.origins("air")[0].origin) == starts[0]
    return missing


async def test_nothing_acknowledged_is_lost_wherever_the_power_is_cut(opened: Any, kit: Any) -> None:
    disk = ForgetfulDisk()
    watch = Watch(disk, None)
    await work(disk, opened, kit, watch)
    assert len(watch.cuts) > 100
    assert await lost(watch, opened, kit) == 0


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_acknowledged_is_lost_when_a_cut_spares_some_of_the_rest(
    opened: Any, kit: Any, seed: int
) -> None:
    disk = ForgetfulDisk()
    watch = Watch(disk, Random(seed))
    await work(disk, opened, kit, watch)
    assert await lost(watch, opened, kit) == 0


async def test_what_was_read_after_a_kill_survives_a_power_cut_after_that(opened: Any, kit: Any) -> None:
    disk = ForgetfulDisk()
    watch = Watch(disk, None)
    await work(disk, opened, kit, watch)
    # The process dies in the middle of a commit: bytes are in the page cache that were never synced.
    seen_by_process = disk
    unsynced = next(p for p in reversed(disk.files()) if p.suffix == ".blocks")
    seen_by_process.reopen(unsynced).write([b"FOGBLOCK and then half a block"])
    disk.kill()
    async with opened(disk, streams=("air", "water")) as journal:
        before = [await kit.read_all(journal, stream) for stream in ("air", "water")]
        after_cut = disk.cut_power()
    async with opened(after_cut, streams=("air", "water")) as journal:
        assert [await kit.read_all(journal, stream) for stream in ("air", "water")] == before


class NoDataSync(ForgetfulDisk):
    """Broken on purpose: fdatasync does nothing."""

    def sync(self, path: Path, file: Any) -> None:
        if path.suffix != ".blocks":
            super().sync(path, file)


class NoFolderSync(ForgetfulDisk):
    """Broken on purpose: a new file's entry is not synced."""

    def sync_folder(self, folder: Path) -> None:
        if "streams" not in folder.parts:
            super().sync_folder(folder)


class NoLedgerFolderSync(ForgetfulDisk):
    """Broken on purpose: the ledger's rename is not synced."""

    def sync_folder(self, folder: Path) -> None:
        if "streams" in folder.parts or folder.name != "journal":
            super().sync_folder(folder)


@pytest.mark.parametrize("broken", [NoDataSync, NoFolderSync])
async def test_the_check_sees_when_a_sync_is_left_out(
    opened: Any, kit: Any, broken: type[ForgetfulDisk]
) -> None:
    disk = broken()
    watch = Watch(disk, None)
    await work(disk, opened, kit, watch)
    assert await lost(watch, opened, kit) > 0


async def test_the_check_sees_when_the_ledgers_rename_is_not_synced(opened: Any, kit: Any) -> None:
    disk = NoLedgerFolderSync()
    watch = Watch(disk, None)
    await work(disk, opened, kit, watch)
    with pytest.raises(AssertionError):
        await lost(watch, opened, kit)


@pytest.mark.parametrize("spared", [None, Random(5)])
async def test_expired_messages_are_a_gap_on_disk_before_they_are_gone(
    opened: Any, kit: Any, spared: Random | None
) -> None:
    disk = ForgetfulDisk()
    watch = Watch(disk, spared)
    async with opened(disk) as journal:
        journal.declare("air", policy="expire", quota_bytes=16 * KIB)
        origin = journal.origins("air")[0].origin
        await journal.plan_started("p", origin)
        watch.cuts.clear()
        for number in range(60):
            await journal.append("air", kit.messages(b"%d" % number + b"." * 700))
            watch.acknowledged.append(b"")
        assert journal.gaps("p", origin)
    for acknowledged, _, cut in watch.cuts:
        async with opened(cut) as journal:
            journal.declare("air", policy="expire", quota_bytes=16 * KIB)
            payloads, gaps = await kit.read_origin(journal, origin, 0, "p")
            assert {gap.reason for gap in gaps} <= {"expired"}
            assert len(payloads) + sum(gap.end - gap.first for gap in gaps) >= len(acknowledged)
            assert not [finding for finding in journal.findings if finding.what == "corrupt"]
