"""``/nodes`` and ``/nodes/{name}``."""

from nicegui import Client, ui
from starlette.requests import Request

from cloud.dashboard.desk import Desk
from cloud.dashboard.live.topics import LEDGER, ContainersTopic, EventsTopic
from cloud.dashboard.pages.frame import NODES, frame
from cloud.dashboard.pages.screen import About, Screen
from cloud.dashboard.pages.words import Heading, Quiet
from cloud.dashboard.parts.elements import Concerns, Facts, Figures, Table
from cloud.dashboard.view import containers
from cloud.dashboard.view import nodes as view


def add(desk: Desk, installation: str) -> None:
    """Serve the pages."""

    @ui.page("/nodes")
    async def every(client: Client, request: Request) -> None:
        screen = Screen(desk.visit(request, client), client, [LEDGER])
        await screen.ready()
        with frame(screen, NODES, installation=installation):
            screen.draw(Table, view.nodes)

    @ui.page("/nodes/{name}")
    async def one(name: str, client: Client, request: Request) -> None:
        live = desk.live(request)
        await live.known()
        lodging, happening = ContainersTopic(node=name), EventsTopic(node=name)
        screen = Screen(desk.visit(request, client), client, [LEDGER, lodging, happening])
        await screen.ready()
        with frame(screen, NODES, title=name, installation=installation):
            if view.known(live.newest, name) is None:
                Quiet(f"No node {name!r} has reported. It may have been retired.")
            else:
                _one(screen, name)
                Heading("Containers")
                screen.draw(Table, About(containers.containers, (lodging,)))
                Heading("What happened to containers")
                screen.draw(Table, About(containers.events, (happening,)))


def _one(screen: Screen, name: str) -> None:
    screen.draw(Figures, About(view.figures, (name,)))
    screen.draw(Concerns, About(view.concerns, (name,)))
    screen.draw(Facts, About(view.facts, (name,)))
    for title, rows in (
        ("Lanes: how far each plan is", view.lanes),
        ("Journals", view.journals),
        ("Brokers", view.brokers),
        ("Dead letters", view.letters),
    ):
        Heading(title)
        screen.draw(Table, About(rows, (name,)))
