"""What a process makes of what others do, and of a store that is away."""

from typing import cast

import pytest

from cloud.board import Board
from cloud.catalog import Catalog
from cloud.changes import Changes
from cloud.news import AWAY_SECONDS, LOOK_SECONDS, REPORTS_EVERY, News
from cloud.store.store import Shelf, Store
from fogline.model.errors import StoreBusy
from fogline.testing.clock import ManualClock


class Shared:
    """Stands for the store: counts what it is asked."""

    def __init__(self) -> None:
        self.number = 0
        self.asked: list[str] = []
        self.away = False

    async def edition(self) -> int:
        if self.away:
            raise StoreBusy("the store is away")
        self.asked.append("edition")
        return self.number

    async def shelf(self) -> Shelf:
        self.asked.append("shelf")
        return Shelf(edition=self.number, plans=[], releases=[], pipelines=[], generation=self.number)

    async def newest_changes(self) -> dict[tuple[str, str], int]:
        self.asked.append("changes")
        return {}

    async def take_up(self) -> None:
        self.asked.append("reports")


class Process:
    """One process's news, with what they are told to."""

    def __init__(self) -> None:
        self.store, self.clock, self.changes = Shared(), ManualClock(), Changes()
        self.looks_at_all = 0
        self.alone = False
        self.serves: list[bool] = []
        self.news = News(
            cast("Store", self.store),
            Catalog(),
            self.changes,
            self.clock,
            board=cast("Board", self.store),
            alone=lambda: self.alone,
            changed=self._changed,
            serves=self._serves,
        )

    def _changed(self) -> None:
        self.looks_at_all += 1

    async def _serves(self, *, serving: bool) -> None:
        self.serves.append(serving)

    async def look(self) -> None:
        await self.news.look_and_say()
        await self.clock.advance(LOOK_SECONDS)


@pytest.fixture
def process() -> Process:
    return Process()


async def test_plans_are_read_when_their_edition_has_moved(process: Process) -> None:
    await process.look()
    await process.look()
    assert (process.store.asked.count("shelf"), process.looks_at_all) == (1, 1)
    process.store.number = 3
    await process.look()
    assert (process.store.asked.count("shelf"), process.looks_at_all) == (2, 2)


async def test_nothing_is_asked_of_results_that_nobody_follows(process: Process) -> None:
    for _ in range(2 * REPORTS_EVERY):
        await process.look()
    assert "changes" not in process.store.asked
    assert process.store.asked.count("reports") == 2


async def test_who_is_alone_reads_reports_only_after_a_change(process: Process) -> None:
    process.alone = True
    for _ in range(2 * REPORTS_EVERY):
        await process.look()
    assert process.store.asked.count("reports") == 1, "the first look finds an edition that is new to it"
    process.store.number = 3
    await process.look()
    assert process.store.asked.count("reports") == 2


async def test_a_process_that_is_long_without_its_store_does_not_serve_until_it_is_back(
    process: Process,
) -> None:
    process.store.away = True
    for _ in range(round(AWAY_SECONDS / LOOK_SECONDS)):
        await process.look()
    assert process.serves == []
    await process.look()
    await process.look()
    assert process.serves == [False]
    process.store.away = False
    await process.look()
    await process.look()
    assert process.serves == [False, True]


async def test_a_short_absence_is_nobodys_business(process: Process) -> None:
    process.store.away = True
    await process.look()
    process.store.away = False
    await process.look()
    assert process.serves == []
