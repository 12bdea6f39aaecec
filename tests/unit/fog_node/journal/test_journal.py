import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fog_node.journal import Journal, JournalClosed, JournalLocked, JournalSettings
from fog_node.messages import Block, Messages
from fogline.model.clock import SECOND, SystemClock
from fogline.model.errors import InvalidInput, NotFound
from fogline.testing.disk import ForgetfulDisk


async def test_what_was_appended_is_read_back_whole(disk: ForgetfulDisk, opened: Any) -> None:
    sent = Messages(
        arrival_us=77,
        client="pump",
        topics=["a/1", "a/2"],
        topic_codes=[1, 0, 1],
        payloads=[b"one", b"", b"x" * 300],
        packet_ids=[5, 0, 65_535],
        flags=bytes([1, 0, 0b1110]),
    )
    async with opened(disk) as journal:
        await journal.append("air", sent)
        (state,) = journal.origins("air")
        block = await journal.read(state.origin, 0)
    assert isinstance(block, Block)
    assert (block.first, block.end, block.origin.epoch) == (0, 3, journal.epoch)
    assert block.payloads == sent.payloads
    assert [block.topics[code] for code in block.topic_codes] == ["a/2", "a/1", "a/2"]
    assert [block.clients[code] for code in block.client_codes] == ["pump"] * 3
    assert block.packet_ids.tolist() == [5, 0, 65_535]
    assert block.flags.tolist() == [1, 0, 0b1110]
    assert block.arrival_us.tolist() == [77] * 3


async def test_memory_and_disk_give_the_same_block(disk: ForgetfulDisk, opened: Any, kit: Any) -> None:
    async with opened(disk, memory_bytes=1 << 20) as journal:
        await journal.append("air", kit.messages(b"a", b"bb"))
        origin = journal.origins("air")[0].origin
        remembered = await journal.read(origin, 0)
    async with opened(disk) as journal:
        stored = await journal.read(origin, 0)
    assert isinstance(remembered, Block)
    assert isinstance(stored, Block)
    assert (stored.first, stored.end, stored.topics, stored.clients) == (
        0,
        2,
        remembered.topics,
        remembered.clients,
    )
    assert list(stored.payloads) == list(remembered.payloads)
    for column in ("arrival_us", "topic_codes", "client_codes", "packet_ids", "flags"):
        np.testing.assert_array_equal(getattr(stored, column), getattr(remembered, column))
        assert getattr(stored, column).dtype == getattr(remembered, column).dtype


async def test_batches_of_one_commit_keep_client_and_order(
    disk: ForgetfulDisk, opened: Any, kit: Any
) -> None:
    async with opened(disk) as journal:
        await asyncio.gather(
            *(journal.append("air", kit.messages(b"%d" % n, client=f"c{n}")) for n in range(40))
        )
        payloads, gaps = await kit.read_all(journal)
    assert payloads == [b"%d" % n for n in range(40)]
    assert not gaps


async def test_a_read_inside_a_block_gives_the_rest_of_it(disk: ForgetfulDisk, opened: Any, kit: Any) -> None:
    async with opened(disk) as journal:
        await journal.append("air", kit.messages(b"a", b"b", b"c"))
        block = await journal.read(journal.origins("air")[0].origin, 1)
    assert isinstance(block, Block)
    assert (block.first, block.end, list(block.payloads)) == (1, 3, [b"b", b"c"])
    assert len(block.flags) == len(block.arrival_us) == 2


async def test_a_reader_waits_until_the_origin_grows_or_closes(
    disk: ForgetfulDisk, opened: Any, kit: Any
) -> None:
    async with opened(disk) as journal:
        origin = journal.origins("air")[0].origin
        assert await journal.read(origin, 0) is None
        grown = asyncio.ensure_future(journal.grown(origin, 0))
        await journal.append("air", kit.messages(b"a"))
        await grown
        closed = asyncio.ensure_future(journal.grown(origin, 1))
        await journal.roll()
        await closed
        assert [s.closed for s in journal.origins("air")] == [True, False]


async def test_a_reader_that_waits_for_more_is_not_woken_by_less(
    disk: ForgetfulDisk, opened: Any, kit: Any
) -> None:
    async with opened(disk) as journal:
        origin = journal.origins("air")[0].origin
        grown = asyncio.ensure_future(journal.grown(origin, 2))
        await journal.append("air", kit.messages(b"a", b"b"))
        assert not grown.done()
        await journal.append("air", kit.messages(b"c"))
        await grown


async def test_every_start_has_a_new_epoch_and_the_old_ones_are_closed(
    disk: ForgetfulDisk, opened: Any, kit: Any
) -> None:
    epochs = []
    for number in range(3):
        async with opened(disk) as journal:
            epochs.append(journal.epoch)
            await journal.append("air", kit.messages(b"%d" % number))
    assert len(set(epochs)) == 3
    async with opened(disk) as journal:
        states = journal.origins("air")
        assert [s.origin.epoch for s in states] == [*epochs, journal.epoch]
        assert [(s.base, s.end, s.closed) for s in states] == [(0, 1, True)] * 3 + [(0, 0, False)]
        assert (await kit.read_all(journal))[0] == [b"0", b"1", b"2"]


