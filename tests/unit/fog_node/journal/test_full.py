import asyncio
import errno
from pathlib import Path
from typing import Any

import pytest

from fog_node.journal import Gap, JournalFailed, JournalFull
from fog_node.journal.settings import KIB
from fogline.model.clock import HOUR, SECOND
from fogline.testing.disk import ForgetfulDisk

QUOTA = 16 * KIB


def payload(number: int) -> bytes:
    return b"%d" % number + b"." * 700


async def fill(journal: Any, kit: Any, numbers: range, stream: str = "air") -> int:
    """Append one by one until one is refused; gives how many were taken."""
    for taken, number in enumerate(numbers):
        try:
            await journal.append(stream, kit.messages(payload(number)))
        except JournalFull:
            return taken
    return len(numbers)


async def test_expire_gives_up_the_oldest_and_says_so(disk: ForgetfulDisk, opened: Any, kit: Any) -> None:
    async with opened(disk) as journal:
        journal.declare("air", policy="expire", quota_bytes=QUOTA)
        origin = journal.origins("air")[0].origin
        await journal.plan_started("p", origin)
        assert await fill(journal, kit, range(100)) == 100
        (gap,) = journal.gaps("p", origin)
        assert (gap.first, gap.reason) == (0, "expired")
        assert journal.origins("air")[0].base == gap.end
        assert journal.usage().used <= QUOTA
        payloads, gaps = await kit.read_origin(journal, origin, 0, "p")
        assert gaps == [gap]
        assert payloads == [payload(n) for n in range(gap.end, 100)]
        assert len(payloads) > 10
        assert journal.counters("air").refused == {}


async def test_expire_takes_what_is_released_before_what_is_needed(
    disk: ForgetfulDisk, opened: Any, kit: Any
) -> None:
    async with opened(disk) as journal:
        journal.declare("air", policy="expire", quota_bytes=QUOTA)
        origin = journal.origins("air")[0].origin
        await journal.plan_started("p", origin)
        for number in range(100):
            await journal.append("air", kit.messages(payload(number)))
            journal.progress("p", origin, number)
        assert journal.gaps("p", origin) == ()
        assert journal.origins("air")[0].base > 70


async def test_one_huge_burst_expires_too(disk: ForgetfulDisk, opened: Any, kit: Any) -> None:
    async with opened(disk) as journal:
        journal.declare("air", policy="expire", quota_bytes=QUOTA)
        await asyncio.gather(*(journal.append("air", kit.messages(payload(n))) for n in range(100)))
        state = journal.origins("air")[0]
        assert state.end == 100
        assert journal.usage().used <= QUOTA
        assert (await kit.read_origin(journal, state.origin, state.base))[0][-1] == payload(99)


@pytest.mark.parametrize("policy", ["expire", "refuse", "wait"])
async def test_a_batch_larger_than_the_quota_is_refused(
    disk: ForgetfulDisk, opened: Any, kit: Any, policy: Any
) -> None:
    async with opened(disk) as journal:
        journal.declare("air", policy=policy, quota_bytes=QUOTA)
        with pytest.raises(JournalFull):
            await journal.append("air", kit.messages(b"x" * QUOTA))
        assert journal.counters("air").refused == {"full": 1}


async def test_refuse_keeps_what_it_has_and_counts_what_comes(
    disk: ForgetfulDisk, opened: Any, kit: Any
) -> None:
    async with opened(disk) as journal:
        journal.declare("air", policy="refuse", quota_bytes=QUOTA)
        origin = journal.origins("air")[0].origin
        await journal.plan_started("p", origin)
        taken = await fill(journal, kit, range(100))
        assert 10 < taken < 30
        counters = journal.counters("air")
        assert (counters.received, counters.journaled, counters.refused) == (taken + 1, taken, {"full": 1})
        assert journal.gaps("p", origin) == ()
        journal.progress("p", origin, taken)
        assert await fill(journal, kit, range(5)) == 5


async def test_wait_holds_senders_until_the_store_has_taken_something(
    disk: ForgetfulDisk, opened: Any, kit: Any
) -> None:
    async with opened(disk) as journal:
        journal.declare("air", policy="wait", quota_bytes=QUOTA)
        origin = journal.origins("air")[0].origin
        await journal.plan_started("p", origin)
        appends = [asyncio.ensure_future(journal.append("air", kit.messages(payload(n)))) for n in range(60)]
        while not (done := sum(a.done() for a in appends)) or journal.origins("air")[0].end != done:
            await asyncio.wait(appends, return_when=asyncio.FIRST_COMPLETED, timeout=0.05)
        assert done < 30
        assert journal.origins("air")[0].end == done
        while not all(a.done() for a in appends):
            journal.progress("p", origin, journal.origins("air")[0].end)
            await journal.tidy()
            await asyncio.wait(appends, timeout=0.01)
        await asyncio.gather(*appends)
        assert journal.origins("air")[0].end == 60
        assert journal.counters("air").refused == {}


