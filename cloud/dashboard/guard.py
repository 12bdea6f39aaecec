"""What stands in front of every page: who may ask, and what a browser may do with the answer."""

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FILES: Final = ("/_nicegui", "/fogline", "/health", "/favicon.ico")
"""What is not a page."""
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

# NiceGUI compiles its templates in the browser, which needs 'unsafe-eval', and starts from a script in the page, which
# needs 'unsafe-inline'. What remains still holds: nothing is loaded from, sent to or framed by anybody else.
POLICY: Final = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """An ASGI application around another.

    A page of somebody else must neither read this server through a name that it lets point here (so that only
    loopback names are answered, unless ``insecure``) nor open a websocket to it (so that the origin must be ours).
    While it is ``full`` no further page is made: each is kept until its browser has come and gone.
    """

    def __init__(self, app: ASGIApp, *, insecure: bool, full: Callable[[], bool] = lambda: False) -> None:
        self.app: Final = app  # under this name NiceGUI looks for its own application
        self._insecure: Final = insecure
        self._full: Final = full

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or one websocket."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif not self.allows(Headers(scope=scope)):
            await _refuse(scope, receive, send)
        elif scope["type"] == "http" and not scope["path"].startswith(FILES) and self._full():
            busy = PlainTextResponse("too many pages are open; try again in a minute\n", status_code=503)
            await busy(scope, receive, _with_headers(send))
        elif scope["type"] == "http":
            await self.app(scope, receive, _with_headers(send))
        else:
            await self.app(scope, receive, send)

    def allows(self, headers: Headers) -> bool:
        """Whether the host that was asked for is us, and the asking page, if there is one, is ours."""
        host = headers.get("host", "")
        if not self._insecure and _name(host) not in LOOPBACK:
            return False
        origin = headers.get("origin")
        return origin is None or urlsplit(origin).netloc.lower() == host.lower()


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    response = PlainTextResponse("this host or origin is not served here\n", status_code=403)
    await response(scope, receive, _with_headers(send))


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
        await send(message)

    return sending
