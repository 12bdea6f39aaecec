"""The pages as an ASGI application."""

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from nicegui import Client, ui

from cloud.dashboard.guard import Guard
from cloud.dashboard.live.source import Live
from cloud.dashboard.pages import ledger, nodes, overview, pipelines, streams
from cloud.dashboard.pages.frame import STATIC, serve_looks

RECONNECT_SECONDS = 10.0
"""A browser that is away longer is forgotten with all it was shown; when it comes back it loads its page anew."""
MOST_PAGES = 500
"""Pages held at most; one that no browser ever came for is held for a minute."""
MESSAGES_KEPT = 40
"""Messages to a browser that are sent again when its connection broke."""


def make_app(live: Live, *, installation: str, insecure: bool) -> Guard:
    """Every page, fed by one source. NiceGUI has one application a process: call this once."""
    outer = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @outer.get("/health")
    async def health() -> PlainTextResponse:
        return PlainTextResponse("serving\n")

    serve_looks()
    for page in (overview, pipelines, streams, ledger, nodes):
        page.add(live, installation)
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
    return Guard(outer, insecure=insecure, full=lambda: len(Client.instances) >= MOST_PAGES)
