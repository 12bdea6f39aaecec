"""Whose questions a page asks: each signed-in person's own, by one source for each API token."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from nicegui import Client, ui
from starlette.requests import HTTPConnection

from cloud.dashboard.live.source import Live
from cloud.dashboard.sessions import Session, Sessions
from fogline.client.aio.client import AsyncClient
from fogline.client.values import Who
from fogline.model.caller import Right
from fogline.model.clock import MINUTE, Clock
from fogline.model.errors import FogError, NotAllowed

ASK_SECONDS: Final = 5.0
"""Longest time that the cloud may take for an answer."""
KEPT_US: Final = 10 * MINUTE
"""A source at which nobody looks is kept for so long: rates are known as soon as somebody comes back."""
SESSION: Final = "fogline.session"
"""Where the guard leaves a request's session, in its scope."""
SIGN_IN: Final = "/sign-in"
_LOOK_SECONDS: Final = 5.0

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who looks."""

    live: Live
    who: str
    """The name of the token; empty: none is asked for."""


@dataclass(eq=False, slots=True)
class _Source:
    client: AsyncClient
    live: Live
    task: "asyncio.Task[None]"
    watched_us: int


class Desk:
    """Sources by token, and the sessions that they serve, while :meth:`run` runs."""

    def __init__(self, server: str, clock: Clock, *, ca: str = "", anonymous: bool = False) -> None:
        """``anonymous``: nobody signs in, and the cloud is asked without a token."""
        self._server: Final = server
        self._ca: Final = Path(ca) if ca else None
        self._clock: Final = clock
        self._sources: Final[dict[str, _Source]] = {}
        self.sessions: Final = Sessions(clock)
        self.anonymous: Final = anonymous
        self._answered = False
        self._looks = 0
        self._group: asyncio.TaskGroup | None = None
        self._nobody: Final = Session(token="", who="", began_us=0, used_us=0)

    @property
    def lives(self) -> Iterable[Live]:
        """Every source that runs."""
        return [source.live for source in self._sources.values()]

    @property
    def looks(self) -> int:
        """How often the cloud was asked, by all sources that there were."""
        return self._looks + sum(live.newest.number for live in self.lives)

    @property
    def cloud_answers(self) -> bool:
        """Whether the cloud answered when it was asked last, for whomever."""
        return self._answered

    def session(self, shown: str) -> Session | None:
        """The session of what a browser shows; where nobody signs in, everybody's."""
        return self._nobody if self.anonymous else self.sessions.find(shown)

    async def look_up(self, token: str) -> Who:
        """Whose token it is. Raises :class:`fogline.model.errors.Unauthenticated`, :class:`NotAllowed` for one that
        may not read, :class:`fogline.model.errors.InvalidInput`, :class:`fogline.model.errors.Unavailable`.
        """
        async with self._client(token) as client:
            who = await client.whoami()
        self._answered = True
        if Right.READ.value not in who.rights:
            raise NotAllowed(
                f"{who.name} may not read", hint=f"its rights: {', '.join(who.rights) or 'none'}"
            )
        return who

    def live(self, request: HTTPConnection) -> Live:
        """The source of a request's session."""
        return self._source(self._session(request).token).live

    def visit(self, request: HTTPConnection, client: Client) -> Visit:
        """Somebody looks at a page, until the page is gone or he is signed out."""
        session = self._session(request)

        def end() -> None:
            with suppress(RuntimeError), client:  # the page may be going just now
                ui.navigate.to(SIGN_IN)

        session.ends[client] = end
        client.on_delete(lambda: session.ends.pop(client, None))
        return Visit(self._source(session.token).live, session.who)

    async def run(self) -> None:
        """Let go of sources at which nobody looks, until cancelled; then of all."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                while True:
                    await asyncio.sleep(_LOOK_SECONDS)
                    self.sessions.sweep()
                    await self._let_go_of_what_nobody_watches()
            finally:
                for token in tuple(self._sources):
                    await self._let_go(token)

    async def _let_go_of_what_nobody_watches(self) -> None:
        now_us = self._clock.now_us()
        for token, source in tuple(self._sources.items()):
            self._answered = source.live.newest.lost is None
            if source.live.watchers:
                source.watched_us = now_us
            elif now_us - source.watched_us >= KEPT_US:
                await self._let_go(token)

    def _session(self, request: HTTPConnection) -> Session:
        found = request.scope.get(SESSION)
        if not isinstance(found, Session):
            raise NotAllowed("nobody is signed in")
        return found

    def _source(self, token: str) -> _Source:
        source = self._sources.get(token)
        if source is None:
            client = self._client(token)
            live = Live(client, self._clock, refused=lambda error: self._refused(token, error))
            assert self._group is not None  # pages are served while the desk runs
            task = self._group.create_task(live.run(), name="look at the cloud")
            source = self._sources[token] = _Source(client, live, task, self._clock.now_us())
        return source

    def _refused(self, token: str, error: FogError) -> None:
        if not self.anonymous:
            _log.info("signed out", reason=str(error))
            self.sessions.end_token(token)

    async def _let_go(self, token: str) -> None:
        source = self._sources.pop(token)
        source.task.cancel()
        with suppress(asyncio.CancelledError):
            await source.task
        self._looks += source.live.newest.number
        await source.client.close()

    def _client(self, token: str) -> AsyncClient:
        return AsyncClient(self._server, token=token or None, ca=self._ca, timeout=ASK_SECONDS, attempts=1)
