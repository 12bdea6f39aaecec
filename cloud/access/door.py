"""The door of people and programs: TLS with the cloud's certificate, and an API token for each call."""

from collections.abc import Awaitable
from typing import Any, Final

import grpc

from cloud.access.desk import Desk
from cloud.access.rights import MACHINES, METHODS, OPEN
from fogline.access.bearer import HEADER, token_in
from fogline.identity.holder import Holder
from fogline.model.caller import LOCAL, NOBODY, Caller, Right
from fogline.model.errors import FogError, NotAllowed
from fogline.service.callers import require
from fogline.service.throttle import host_of

GRPC: Final = "grpc"
_MACHINE: Final = Caller(tenant=LOCAL.tenant, rights=frozenset({Right.PUSH, Right.ATTACH}))


class PeopleDoor:
    """Lets in whoever shows a token that holds and has the method's right."""

    def __init__(self, desk: Desk, holder: Holder | None) -> None:
        """``holder``: what the port shows; None: it speaks plain text, and machines come here, too."""
        self._desk: Final = desk
        self._holder: Final = holder
        self.encrypted = holder is not None

    def credentials(self) -> grpc.ServerCredentials | None:
        """TLS in which the server alone shows a certificate."""
        return None if self._holder is None else self._holder.server_credentials(mutual=False)

    async def caller(self, context: grpc.aio.ServicerContext[Any, Any], method: str) -> Caller:
        """Whose token it is. Raises :class:`fogline.model.errors.Unauthenticated`, :class:`NotAllowed`."""
        service = method.strip("/").partition("/")[0]
        if service in OPEN:
            return NOBODY
        if service in MACHINES and self._holder is None:
            return _MACHINE
        shown = dict(context.invocation_metadata() or ()).get(HEADER)
        caller = await self._desk.caller(token_in(shown), door=GRPC, address=host_of(context.peer()))
        if method not in METHODS:
            raise NotAllowed(f"nobody may call {method}", hint="no right is named for it")
        right = METHODS[method]
        if right is not None:
            require(caller, right)
        return caller

    def ended(self, caller: Caller) -> Awaitable[FogError] | None:
        """When its token ends or is taken back."""
        return self._desk.ended(caller) if caller.key else None
