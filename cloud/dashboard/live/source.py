"""Asks the cloud once for everybody, and tells whoever looks."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec
import structlog

from cloud.dashboard.live.meter import Measured, Meter
from cloud.dashboard.live.snapshot import Lost, Snapshot
from cloud.dashboard.live.topics import STATUS, Topic
from fogline.client.aio.client import AsyncClient
from fogline.model.clock import Clock
from fogline.model.errors import FogError, Unauthenticated, Unavailable

LOOK_SECONDS: Final = 1.0
"""Time from look to look while a browser is open."""
IDLE_SECONDS: Final = 10.0
"""The same while none is and the cloud answers: rates are known as soon as one opens."""
LEAST_SECONDS: Final = 0.1
"""The same when somebody came who waits."""
FIRST_SECONDS: Final = 1.5
"""A page is not held back longer than this."""

View = Callable[[Snapshot], Any]
"""From a look to what is drawn, made of dicts, lists, strings and numbers."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@dataclass(eq=False, slots=True)
class Watcher:
    """One browser's page."""

    topics: frozenset[Topic[Any]]
    tell: Callable[[], None] = field(repr=False)
    served: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    """Set once there is something to show for every topic."""


class Live:
    """The process's one source. Pages watch topics; what they see is :attr:`newest`.

    A view that several browsers show is computed once for each look: see :meth:`text`.
    """

    def __init__(
        self, client: AsyncClient, clock: Clock, *, refused: Callable[[FogError], None] = lambda _: None
    ) -> None:
        """``refused`` is told when the cloud does not know the client any more."""
        self._refused: Final = refused
        self._client: Final = client
        self._clock: Final = clock
        self._meter: Final = Meter()
        self._watchers: Final[dict[Watcher, None]] = {}
        self._hurry: Final = asyncio.Event()
        self._views: dict[Any, str] = {}
        self.newest = Snapshot()

    @property
    def watchers(self) -> int:
        """How many pages are open."""
        return len(self._watchers)

    @property
    def address(self) -> str:
        """The cloud's address."""
        return self._client.address

    def watch(self, topics: Iterable[Topic[Any]], tell: Callable[[], None]) -> Watcher:
        """Ask for these topics from now on, and call ``tell`` after every look."""
        watcher = Watcher(frozenset(topics), tell)
        self._watchers[watcher] = None
        if len(self._watchers) == 1 or not self._serves(watcher):
            self._hurry.set()
        else:
            watcher.served.set()
        return watcher

    async def served(self, watcher: Watcher) -> None:
        """Return when there is something to show for every topic, or after a short while."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST_SECONDS):
                await watcher.served.wait()

    async def known(self) -> None:
        """Return when the state of the installation is known, or after a short while."""
        watcher = self.watch([STATUS], lambda: None)
        await self.served(watcher)
        self.leave(watcher)

    def leave(self, watcher: Watcher) -> None:
        """A page was closed. Harmless when it was already."""
        self._watchers.pop(watcher, None)

    def text(self, view: View) -> str:
        """What the view makes of the newest look, as JSON.

        Equal views (by hash) are computed once a look, and every browser is sent the same text.
        """
        found = self._views.get(view)
        if found is None:
            found = self._views[view] = msgspec.json.encode(view(self.newest)).decode()
        return found

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self.look()
            await self._rest()

    async def look(self) -> None:
        """Ask for what is watched, and tell the watchers."""
        before, number = self.newest, self.newest.number + 1
        wanted = {STATUS, *(topic for watcher in self._watchers for topic in watcher.topics)}
        due = [t for t in wanted if t not in before.answers or number % t.every == 0]
        answers, lost = await self._ask(due)
        kept = {topic: answer for topic, answer in before.answers.items() if topic in wanted}
        status = answers.get(STATUS)
        measured = before.measured if status is None else self._measure(status)
        self._publish(
            Snapshot(
                number=number,
                at_us=before.at_us if lost else self._clock.now_us(),
                lost=lost,
                answers={**kept, **answers},
                measured=measured,
            )
        )

    async def _ask(self, due: Iterable[Topic[Any]]) -> tuple[Mapping[Any, Any], Lost | None]:
        answers: dict[Any, Any] = {}
        for topic in due:
            try:
                answers[topic] = await topic.ask(self._client)
            except Unavailable as error:
                return {}, self._lost(error)
            except Unauthenticated as error:
                self._refused(error)
                answers[topic] = error
            except FogError as error:
                answers[topic] = error
        if self.newest.lost:
            _log.info("the cloud answers again", server=self.address)
        return answers, None

    def _lost(self, error: Unavailable) -> Lost:
        before = self.newest.lost
        if before is None:
            _log.warning("the cloud does not answer", server=self.address, reason=str(error))
            return Lost(since_us=self._clock.now_us(), why=error.message, hint=error.hint)
        return replace(before, why=error.message, hint=error.hint)

    def _measure(self, status: Any) -> Measured:
        return self.newest.measured if isinstance(status, FogError) else self._meter.read(status)

    def _publish(self, snapshot: Snapshot) -> None:
        self.newest, self._views = snapshot, {}
        for watcher in tuple(self._watchers):
            if snapshot.lost or self._serves(watcher):
                watcher.served.set()
            watcher.tell()

    def _serves(self, watcher: Watcher) -> bool:
        return all(topic in self.newest.answers for topic in watcher.topics)

    async def _rest(self) -> None:
        self._hurry.clear()
        await asyncio.sleep(LEAST_SECONDS)  # many that come at once are served by one look
        try:
            async with asyncio.timeout(LOOK_SECONDS if self._watchers or self.newest.lost else IDLE_SECONDS):
                await self._hurry.wait()
        except TimeoutError:
            return
