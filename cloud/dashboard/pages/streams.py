"""``/streams``."""

from nicegui import Client, ui
from starlette.requests import Request

from cloud.dashboard.desk import Desk
from cloud.dashboard.live.topics import LEDGER, STREAMS
from cloud.dashboard.pages import frame
from cloud.dashboard.pages.screen import Screen
from cloud.dashboard.parts.elements import Table
from cloud.dashboard.view import streams as view


def add(desk: Desk, installation: str) -> None:
    """Serve the page."""

    @ui.page("/streams")
    async def every(client: Client, request: Request) -> None:
        screen = Screen(desk.visit(request, client), client, [LEDGER, STREAMS])
        await screen.ready()
        with frame.frame(screen, frame.STREAMS, installation=installation):
            screen.draw(Table, view.streams)
