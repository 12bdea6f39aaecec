"""``/ledger``."""

from nicegui import Client, ui
from starlette.requests import Request

from cloud.dashboard.desk import Desk
from cloud.dashboard.live.topics import LEDGER
from cloud.dashboard.pages import frame
from cloud.dashboard.pages.screen import Screen
from cloud.dashboard.pages.words import Heading
from cloud.dashboard.parts.elements import Flows, Table
from cloud.dashboard.view import ledger as view


def add(desk: Desk, installation: str) -> None:
    """Serve the page."""

    @ui.page("/ledger")
    async def every(client: Client, request: Request) -> None:
        screen = Screen(desk.visit(request, client), client, [LEDGER])
        await screen.ready()
        with frame.frame(screen, frame.LEDGER, installation=installation):
            screen.draw(Flows, view.ledger)
            Heading("Lost at brokers, before any node could journal it")
            screen.draw(Table, view.brokers)
