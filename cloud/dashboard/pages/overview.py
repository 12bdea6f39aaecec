"""``/``: the installation at a glance."""

from nicegui import Client, ui
from starlette.requests import Request

from cloud.dashboard.desk import Desk
from cloud.dashboard.live.topics import LEDGER, NEWEST
from cloud.dashboard.pages.frame import OVERVIEW, frame
from cloud.dashboard.pages.screen import Screen
from cloud.dashboard.pages.words import Heading
from cloud.dashboard.parts.elements import Concerns, Figures, Newest, Tiers
from cloud.dashboard.view import overview


def add(desk: Desk, installation: str) -> None:
    """Serve the page."""

    @ui.page("/")
    async def page(client: Client, request: Request) -> None:
        screen = Screen(desk.visit(request, client), client, [LEDGER, NEWEST])
        await screen.ready()
        with frame(screen, OVERVIEW, installation=installation):
            screen.draw(Figures, overview.figures)
            screen.draw(Concerns, overview.concerns)
            Heading("The way of the data")
            screen.draw(Tiers, overview.tiers)
            Heading("Newest windows")
            screen.draw(Newest, overview.newest)
