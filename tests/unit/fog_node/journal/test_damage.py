import errno
from pathlib import Path
from random import Random
from typing import Any

import pytest

from fog_node.journal import Gap, JournalUnreadable
from fog_node.journal.header import HEADER
from fogline.testing.disk import ForgetfulDisk


def segments(disk: ForgetfulDisk) -> list[Path]:
    return sorted(path for path in disk.files() if path.suffix == ".blocks")


async def filled(disk: ForgetfulDisk, opened: Any, kit: Any, count: int = 12) -> Any:
    async with opened(disk) as journal:
        origin = journal.origins("air")[0].origin
        await journal.plan_started("p", origin)
        for number in range(count):
            await journal.append("air", kit.messages(b"%d" % number + b"." * 700))
    return origin


@pytest.mark.parametrize("where", [3, HEADER.size + 3, HEADER.size + 300])
@pytest.mark.parametrize("number", [0, 1, 2])
async def test_a_flipped_byte_costs_its_block_alone_and_is_a_gap_for_every_plan(
    disk: ForgetfulDisk, opened: Any, kit: Any, where: int, number: int
) -> None:
    origin = await filled(disk, opened, kit)
    path = segments(disk)[0]
    size = disk.size(path)
    async with opened(disk) as journal:
        await journal.pending(origin, 0, 2**62)
        row = journal._catalog.row(origin)
        index = row.segments[0].index
        start, lost = index.positions[number], index.firsts[number]
        assert start < size
    disk.flip(path, start + where)
    async with opened(disk) as journal:
        payloads, gaps = await kit.read_origin(journal, origin, 0, "p")
        assert gaps == [Gap(first=lost, end=lost + 1, reason="corrupt")]
        assert [p.split(b".")[0] for p in payloads] == [b"%d" % n for n in range(12) if n != lost]
        assert journal.gaps("p", origin) == tuple(gaps)
        assert await journal.plan_started("other", origin) == 0
        assert journal.gaps("other", origin) == tuple(gaps)
        assert await journal.pending(origin, 0, 2**62) == 11
        assert any(str(lost) in f.detail for f in journal.findings if f.what == "corrupt")
        after = disk.cut_power()
    async with opened(after) as journal:
        assert journal.gaps("p", origin) == tuple(gaps)


async def test_a_torn_tail_is_cut_and_said(disk: ForgetfulDisk, opened: Any, kit: Any) -> None:
    async with opened(disk) as journal:
        origin = journal.origins("air")[0].origin
        for number in range(3):
            await journal.append("air", kit.messages(b"%d" % number))
        torn = disk.cut_power()
    path = segments(torn)[0]
    whole = torn.read(path, 0, torn.size(path))
    torn.put(path, whole[:-5])
    async with opened(torn) as journal:
        assert [f.what for f in journal.findings] == ["torn"]
        assert (await kit.read_origin(journal, origin))[0] == [b"0", b"1"]
        assert journal.origins("air")[0].closed
        assert journal.origins("air")[0].end == 2
        assert torn.size(path) < len(whole) - 5


async def test_a_flip_in_the_last_block_of_an_epoch_closed_in_order_is_counted(
    disk: ForgetfulDisk, opened: Any, kit: Any
) -> None:
    origin = await filled(disk, opened, kit)
    path = segments(disk)[-1]
    disk.flip(path, disk.size(path) - 1)
    async with opened(disk) as journal:
        _, gaps = await kit.read_origin(journal, origin)
        assert gaps == [Gap(first=11, end=12, reason="corrupt")]


async def test_a_file_that_is_gone_or_cut_is_a_gap(disk: ForgetfulDisk, opened: Any, kit: Any) -> None:
    origin = await filled(disk, opened, kit, 30)
    first, second, third, *_, last = segments(disk)
    offsets = [int(path.stem) for path in segments(disk)]
    disk.remove(second)
    disk.put(third, b"")
    async with opened(disk) as journal:
        payloads, _ = await kit.read_origin(journal, origin)
        assert journal.gaps("p", origin) == (Gap(first=offsets[1], end=offsets[3], reason="corrupt"),)
        assert len(payloads) == 30 - (offsets[3] - offsets[1])
    disk.remove(first)
    disk.remove(last)
    async with opened(disk) as journal:
        payloads, gaps = await kit.read_origin(journal, origin, 0, "p")
        assert sum(g.end - g.first for g in gaps) + len(payloads) == 30
        assert {g.reason for g in gaps} == {"corrupt"}


