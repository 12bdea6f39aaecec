"""Everything by which the cloud knows people and programs, put together."""

from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

import structlog

from cloud.access.desk import Desk
from cloud.access.door import PeopleDoor
from cloud.access.first import make_first
from cloud.access.servicer import serve_access
from cloud.api.access import Access
from cloud.store.access import ApiTokens
from fogline.access.bearer import token_in
from fogline.identity.holder import Holder
from fogline.model.caller import Right
from fogline.model.clock import Clock
from fogline.model.errors import FogError
from fogline.service.callers import require
from fogline.service.doors import Door, OpenDoor
from fogline.service.server import Server

METRICS: Final = "metrics"

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Entrance:
    """One cloud process's part in who may ask."""

    def __init__(
        self,
        tokens: ApiTokens,
        clock: Clock,
        *,
        folder: Path,
        holder: Holder | None,
        authority: bytes,
        anonymous: bool,
    ) -> None:
        """``holder``: what the port of people shows, None for plain text; ``authority``: SHA-256 of the CA's
        certificate; ``anonymous``: everybody may do everything.
        """
        self._tokens: Final = tokens
        self._clock: Final = clock
        self._folder: Final = folder
        self._authority: Final = authority
        self._all: Final = Desk(tokens, clock)
        self.desk: Final = None if anonymous else self._all
        self.door: Final[Door] = OpenDoor() if anonymous else PeopleDoor(self._all, holder)

    async def open(self) -> None:
        """Read who may ask, and see to it that somebody may."""
        if self.desk is None:
            _log.warning("ANONYMOUS: everybody on this machine may do everything")
            return
        path = await make_first(self._tokens, self._folder, self._authority, self._clock)
        if path is not None:
            _log.info("the administrator's API token", file=str(path))
        await self.desk.refresh()

    def works(self) -> list[tuple[str, Coroutine[Any, Any, None]]]:
        """What runs beside the server."""
        return [("know API tokens", self._all.run())]

    def serve(self, server: Server) -> None:
        """Serve API tokens to whoever may admit others."""
        changed = self._all.changed
        serve_access(
            server, Access(self._tokens, authority=self._authority, clock=self._clock, changed=changed)
        )

    async def may_scrape(self, authorization: str, address: str) -> bool:
        """Whether who comes from another machine may read the metrics."""
        try:
            caller = await self._all.caller(token_in(authorization), door=METRICS, address=address)
            require(caller, Right.METRICS)
        except FogError:
            return False
        return True
