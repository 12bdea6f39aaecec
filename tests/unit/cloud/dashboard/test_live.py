"""One source for every page: asked once, told to all, honest about a cloud that is away."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import pytest

from cloud.dashboard.live.snapshot import Snapshot
from cloud.dashboard.live.source import Live
from cloud.dashboard.live.topics import STATUS
from fogline.client.aio.client import AsyncClient
from fogline.client.installation import Status
from fogline.model.clock import SystemClock
from fogline.model.errors import FogError, NotFound, Unavailable
from tests.unit.cloud.dashboard.values import status


class Cloud:
    """Answers, or fails, and counts how often it was asked."""

    address = "127.0.0.1:1"

    def __init__(self) -> None:
        self.asked = 0
        self.fails: FogError | None = None

    async def status(self) -> Status:
        self.asked += 1
        if self.fails:
            raise self.fails
        return status(readings=self.asked)


@dataclass(frozen=True)
class Thing:
    """A topic that counts."""

    name: str
    every: ClassVar[int] = 1
    asked: ClassVar[list[str]] = []

    async def ask(self, _client: AsyncClient) -> str:
        self.asked.append(self.name)
        if self.name == "missing":
            raise NotFound("no such thing")
        return self.name


@pytest.fixture
def cloud() -> Cloud:
    Thing.asked.clear()
    return Cloud()


@pytest.fixture
def live(cloud: Cloud) -> Live:
    return Live(cast(AsyncClient, cloud), SystemClock())


async def test_many_pages_are_served_by_one_look(live: Live, cloud: Cloud) -> None:
    told: list[int] = []
    for number in range(50):
        live.watch([Thing("a")], lambda number=number: told.append(number))  # type: ignore[misc] # mypy knows no default here
    await live.look()
    assert cloud.asked == 1
    assert Thing.asked == ["a"]
    assert told == list(range(50))
    assert live.newest.of(Thing("a")) == "a"


async def test_a_view_is_computed_once_a_look(live: Live) -> None:
    made = []

    def view(snapshot: Snapshot) -> dict[str, int]:
        made.append(snapshot.number)
        return {"look": snapshot.number}

    await live.look()
    first, again = live.text(view), live.text(view)
    assert first is again
    assert json.loads(first) == {"look": 1}
    await live.look()
    assert json.loads(live.text(view)) == {"look": 2}
    assert made == [1, 2]


async def test_what_nobody_looks_at_is_not_asked_for(live: Live, cloud: Cloud) -> None:
    watcher = live.watch([Thing("a")], lambda: None)
    await live.look()
    live.leave(watcher)
    live.leave(watcher)
    await live.look()
    assert Thing.asked == ["a"]
    assert live.newest.of(Thing("a")) is None
    assert cloud.asked == 2
    assert live.watchers == 0


async def test_a_cloud_that_is_away_is_said_with_since_when_and_the_last_answers_stay(
    live: Live, cloud: Cloud
) -> None:
    await live.look()
    seen = live.newest.at_us
    cloud.fails = Unavailable("nobody answers", hint="start it")
    await live.look()
    lost = live.newest.lost
    assert lost is not None
    assert (lost.why, lost.hint) == ("nobody answers", "start it")
    await live.look()
    assert live.newest.lost == lost
    assert live.newest.at_us == seen
    assert cast(Any, live.newest.of(STATUS)).readings == 1

    cloud.fails = None
    await live.look()
    again = live.newest
    assert again.lost is None
    assert cast(Any, again.of(STATUS)).readings == 4


async def test_a_thing_that_is_not_there_hides_nothing_else(live: Live) -> None:
    live.watch([Thing("missing"), Thing("a")], lambda: None)
    await live.look()
    assert isinstance(live.newest.refusal(Thing("missing")), NotFound)
    assert live.newest.of(Thing("missing")) is None
    assert live.newest.of(Thing("a")) == "a"
    assert live.newest.lost is None


async def test_whoever_comes_is_served_at_once_though_nobody_looked(live: Live) -> None:
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        looking = group.create_task(live.run())
        while not live.newest.number:  # noqa: ASYNC110 -- a look is published to watchers only
            await asyncio.sleep(0)
        for name in ("a", "b"):
            watcher = live.watch([Thing(name)], lambda: None)
            await live.served(watcher)
            assert live.newest.of(Thing(name)) == name
        looking.cancel()