async def test_a_sender_that_gives_up_waiting_leaves_its_place(
    disk: ForgetfulDisk, opened: Any, kit: Any
) -> None:
    async with opened(disk) as journal:
        journal.declare("air", policy="wait", quota_bytes=QUOTA)
        origin = journal.origins("air")[0].origin
        await journal.plan_started("p", origin)
        appends = [asyncio.ensure_future(journal.append("air", kit.messages(payload(n)))) for n in range(40)]
        await asyncio.wait(appends, timeout=0.2)
        kept = journal.origins("air")[0].end
        for append in appends[kept:-1]:
            append.cancel()
        journal.progress("p", origin, kept)
        await journal.tidy()
        await appends[-1]
        assert journal.origins("air")[0].end == kept + 1


async def test_a_full_node_takes_from_the_stream_that_uses_most_and_may_lose_some(
    disk: ForgetfulDisk, opened: Any, kit: Any
) -> None:
    async with opened(
        disk, streams=("big", "kept", "small"), limit_bytes=3 * QUOTA, quota_bytes=2 * QUOTA
    ) as journal:
        journal.declare("kept", policy="refuse", quota_bytes=QUOTA)
        for stream in ("big", "kept", "small"):
            await journal.plan_started("p", journal.origins(stream)[0].origin)
        assert 10 < await fill(journal, kit, range(100), "kept") < 30
        assert await fill(journal, kit, range(100), "big") == 100
        assert await fill(journal, kit, range(10), "small") == 10
        assert journal.usage().used <= 3 * QUOTA
        assert journal.gaps("p", journal.origins("big")[0].origin)
        assert not journal.gaps("p", journal.origins("small")[0].origin)
        assert journal.origins("kept")[0].base == 0


async def test_identity_keeps_what_it_looks_back_on(disk: ForgetfulDisk, opened: Any, kit: Any) -> None:
    async with opened(disk, keep_us=0, keep_bytes=0) as journal:
        journal.declare("air", look_back_us=10 * SECOND)
        origin = journal.origins("air")[0].origin
        await journal.plan_started("p", origin)
        for number in range(40):
            await journal.append("air", kit.messages(payload(number), arrival_us=opened.clock.now_us()))
            await opened.clock.advance(1)
        journal.progress("p", origin, 40)
        await journal.tidy()
        assert 20 <= journal.origins("air")[0].base <= 30
        await opened.clock.advance(20)
        await journal.tidy()
        assert journal.origins("air")[0].base == 40


async def test_committed_blocks_never_use_more_than_keep_bytes(
    disk: ForgetfulDisk, opened: Any, kit: Any
) -> None:
    async with opened(disk, keep_us=HOUR, keep_bytes=8 * KIB) as journal:
        origin = journal.origins("air")[0].origin
        await journal.plan_started("p", origin)
        await fill(journal, kit, range(60))
        journal.progress("p", origin, 60)
        await journal.tidy()
        assert 0 < journal.usage().used <= 8 * KIB


@pytest.mark.parametrize("policy", ["refuse", "expire"])
async def test_a_full_disk_is_survived(opened: Any, kit: Any, policy: Any) -> None:
    disk = ForgetfulDisk(capacity=40 * KIB)
    async with opened(disk) as journal:
        journal.declare("air", policy=policy)
        origin = journal.origins("air")[0].origin
        await journal.plan_started("p", origin)
        taken = await fill(journal, kit, range(200))
        before = journal.counters("air")
        assert (taken == 200) == (policy == "expire")
        if policy == "refuse":
            assert before.refused == {"full": 1}
            assert await journal.detach("p") == taken  # small facts still fit
            disk.capacity *= 2
            assert await fill(journal, kit, range(10)) == 10
        payloads, gaps = await kit.read_origin(journal, origin, 0, "p")
        assert len(payloads) + sum(g.end - g.first for g in gaps) == journal.origins("air")[0].end
        cut = disk.cut_power()
    async with opened(cut) as journal:
        assert await kit.read_origin(journal, origin, 0, "p") == (payloads, gaps)


