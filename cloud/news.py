"""What other processes have done on the same store: looked for now and then, with one cheap question each."""

from collections.abc import Callable
from typing import Final, Protocol

import structlog

from cloud.board import Board
from cloud.catalog import Catalog
from cloud.changes import Changes
from cloud.store.store import Store
from fogline.model.clock import Clock
from fogline.model.errors import StoreBusy

LOOK_SECONDS: Final = 0.5
REPORTS_EVERY: Final = 2
"""Reports of other processes' children are read at every so many looks."""
AWAY_SECONDS: Final = 10.0
"""A process that was without its store for so long says that it does not serve, and sends its children elsewhere."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Serves(Protocol):
    """Told whether this process is of use to anyone."""

    async def __call__(self, *, serving: bool) -> None: ...


class News:
    """Keeps the catalog, the followers and the board of one process up to date; watches whether the store is there."""

    def __init__(
        self,
        store: Store,
        catalog: Catalog,
        changes: Changes,
        clock: Clock,
        *,
        board: Board | None,
        alone: Callable[[], bool],
        changed: Callable[[], None],
        serves: Serves,
    ) -> None:
        """``board``: wants to know other processes' reports; ``alone``: whether none but this one hears children;
        ``changed``: told of changes of plans and assignments by anyone; ``serves``: told when the store was away for
        long, and when it is back.
        """
        self._store = store
        self._catalog = catalog
        self._changes = changes
        self._clock = clock
        self._board = board
        self._alone = alone
        self._changed = changed
        self._serves = serves
        self._looks = 0
        self._away_since: float | None = None
        self._serving = True

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            await self.look_and_say()

    async def look_and_say(self) -> None:
        """Look once, and see whether the store is there."""
        try:
            await self._look()
        except StoreBusy as error:
            await self._away(error)
        else:
            await self._back()

    async def _look(self) -> None:
        changed = await self._store.edition() != self._catalog.edition
        if changed:
            await self._catalog.refresh(self._store)
            self._changed()
        if self._changes.followed:
            self._changes.compare(await self._store.newest_changes())
        else:
            self._changes.forget()
        # Nobody else hears children; but a node may have been retired by a command.
        others = not self._alone() and self._looks % REPORTS_EVERY == 0
        if self._board is not None and (changed or others):
            await self._board.take_up()
        self._looks += 1

    async def _away(self, error: StoreBusy) -> None:
        now = self._clock.monotonic()
        if self._away_since is None:
            self._away_since = now
            _log.warning("the store is away", error=error)
        if self._serving and now - self._away_since >= AWAY_SECONDS:
            self._serving = False
            _log.error("without the store for long; not serving", seconds=AWAY_SECONDS, error=error)
            await self._serves(serving=False)

    async def _back(self) -> None:
        if self._away_since is None:
            return
        _log.info("the store is back", seconds=round(self._clock.monotonic() - self._away_since, 1))
        self._away_since = None
        if not self._serving:
            self._serving = True
            await self._serves(serving=True)