async def test_an_epoch_that_nobody_heard_of_is_forgotten(disk: ForgetfulDisk, opened: Any) -> None:
    for _ in range(3):
        async with opened(disk) as journal:
            assert len(journal.origins("air")) == 1
            await journal.roll()
            assert len(journal.origins("air")) == 1


async def test_an_empty_epoch_that_a_plan_began_on_stays_until_its_end_is_confirmed(
    disk: ForgetfulDisk, opened: Any
) -> None:
    async with opened(disk) as journal:
        origin = journal.origins("air")[0].origin
        await journal.plan_started("p", origin)
    async with opened(disk) as journal:
        old, new = journal.origins("air")
        assert (old.origin, old.end, old.closed) == (origin, 0, True)
        journal.progress("p", origin, 0)
        await journal.tidy()
        assert [s.origin for s in journal.origins("air")] == [new.origin]


async def test_a_plan_begins_where_it_began_and_on_later_epochs_at_their_beginning(
    disk: ForgetfulDisk, opened: Any, kit: Any
) -> None:
    async with opened(disk) as journal:
        first = journal.origins("air")[0].origin
        await journal.append("air", kit.messages(b"a", b"b"))
        assert await journal.plan_started("late", first, at="end") == 2
        assert await journal.plan_started("early", first) == 0
        await journal.append("air", kit.messages(b"c"))
    async with opened(disk) as journal:
        await journal.append("air", kit.messages(b"d"))
        assert await journal.plan_started("late", first) == 2
        assert await journal.plan_started("late", journal.origins("air")[-1].origin, at="end") == 0


async def test_only_one_writer_may_have_the_folder(tmp_path: Path) -> None:
    def journal() -> Journal:
        return Journal(
            JournalSettings(),
            folder=tmp_path / "j",
            node="n",
            clock=SystemClock(),
            entropy=lambda n: b"e" * n,
        )

    async with journal():
        with pytest.raises(JournalLocked, match="another process"):
            await journal().__aenter__()
    async with journal():
        pass


@pytest.mark.parametrize(
    "wrong",
    [
        {"topic_codes": [2]},
        {"topic_codes": [-1]},
        {"packet_ids": [70_000]},
        {"flags": b""},
        {"packet_ids": []},
    ],
)
async def test_columns_that_do_not_fit_together_are_refused(
    disk: ForgetfulDisk, opened: Any, wrong: dict[str, Any]
) -> None:
    columns: dict[str, Any] = {
        "arrival_us": 0, "client": "c", "topics": ["t", "u"], "topic_codes": [0], "payloads": [b"x"],
        "packet_ids": [1], "flags": b"\1",
    }  # fmt: skip
    async with opened(disk) as journal:
        with pytest.raises(InvalidInput):
            await journal.append("air", Messages(**(columns | wrong)))
        assert journal.origins("air")[0].end == 0


async def test_an_unknown_stream_or_origin_is_named(disk: ForgetfulDisk, opened: Any) -> None:
    async with opened(disk, streams=("air",)) as journal:
        with pytest.raises(NotFound, match="water"):
            journal.origins("water")
        await journal.roll()
        origin = journal.origins("air")[0].origin
    async with opened(disk) as journal:
        with pytest.raises(NotFound):
            await journal.read(origin, 0)


async def test_appending_to_a_closed_journal_is_refused(disk: ForgetfulDisk, opened: Any, kit: Any) -> None:
    async with opened(disk) as journal:
        pass
    with pytest.raises(JournalClosed):
        await journal.append("air", kit.messages(b"a"))


async def test_small_commits_wait_for_their_interval_and_large_ones_do_not(tmp_path: Path, kit: Any) -> None:
    settings = JournalSettings(commit_every_us=3600 * SECOND, commit_burst=1, minimum_block_bytes=3000)
    async with Journal(
        settings, folder=tmp_path / "j", node="n", clock=SystemClock(), entropy=lambda n: b"e" * n
    ) as journal:
        journal.declare("air")
        await journal.append("air", kit.messages(b"first"))  # after a silence: at once
        small = asyncio.ensure_future(journal.append("air", kit.messages(b"small")))
        done, _ = await asyncio.wait([small], timeout=0.05)
        assert not done
        await journal.append("air", kit.messages(b"x" * 3000))
        await small
        assert journal.origins("air")[0].end == 3


async def test_closing_writes_what_was_accepted(disk: ForgetfulDisk, opened: Any, kit: Any) -> None:
    async with opened(disk) as journal:
        appends = [asyncio.ensure_future(journal.append("air", kit.messages(b"%d" % n))) for n in range(5)]
        await asyncio.sleep(0)
    await asyncio.gather(*appends)
    async with opened(disk) as journal:
        assert (await kit.read_all(journal))[0] == [b"%d" % n for n in range(5)]


async def test_a_cancelled_append_is_kept_whole_or_not_at_all(
    disk: ForgetfulDisk, opened: Any, kit: Any
) -> None:
    async with opened(disk) as journal:
        append = asyncio.ensure_future(journal.append("air", kit.messages(b"a", b"b")))
        await asyncio.sleep(0)
        append.cancel()
        await journal.append("air", kit.messages(b"c"))
        payloads, _ = await kit.read_all(journal)
    assert payloads in ([b"a", b"b", b"c"], [b"c"])