async def test_others_may_fill_the_disk_to_the_brim_and_gap_records_still_fit(opened: Any, kit: Any) -> None:
    disk = ForgetfulDisk(capacity=60 * KIB)
    async with opened(disk) as journal:
        origin = journal.origins("air")[0].origin
        await journal.plan_started("p", origin)
        await fill(journal, kit, range(10))
        disk.put(Path("/other"), bytes(disk.free_bytes(Path("/"))))
        assert await journal.detach("p") == 10
        cut = disk.cut_power()
    async with opened(cut) as journal:
        assert journal.gaps("p", origin) == (Gap(first=0, end=10, reason="detached"),)


async def test_wait_goes_on_when_the_disk_has_room_again(opened: Any, kit: Any) -> None:
    disk = ForgetfulDisk(capacity=20 * KIB)
    async with opened(disk) as journal:
        journal.declare("air", policy="wait")
        appends = [asyncio.ensure_future(journal.append("air", kit.messages(payload(n)))) for n in range(40)]
        await asyncio.wait(appends, timeout=0.2)
        assert 0 < sum(a.done() for a in appends) < 40
        disk.capacity *= 10
        await journal.tidy()
        await asyncio.gather(*appends)
        assert (await kit.read_all(journal))[0] == [payload(n) for n in range(40)]


class Failing:
    """Fails an operation on block files so many times."""

    def __init__(self, operation: str, number: int, times: int = 1) -> None:
        self.operation, self.number, self.left = operation, number, times

    def __call__(self, operation: str, path: Path) -> OSError | None:
        if operation != self.operation or path.suffix != ".blocks":
            return None
        self.number -= 1
        if self.number >= 0 or self.left == 0:
            return None
        self.left -= 1
        return OSError(errno.EIO, "input/output error")


@pytest.mark.parametrize("policy", ["expire", "refuse", "wait"])
@pytest.mark.parametrize("operation", ["write", "sync", "cut"])
async def test_a_failed_write_or_sync_is_never_acknowledged_and_the_journal_goes_on(
    disk: ForgetfulDisk, opened: Any, kit: Any, policy: Any, operation: str
) -> None:
    async with opened(disk) as journal:
        journal.declare("air", policy=policy)
        first = journal.epoch
        disk.fault = Failing("write" if operation == "cut" else operation, 5)
        if operation == "cut":
            write, cut = Failing("write", 5), Failing("cut", 0)
            disk.fault = lambda o, p: write(o, p) or cut(o, p)
        acknowledged, refused = [], []

        async def send(number: int) -> None:
            try:
                await journal.append("air", kit.messages(payload(number)))
                acknowledged.append(payload(number))
            except JournalFull:
                refused.append(number)

        for number in range(20):
            sending = asyncio.ensure_future(send(number))
            while not sending.done():
                await asyncio.wait([sending], timeout=0.01)
                await journal.tidy()
        assert (await kit.read_all(journal))[0] == acknowledged
        assert len(refused) == (1 if policy == "refuse" else 0)
        assert (journal.epoch != first) == (operation != "write")
        counters = journal.counters("air")
        assert (counters.received, counters.journaled) == (20, 20 - len(refused))
        assert counters.refused == ({"disk_error": 1} if refused else {})
        killed = disk.cut_power()
    disk.kill()
    for found in (disk, killed):
        found.fault = None
        async with opened(found) as journal:
            assert (await kit.read_all(journal))[0] == acknowledged


async def test_a_ledger_that_cannot_be_written_promises_nothing(
    disk: ForgetfulDisk, opened: Any, kit: Any
) -> None:
    def broken(operation: str, path: Path) -> OSError | None:
        if operation == "rename" and path.name == "ledger.new":
            return OSError(errno.EIO, "input/output error")
        return None

    async with opened(disk) as journal:
        journal.declare("air", policy="expire", quota_bytes=QUOTA)
        origin = journal.origins("air")[0].origin
        disk.fault = broken
        with pytest.raises(JournalFailed):
            await journal.plan_started("p", origin)
        with pytest.raises(JournalFailed):
            await journal.roll()
        taken = await fill(journal, kit, range(100))
        assert taken < 30  # no room can be made without a gap record
        disk.fault = None
        await journal.tidy()
        assert await journal.plan_started("p", origin) == 0
        assert await fill(journal, kit, range(100)) == 100
        await journal.roll()
