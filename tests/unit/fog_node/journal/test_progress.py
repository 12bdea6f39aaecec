"""What plans have done with messages: what stays, what goes, and what is counted of it."""

from typing import Any

import pytest

from fog_node.journal import Gap
from fog_node.messages import Block
from fogline.model.clock import HOUR
from fogline.model.errors import NotFound
from fogline.testing.disk import ForgetfulDisk


async def test_committed_messages_stay_for_keep_and_then_go(
    disk: ForgetfulDisk, opened: Any, kit: Any
) -> None:
    async with opened(disk, keep_us=HOUR) as journal:
        origin = journal.origins("air")[0].origin
        await journal.plan_started("p", origin)
        await journal.plan_started("q", origin)
        for number in range(20):
            await journal.append(
                "air", kit.messages(bytes([number]) * 1000, arrival_us=opened.clock.now_us())
            )
        journal.progress("p", origin, 20)
        journal.progress("q", origin, 12)
        await journal.tidy()
        assert journal.origins("air")[0].base == 0
        await opened.clock.advance(3601)
        await journal.tidy()
        base = journal.origins("air")[0].base
        assert 4 <= base <= 12
        assert await journal.read(origin, 0) == Gap(first=0, end=base, reason="released")
        assert journal.gaps("p", origin) == journal.gaps("q", origin) == ()
        assert await journal.pending(origin, 12, 2**62) == 8


async def test_nothing_is_removed_for_progress_that_another_plan_lacks(
    disk: ForgetfulDisk, opened: Any, kit: Any
) -> None:
    async with opened(disk, keep_us=0, keep_bytes=0) as journal:
        origin = journal.origins("air")[0].origin
        await journal.plan_started("slow", origin)
        await journal.plan_started("fast", origin)
        for number in range(20):
            await journal.append("air", kit.messages(bytes([number]) * 1000))
        journal.progress("fast", origin, 20)
        await journal.tidy()
        assert len((await kit.read_all(journal, plan="slow"))[0]) == 20
        await journal.forget("slow")
        await journal.tidy()
        assert journal.origins("air")[0].base > 0


async def test_what_a_start_guesses_is_not_older_than_the_last_drained_epoch(
    disk: ForgetfulDisk, opened: Any, kit: Any
) -> None:
    """Else each start without a parent would do again what all starts of the last minute did."""
    async with opened(disk) as journal:
        old = journal.origins("air")[0].origin
        await journal.plan_started("p", old)
        await journal.append("air", kit.messages(b"a", b"b", b"c"))
        await journal.roll()
        await journal.plan_started("p", journal.origins("air")[1].origin)
        journal.progress("p", old, 2)
        await journal.tidy()
        early = disk.cut_power(None)
        journal.progress("p", old, 3)
        await journal.tidy()
        late = disk.cut_power(None)
        changes: list[str] = []
        disk.watcher = changes.append
        journal.progress("p", old, 3)
        await journal.tidy()
        assert changes == []
    for after, heard in ((early, 0), (late, 3)):
        async with opened(after) as journal:
            assert journal.last_heard("p", old) == heard


async def test_an_epoch_goes_when_all_is_confirmed_and_its_counters_stay(
    disk: ForgetfulDisk, opened: Any, kit: Any
) -> None:
    async with opened(disk, keep_us=0) as journal:
        origin = journal.origins("air")[0].origin
        await journal.plan_started("p", origin)
        await journal.append("air", kit.messages(b"a", b"b"))
        journal.count("air", refused={"too_large": 3}, redelivered=2, retained=1)
        await journal.roll()
        journal.progress("p", origin, 2)
        await opened.clock.advance(1)
        await journal.tidy()
        await journal.tidy()
        assert [s.origin.epoch for s in journal.origins("air")] == [journal.epoch]
        total = journal.counters("air")
        assert (total.received, total.journaled, total.refused) == (5, 2, {"too_large": 3})
        assert not [path for path in disk.files() if origin.epoch.hex() in str(path)]
    async with opened(disk) as journal:
        assert journal.counters("air") == total


async def test_counters_survive_a_kill_in_the_headers_of_blocks(
    disk: ForgetfulDisk, opened: Any, kit: Any
) -> None:
    async with opened(disk) as journal:
        journal.count("air", refused={"too_large": 3}, redelivered=2, retained=1)
        await journal.append("air", kit.messages(b"a", b"b"))
        killed = disk.cut_power()
    async with opened(killed) as journal:
        (state, _) = journal.origins("air")
        assert state.counters == journal.counters("air")
        assert (state.counters.received, state.counters.journaled) == (5, 2)
        assert (state.counters.refused, state.counters.redelivered, state.counters.retained) == (
            {"too_large": 3}, 2, 1,
        )  # fmt: skip


async def test_detaching_is_a_gap_for_that_plan_alone(disk: ForgetfulDisk, opened: Any, kit: Any) -> None:
    async with opened(disk) as journal:
        origin = journal.origins("air")[0].origin
        for plan in ("slow", "fast"):
            await journal.plan_started(plan, origin)
        await journal.append("air", kit.messages(*[b"%d" % n for n in range(10)]))
        journal.progress("slow", origin, 4)
        assert await journal.detach("slow") == 6
        assert journal.gaps("slow", origin) == (Gap(first=4, end=10, reason="detached"),)
        assert journal.gaps("fast", origin) == ()
        await journal.append("air", kit.messages(b"new"))
        assert (await journal.read(origin, 4, plan="slow")) == Gap(first=4, end=10, reason="detached")
        assert isinstance(await journal.read(origin, 10, plan="slow"), Block)
        assert len((await kit.read_all(journal, plan="fast"))[0]) == 11
    async with opened(disk) as journal:
        assert journal.gaps("slow", origin) == (Gap(first=4, end=10, reason="detached"),)


async def test_a_gap_that_a_lane_declares_is_kept(disk: ForgetfulDisk, opened: Any, kit: Any) -> None:
    gap = Gap(first=0, end=1, reason="cloud_rollback")
    async with opened(disk) as journal:
        origin = journal.origins("air")[0].origin
        await journal.append("air", kit.messages(b"a", b"b"))
        with pytest.raises(NotFound):
            await journal.declare_gap("p", origin, gap)
        await journal.plan_started("p", origin)
        await journal.declare_gap("p", origin, gap)
        killed = disk.cut_power()
    async with opened(killed) as journal:
        assert journal.gaps("p", origin) == (gap,)


async def test_a_store_that_holds_more_than_the_journal_is_told(
    disk: ForgetfulDisk, opened: Any, kit: Any
) -> None:
    async with opened(disk) as journal:
        origin = journal.origins("air")[0].origin
        await journal.plan_started("p", origin)
        await journal.append("air", kit.messages(b"a"))
        journal.progress("p", origin, 5)
        assert [f.what for f in journal.findings] == ["rolled_back"]


async def test_pending_is_counted_from_the_blocks(disk: ForgetfulDisk, opened: Any, kit: Any) -> None:
    async with opened(disk) as journal:
        for _ in range(30):
            await journal.append("air", kit.messages(b"x" * 400, b"y" * 400))
        origin = journal.origins("air")[0].origin
        assert [await journal.pending(origin, offset, 2**62) for offset in (0, 31, 60)] == [60, 29, 0]
    async with opened(disk) as journal:
        assert [await journal.pending(origin, offset, 2**62) for offset in (0, 31, 60)] == [60, 29, 0]
