"""What stands between a port and the calls on it: encryption, and who may come in."""

from typing import Any, Protocol

import grpc

from fogline.model.caller import LOCAL, Caller


class Door(Protocol):
    """One way into a server."""

    encrypted: bool
    """Whether a stranger on the network learns and changes nothing."""

    def credentials(self) -> grpc.ServerCredentials | None:
        """What the port is opened with; None: plain text."""
        ...

    async def caller(self, context: grpc.aio.ServicerContext[Any, Any]) -> Caller:
        """Who makes this call. Raises :class:`fogline.model.errors.FogError` for somebody who may make none."""
        ...


class OpenDoor:
    """Neither encrypts nor asks: everyone who reaches the port may do everything."""

    encrypted = False

    def credentials(self) -> None:
        """Plain text."""
        return

    async def caller(self, context: grpc.aio.ServicerContext[Any, Any]) -> Caller:  # noqa: ARG002 - asks nothing
        """Everybody."""
        return LOCAL