async def test_a_folder_that_is_gone_is_a_gap(disk: ForgetfulDisk, opened: Any, kit: Any) -> None:
    origin = await filled(disk, opened, kit)
    for path in segments(disk):
        disk.remove(path)
    disk.remove_folder(path.parent)
    async with opened(disk) as journal:
        assert await kit.read_origin(journal, origin, 0, "p") == (
            [],
            [Gap(first=0, end=12, reason="corrupt")],
        )


async def test_a_damaged_ledger_is_set_aside_and_the_messages_stay(
    disk: ForgetfulDisk, opened: Any, kit: Any
) -> None:
    origin = await filled(disk, opened, kit)
    disk.flip(kit.folder / "ledger", 60)
    async with opened(disk) as journal:
        assert [f.what for f in journal.findings] == ["ledger"]
        assert len((await kit.read_origin(journal, origin))[0]) == 12
    assert kit.folder / "ledger.damaged" in disk.files()


async def test_a_place_that_the_disk_cannot_read_is_a_gap(disk: ForgetfulDisk, opened: Any, kit: Any) -> None:
    origin = await filled(disk, opened, kit, 30)
    bad = segments(disk)[1]
    offsets = [int(path.stem) for path in segments(disk)]

    def fault(operation: str, path: Path) -> OSError | None:
        return OSError(errno.EIO, "bad sector") if (operation, path) == ("read", bad) else None

    disk.fault = fault
    async with opened(disk) as journal:
        payloads, _ = await kit.read_origin(journal, origin)
        assert journal.gaps("p", origin) == (Gap(first=offsets[1], end=offsets[2], reason="corrupt"),)
        assert len(payloads) == 30 - (offsets[2] - offsets[1])


async def test_a_folder_of_a_newer_release_is_left_alone(disk: ForgetfulDisk, opened: Any, kit: Any) -> None:
    await filled(disk, opened, kit)
    path = kit.folder / "ledger"
    newer = disk.read(path, 0, disk.size(path)).replace(b"fogline-ledger 1 ", b"fogline-ledger 2 ")
    disk.put(path, newer)
    with pytest.raises(JournalUnreadable, match="format 2, this release reads 1"):
        async with opened(disk):
            pass
    assert disk.read(path, 0, disk.size(path)) == newer


async def test_a_payload_that_looks_like_a_block_is_no_block(
    disk: ForgetfulDisk, opened: Any, kit: Any
) -> None:
    """A device may send the bytes of another block of this very file."""
    async with opened(disk) as journal:
        origin = journal.origins("air")[0].origin
        await journal.append("air", kit.messages(b"first"))
        forged = disk.read(segments(disk)[0], 0, 10_000)
        await journal.append("air", kit.messages(forged))
        await journal.append("air", kit.messages(b"last"))
    disk.flip(segments(disk)[0], len(forged))
    async with opened(disk) as journal:
        payloads, gaps = await kit.read_origin(journal, origin)
        assert payloads == [b"first", b"last"]
        assert gaps == [Gap(first=1, end=2, reason="corrupt")]


@pytest.mark.parametrize("seed", range(60))
async def test_random_bytes_never_crash_an_opening(opened: Any, kit: Any, seed: int) -> None:
    rng = Random(seed)
    disk = ForgetfulDisk()
    origin = await filled(disk, opened, kit, 8)
    for path in segments(disk):
        data = bytearray(disk.read(path, 0, disk.size(path)))
        match rng.randrange(4):
            case 0:
                data = bytearray(rng.randbytes(rng.randrange(3000)))
            case 1:
                for _ in range(rng.randrange(1, 20)):
                    data[rng.randrange(len(data))] = rng.randrange(256)
            case 2:
                del data[rng.randrange(len(data)) :]
            case 3:
                at = rng.randrange(len(data))
                data[at:at] = rng.randbytes(rng.randrange(200))
        disk.put(path, bytes(data))
    if seed % 3 == 0:
        disk.put(kit.folder / "ledger", rng.randbytes(200))
    async with opened(disk) as journal:
        for state in journal.origins("air"):
            payloads, gaps = await kit.read_origin(journal, state.origin)
            assert len(payloads) + sum(g.end - g.first for g in gaps) == state.end
            assert len(payloads) == await journal.pending(state.origin, 0, 2**62)
        if seed % 3:
            assert journal.origins("air")[0].origin == origin
            assert journal.origins("air")[0].end == 8
