"""The pages as an ASGI application."""

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from nicegui import Client, ui

from cloud.dashboard.desk import Desk
from cloud.dashboard.entry import Entry
from cloud.dashboard.guard import Guard
from cloud.dashboard.looks import STATIC
from cloud.dashboard.pages import ledger, nodes, overview, pipelines, streams
from cloud.dashboard.pages.frame import serve_looks
from fogline.model.clock import Clock

RECONNECT_SECONDS = 10.0
"""A browser that is away longer is forgotten with all it was shown; when it comes back it loads its page anew."""
MOST_PAGES = 500
"""Pages held at most; one that no browser ever came for is held for a minute."""
MESSAGES_KEPT = 40
"""Messages to a browser that are sent again when its connection broke."""


def make_app(desk: Desk, clock: Clock, *, installation: str, insecure: bool) -> Guard:
    """Every page, fed by each person's own source. NiceGUI has one application a process: call this once."""
    outer = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @outer.get("/health")
    async def health() -> PlainTextResponse:
        return PlainTextResponse("serving\n")

    Entry(desk, clock, installation).add(outer)
    serve_looks()
    for page in (overview, pipelines, streams, ledger, nodes):
        page.add(desk, installation)
    ui.run_with(
        outer,
        title=installation,
        favicon=STATIC / "icon.svg",
        dark=False,
        language="en-US",
        binding_refresh_interval=None,
        reconnect_timeout=RECONNECT_SECONDS,
        message_history_length=MESSAGES_KEPT,
        tailwind=False,
        show_welcome_message=False,
    )
    return Guard(outer, desk, insecure=insecure, full=lambda: len(Client.instances) >= MOST_PAGES)
