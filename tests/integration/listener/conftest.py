import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from fog_node.ingest.listener import Listener, ListenerSettings, recalled_sessions
from fog_node.ingest.ports import Log
from fog_node.ingest.topics import TemplateRouter
from fogline.model.clock import Clock, SystemClock
from tests.integration.listener.stand_in import HeldJournal

Listen = Callable[..., AbstractAsyncContextManager[Listener]]

ROUTES = {"air": "site/{zone}/air", "soil": "site/{zone}/soil"}


@pytest.fixture
def journal() -> HeldJournal:
    return HeldJournal()


@pytest.fixture(autouse=True)
def _served_without_blocking(loop_is_never_blocked: None) -> None:
    """The listener's loop carries every device."""


@pytest.fixture
def listen(journal: HeldJournal) -> Listen:
    """Run a listener on a free port over the journal; keywords are its settings."""

    @asynccontextmanager
    async def run(
        *, over: Log | None = None, clock: Clock | None = None, **given: Any
    ) -> AsyncIterator[Listener]:
        settings = ListenerSettings(**{"port": 0, **given})
        clock = clock or SystemClock()
        sessions = await recalled_sessions(over or journal, ROUTES, settings, now_us=clock.now_us())
        async with Listener(
            settings,
            router=TemplateRouter(ROUTES),
            journal=over or journal,
            clock=clock,
            entropy=os.urandom,
            sessions=sessions,
        ) as listener:
            yield listener

    return run
