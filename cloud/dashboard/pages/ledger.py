"""``/ledger``."""

from nicegui import Client, ui

from cloud.dashboard.live.source import Live
from cloud.dashboard.live.topics import LEDGER
from cloud.dashboard.pages import frame
from cloud.dashboard.pages.screen import Screen
from cloud.dashboard.pages.words import Heading
from cloud.dashboard.parts.elements import Flows, Table
from cloud.dashboard.view import ledger as view


def add(live: Live, installation: str) -> None:
    """Serve the page."""

    @ui.page("/ledger")
    async def every(client: Client) -> None:
        screen = Screen(live, client, [LEDGER])
        await screen.ready()
        with frame.frame(screen, frame.LEDGER, installation=installation):
            screen.draw(Flows, view.ledger)
            Heading("Lost at brokers, before any node could journal it")
            screen.draw(Table, view.brokers)
