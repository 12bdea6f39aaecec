"""``/pipelines`` and ``/pipelines/{name}``."""

from nicegui import Client, ui
from starlette.requests import Request

from cloud.dashboard.desk import Desk
from cloud.dashboard.live.topics import LEDGER, NEWEST, ContainersTopic, EventsTopic
from cloud.dashboard.pages.frame import PIPELINES, frame
from cloud.dashboard.pages.screen import About, Screen
from cloud.dashboard.pages.words import Heading, Quiet
from cloud.dashboard.parts.elements import Charts, Newest, Table
from cloud.dashboard.view import containers, overview
from cloud.dashboard.view import pipelines as view


def add(desk: Desk, installation: str) -> None:
    """Serve the pages."""

    @ui.page("/pipelines")
    async def every(client: Client, request: Request) -> None:
        screen = Screen(desk.visit(request, client), client, [LEDGER, NEWEST])
        await screen.ready()
        with frame(screen, PIPELINES, installation=installation):
            screen.draw(Table, view.pipelines)
            Heading("Newest windows")
            screen.draw(Newest, overview.newest)

    @ui.page("/pipelines/{name}")
    async def one(name: str, client: Client, request: Request) -> None:
        live = desk.live(request)
        await live.known()
        pipeline = view.known(live.newest, name)
        steps = pipeline.steps if pipeline else ()
        lodging, happening = ContainersTopic(pipeline=name), EventsTopic(pipeline=name)
        runs = (lodging, happening) if pipeline and pipeline.images else ()
        topics = [LEDGER, *runs, *(view.topic(name, step) for step in steps)]
        screen = Screen(desk.visit(request, client), client, topics)
        await screen.ready()
        with frame(screen, PIPELINES, title=name, installation=installation):
            if pipeline is None:
                Quiet(f"There is no pipeline {name!r}. It may have been deployed under another name.")
            elif not steps:
                Quiet("This pipeline has no window step, so that nothing of it reaches the cloud.")
            for step in steps:
                Heading(step)
                screen.draw(Charts, About(view.charts, (name, step)))
                screen.draw(Table, About(view.rows, (name, step)))
                Heading(f"{step}: window by window")
                screen.draw(Table, About(view.listed, (name, step)))
            if runs:
                Heading("Operators, over all nodes")
                screen.draw(Table, About(view.operators, (name,)))
                Heading("Containers")
                screen.draw(Table, About(containers.containers, (lodging,)))
                Heading("What happened to containers")
                screen.draw(Table, About(containers.events, (happening,)))
