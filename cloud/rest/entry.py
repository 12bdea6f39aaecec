"""Who asks over HTTP: found out once for each request, before anything else looks at it."""

from collections.abc import Awaitable, Mapping
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

from cloud.access.desk import Desk
from fogline.access.bearer import HEADER, token_in
from fogline.model.caller import LOCAL, NOBODY, Caller, Right
from fogline.model.errors import FogError
from fogline.service.callers import note_caller, require

HTTP: Final = "http"
HEALTH: Final = "GET /v1/healthz"
"""The one path that asks nobody who comes."""
OTHER: Final = "other"
"""Whatever is no path of the API, its description apart: any token that holds."""


class Entry:
    """Lets in whoever shows a token that holds and has the path's right."""

    def __init__(self, desk: Desk | None) -> None:
        """``desk`` knows the callers; None: everybody may do everything."""
        self._desk: Final = desk

    async def admit(self, rights: Mapping[str, Right | None], scope: Scope, method: str) -> None:
        """Note who asks. Raises :class:`fogline.model.errors.Unauthenticated`, :class:`NotAllowed`."""
        if method == HEALTH:
            note_caller(NOBODY)
            return
        caller = await self._caller(scope)
        right = None if method == OTHER else rights[method]
        if right is not None:
            require(caller, right)
        note_caller(caller)

    def ended(self, caller: Caller) -> Awaitable[FogError] | None:
        """When the token of a caller ends or is taken back."""
        return self._desk.ended(caller) if self._desk is not None else None

    async def _caller(self, scope: Scope) -> Caller:
        if self._desk is None:
            return LOCAL
        address = (scope.get("client") or ("", 0))[0]
        return await self._desk.caller(token_in(Headers(scope=scope).get(HEADER)), door=HTTP, address=address)
