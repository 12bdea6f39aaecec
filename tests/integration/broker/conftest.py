from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from fog_node.ingest.broker import Brokers, BrokerSettings, BrokerStanding
from fog_node.ingest.broker.link import Surroundings
from fog_node.ingest.listener import ListenerSettings, recalled_sessions
from fog_node.ingest.topics import TemplateRouter
from fogline.model.clock import SystemClock
from fogline.testing.until import until
from tests.integration.listener.stand_in import HeldJournal

ROUTES = {"air": "site/{zone}/air", "soil": "site/{zone}/soil"}
PATIENCE_S = 60.0


class Reading:
    """A node's links to its brokers, over a journal in memory."""

    def __init__(self, brokers: Brokers, journal: HeldJournal, router: TemplateRouter) -> None:
        self.brokers = brokers
        self.journal = journal
        self.router = router

    @property
    def standing(self) -> BrokerStanding:
        """How the node stands with its first broker."""
        return self.brokers.standings()[0]

    async def until(self, condition: Callable[[BrokerStanding], bool]) -> None:
        """Wait until it stands like that."""
        await until(lambda: condition(self.standing), within=PATIENCE_S)

    async def subscribed(self) -> None:
        """Wait until the broker has granted everything that is wanted now."""
        wanted = self.brokers._links[0]._router.filters
        await self.until(lambda standing: wanted() <= set(standing.subscriptions))

    async def journaled(self, count: int, stream: str = "air") -> list[bytes]:
        """Wait for so many messages in the journal; their payloads."""
        await until(lambda: len(self.journal.payloads(stream)) >= count, within=PATIENCE_S)
        return self.journal.payloads(stream)

    def follow(self, routes: dict[str, str]) -> None:
        """From now on these streams."""
        self.router.replace(routes)
        self.brokers.changed()


Read = Callable[..., AbstractAsyncContextManager[Reading]]


@pytest.fixture
def journal() -> HeldJournal:
    return HeldJournal()


@pytest.fixture
def read(journal: HeldJournal, tmp_path: Path, loop_is_never_blocked: None) -> Read:
    """Read from a broker; keywords are its settings."""

    @asynccontextmanager
    async def run(
        url: str,
        *,
        routes: dict[str, str] | None = None,
        over: HeldJournal | None = None,
        node: str = "node",
        **given: Any,
    ) -> AsyncIterator[Reading]:
        into, clock = over or journal, SystemClock()
        router = TemplateRouter(ROUTES if routes is None else routes)
        settings = BrokerSettings(**{"url": url, "retry_base": 0.05, "retry_cap": 0.2, **given})
        sessions = await recalled_sessions(into, into.blocks, ListenerSettings(), now_us=clock.now_us())
        around = Surroundings(journal=into, clock=clock, rng=Random(5), sessions=sessions)
        folder = tmp_path / node
        async with Brokers([settings], node=node, folder=folder, router=router, around=around) as brokers:
            yield Reading(brokers, into, router)

    return run
