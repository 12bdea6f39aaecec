"""Serves the HTTP API beside the cloud's gRPC, on a port of its own."""

import asyncio
from typing import Final

from cloud.access.desk import Desk
from cloud.api.services import Services
from cloud.rest.app import make_app
from cloud.web.server import UNREAD_SECONDS, WebServer
from fogline.service.calls import Calls


class RestServer:
    """The HTTP API's port."""

    def __init__(
        self,
        services: Services,
        *,
        listen: str,
        insecure: bool,
        desk: Desk | None,
        unread_s: float = UNREAD_SECONDS,
    ) -> None:
        """``desk`` knows the callers; None: everybody may do everything. ``unread_s``: how long a client may leave
        unread what was sent to it, in seconds.
        """
        self._stopping: Final = asyncio.Event()
        self.calls: Final = Calls()
        app, self.rights = make_app(
            services, insecure=insecure, stopping=self._stopping, calls=self.calls, desk=desk
        )
        self._server: Final = WebServer(
            app, listen=listen, insecure=insecure, unread_s=unread_s, lifespan="off", ws="none"
        )

    @property
    def address(self) -> str:
        """Where it listens, as ``host:port``."""
        return self._server.address

    async def run(self, stopping: asyncio.Event) -> None:
        """Serve until told to stop; followers are sent away first."""
        async with asyncio.TaskGroup() as group:
            ending = asyncio.Event()
            serving = group.create_task(self._server.run(ending), name="serve the HTTP API")
            await stopping.wait()
            self._stopping.set()
            ending.set()
            await serving
