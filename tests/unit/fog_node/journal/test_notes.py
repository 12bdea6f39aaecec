"""Notes beside closed segments: copies that are believed only whole, and gone with their segment."""

import asyncio
import errno
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from fog_node.journal import Journal, SegmentState
from fog_node.journal.settings import KIB
from fogline.testing.disk import ForgetfulDisk


async def fill(journal: Journal, kit: Any, count: int = 12) -> None:
    for number in range(count):
        await journal.append("air", kit.messages(b"%d" % number + b"." * 700))


async def leave(journal: Journal, segment: SegmentState, content: bytes) -> None:
    """Leave a note, and wait until it was written: orders are carried out in their turn."""
    journal.leave_note(segment, content)
    await journal.plan_started("after", journal.origins("air")[-1].origin)
    await journal.forget("after")


def notes(disk: ForgetfulDisk) -> list[Path]:
    return [path for path in disk.files() if path.suffix == ".note"]


async def test_the_segments_of_a_stream_follow_each_other(disk: ForgetfulDisk, opened: Any, kit: Any) -> None:
    async with opened(disk) as journal:
        await fill(journal, kit)
        await journal.roll()
        await fill(journal, kit, 1)
        segments = journal.segments("air")
        assert len(segments) > 2
        for before, after in pairwise(segments):
            assert after.first == (before.end if after.origin == before.origin else 0)
        assert [segment.closed for segment in segments] == [True] * (len(segments) - 1) + [False]


async def test_a_note_is_there_after_a_restart(disk: ForgetfulDisk, opened: Any, kit: Any) -> None:
    async with opened(disk) as journal:
        await fill(journal, kit)
        first, second, *_ = journal.segments("air")
        await leave(journal, first, b"who sent what")
        assert await journal.note(first) == b"who sent what"
        assert await journal.note(second) is None
    async with opened(disk) as journal:
        found, *_ = journal.segments("air")
        assert await journal.note(found) == b"who sent what"


async def test_of_a_segment_that_still_grows_no_note_is_kept(
    disk: ForgetfulDisk, opened: Any, kit: Any
) -> None:
    async with opened(disk) as journal:
        await fill(journal, kit)
        open_one = journal.segments("air")[-1]
        await leave(journal, open_one, b"too early")
        assert notes(disk) == []
        assert await journal.note(open_one) is None


@pytest.mark.parametrize("harm", ["cut short", "changed", "of another end", "empty"])
async def test_a_note_that_is_not_whole_is_not_believed(
    disk: ForgetfulDisk, opened: Any, kit: Any, harm: str
) -> None:
    async with opened(disk) as journal:
        await fill(journal, kit)
        segment = journal.segments("air")[0]
        await leave(journal, segment, b"who sent what")
        (path,) = notes(disk)
        whole = disk.read(path, 0, disk.size(path))
        harmed = {
            "cut short": whole[:-1],
            "changed": whole[:-1] + b"!",
            "of another end": whole[:4] + bytes([whole[4] ^ 1]) + whole[5:],
            "empty": b"",
        }
        disk.put(path, harmed[harm])
        assert await journal.note(segment) is None
        await leave(journal, segment, b"again")
        assert await journal.note(segment) == b"again"


async def test_a_note_goes_with_its_segment_and_keeps_no_folder(
    disk: ForgetfulDisk, opened: Any, kit: Any
) -> None:
    async with opened(disk, keep_us=0, keep_bytes=0) as journal:
        await fill(journal, kit)
        await journal.roll()
        old = journal.origins("air")[0].origin
        await journal.plan_started("p", old)
        for segment in journal.segments("air"):
            await leave(journal, segment, b"who sent what")
        assert len(notes(disk)) > 1
        journal.progress("p", old, 12)
        await journal.tidy()
        await journal.tidy()  # first the files, then the folder
        assert notes(disk) == []
        assert [state.origin for state in journal.origins("air")] != [old]
        assert not any(old.epoch.hex() in str(path) for path in disk.files())


async def test_notes_count_as_used_disk(disk: ForgetfulDisk, opened: Any, kit: Any) -> None:
    async with opened(disk) as journal:
        await fill(journal, kit)
        before = journal.usage().used
        await leave(journal, journal.segments("air")[0], b"." * 1000)
        used = journal.usage().used
        assert used - before == disk.size(notes(disk)[0])
    async with opened(disk) as journal:
        assert journal.usage().used == used


async def test_a_disk_that_takes_no_note_goes_on_without(disk: ForgetfulDisk, opened: Any, kit: Any) -> None:
    def fault(operation: str, path: Path) -> OSError | None:
        full = operation == "write" and path.suffix == ".note"
        return OSError(errno.ENOSPC, "no space left on device") if full else None

    async with opened(disk) as journal:
        await fill(journal, kit)
        disk.fault = fault
        await leave(journal, journal.segments("air")[0], b"who sent what")
        assert notes(disk) == []
        await fill(journal, kit, 1)
        assert journal.origins("air")[-1].end == 13


async def test_what_cannot_be_read_any_more_is_not_told_by_its_note(
    disk: ForgetfulDisk, opened: Any, kit: Any
) -> None:
    """Its sender may bring it again, and then it must be taken."""
    async with opened(disk, memory_bytes=0) as journal:
        await fill(journal, kit)
        segment = journal.segments("air")[0]
        await leave(journal, segment, b"who sent what")
        path = next(p for p in sorted(disk.files()) if p.suffix == ".blocks")
        disk.flip(path, 300)
        await asyncio.gather(kit.read_all(journal))
        assert await journal.note(segment) is None


async def test_a_run_of_blocks_ends_before_a_bad_sector(disk: ForgetfulDisk, opened: Any, kit: Any) -> None:
    """Who reads on is given several blocks at once; a sector that cannot be read costs only its own block."""
    bad: list[tuple[int, int]] = []

    class BadSector(ForgetfulDisk):
        def read(self, path: Path, position: int, length: int) -> bytes:
            if path.suffix == ".blocks" and any(a < position + length and position < b for a, b in bad):
                raise OSError(errno.EIO, "input/output error")
            return super().read(path, position, length)

    spoilt = BadSector()
    async with opened(spoilt, segment_bytes=64 * KIB, memory_bytes=0) as journal:
        await fill(journal, kit, 20)
        origin = journal.origins("air")[0].origin
        await journal.read(origin, 0)
        (path,) = [p for p in spoilt.files() if p.suffix == ".blocks"]
        middle = spoilt.size(path) // 2
        bad.append((middle, middle + 1))
        payloads, gaps = await kit.read_origin(journal, origin)
        assert len(payloads) == 19
        assert [(gap.end - gap.first, gap.reason) for gap in gaps] == [(1, "corrupt")]
