"""The dashboard's doors: one page, its two files, and what it shows as JSON."""

from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files
from typing import Final

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cloud.dashboard.feed import Feed
from fogline.model.caller import LOCAL
from fogline.model.errors import FogError

PAGES: Final[Mapping[str, tuple[str, str]]] = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
HEADERS: Final[Mapping[str, str]] = {
    # Nothing but this server's own files runs or is shown, whatever a topic or a label says.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")


def make_app(feed: Feed, *, insecure: bool) -> Starlette:
    """The dashboard as an ASGI application.

    Unless insecure it answers only to loopback names: a foreign page must not read it through a name that it
    lets point here.
    """

    async def live(_request: Request) -> Response:
        try:
            content = msgspec.json.encode(await feed.live(LOCAL))
        except FogError as error:
            return Response(str(error), status_code=503, headers=HEADERS, media_type="text/plain")
        return Response(content, headers=HEADERS, media_type="application/json")

    hosts = ["*"] if insecure else list(LOOPBACK)
    routes = [Route(path, _page(*page)) for path, page in PAGES.items()]
    return Starlette(
        routes=[*routes, Route("/live", live)],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)],
    )


def _page(name: str, kind: str) -> Callable[[Request], Awaitable[Response]]:
    content = (files("cloud.dashboard") / "page" / name).read_bytes()

    async def page(_request: Request) -> Response:
        return Response(content, headers=HEADERS, media_type=kind)

    return page
