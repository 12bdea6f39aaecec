"""``/streams``."""

from nicegui import Client, ui

from cloud.dashboard.live.source import Live
from cloud.dashboard.live.topics import LEDGER, STREAMS
from cloud.dashboard.pages import frame
from cloud.dashboard.pages.screen import Screen
from cloud.dashboard.parts.elements import Table
from cloud.dashboard.view import streams as view


def add(live: Live, installation: str) -> None:
    """Serve the page."""

    @ui.page("/streams")
    async def every(client: Client) -> None:
        screen = Screen(live, client, [LEDGER, STREAMS])
        await screen.ready()
        with frame.frame(screen, frame.STREAMS, installation=installation):
            screen.draw(Table, view.streams)
