"""What stands between a port and the calls on it: encryption, and who may come in."""

from collections.abc import Awaitable
from typing import Any, Protocol

import grpc

from fogline.model.caller import LOCAL, Caller
from fogline.model.errors import FogError


class Door(Protocol):
    """One way into a server."""

    encrypted: bool
    """Whether a stranger on the network learns and changes nothing."""

    def credentials(self) -> grpc.ServerCredentials | None:
        """What the port is opened with; None: plain text."""
        ...

    async def caller(self, context: grpc.aio.ServicerContext[Any, Any], method: str) -> Caller:
        """Who makes this call of ``/package.Service/Method``. Raises :class:`FogError` for somebody who may not."""
        ...

    def ended(self, caller: Caller) -> Awaitable[FogError] | None:
        """When what let a caller in holds no longer, and why; None: streams go on, or others see to it."""
        ...


class OpenDoor:
    """Neither encrypts nor asks: everyone who reaches the port may do everything."""

    encrypted = False

    def credentials(self) -> None:
        """Plain text."""
        return

    async def caller(self, context: grpc.aio.ServicerContext[Any, Any], method: str) -> Caller:  # noqa: ARG002 - asks nothing
        """Everybody."""
        return LOCAL

    def ended(self, caller: Caller) -> None:  # noqa: ARG002 - nothing was asked for
        """Never."""
        return
