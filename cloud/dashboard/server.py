"""Serves the pages over HTTP, as part of a process that has its own loop and its own signals."""

from typing import Final

from starlette.types import ASGIApp

from cloud.web.server import WebServer

MAX_MESSAGE_BYTES: Final = 1024 * 1024
"""Of a websocket: what a browser sends are clicks."""


class DashboardServer(WebServer):
    """The pages' port."""

    def __init__(self, app: ASGIApp, *, listen: str, insecure: bool) -> None:
        super().__init__(app, listen=listen, insecure=insecure, lifespan="on", ws_max_size=MAX_MESSAGE_BYTES)
