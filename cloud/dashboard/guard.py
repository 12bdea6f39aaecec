"""What stands in front of every page: who may ask, and what a browser may do with the answer."""

from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud.dashboard.desk import SESSION, SIGN_IN, Desk
from cloud.dashboard.entry import OPEN, cookie_of

FILES: Final = ("/_nicegui/", "/fogline/", "/health", "/favicon.ico")
"""What is the same for everybody, and not a page."""
SOCKET: Final = "/_nicegui_ws/"
"""Where pages are kept up to date."""
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

# NiceGUI compiles its templates in the browser, which needs 'unsafe-eval', and starts from a script in the page, which
# needs 'unsafe-inline'. What remains still holds: nothing is loaded from, sent to or framed by anybody else.
POLICY: Final = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
# The page for signing in has no part of NiceGUI's, and takes tokens: nothing but its own script runs there.
STRICT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
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
    Pages, and what keeps them up to date, are for browsers that are signed in; others are sent to sign in. While
    it is ``full`` no further page is made: each is kept until its browser has come and gone.
    """

    def __init__(
        self, app: ASGIApp, desk: Desk, *, insecure: bool, full: Callable[[], bool] = lambda: False
    ) -> None:
        self._desk: Final = desk
        self.app: Final = app  # under this name NiceGUI looks for its own application
        self._insecure: Final = insecure
        self._full: Final = full

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or one websocket."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        path = str(scope["path"])
        if not self.allows(Headers(scope=scope)):
            await _refuse(scope, receive, send)
        elif scope["type"] == "http" and (path in OPEN or path.startswith(FILES)):
            policy = STRICT_POLICY if path == SIGN_IN else POLICY
            await self.app(scope, receive, _with_headers(send, policy))
        elif not self._signed_in(scope):
            await _send_to_sign_in(scope, receive, send)
        elif scope["type"] == "http" and not path.startswith(SOCKET) and self._full():
            busy = PlainTextResponse("too many pages are open; try again in a minute\n", status_code=503)
            await busy(scope, receive, _with_headers(send))
        elif scope["type"] == "http":
            await self.app(scope, receive, _with_headers(send))
        else:
            await self.app(scope, receive, send)

    def _signed_in(self, scope: Scope) -> bool:
        """Whether the browser has a session; it is left in the scope, for the page."""
        asking = HTTPConnection(scope)
        session = self._desk.session(asking.cookies.get(cookie_of(asking), ""))
        scope[SESSION] = session
        return session is not None

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


async def _send_to_sign_in(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    response: Response
    if scope["method"] in {"GET", "HEAD"} and not scope["path"].startswith(SOCKET):
        asked = scope["path"] if scope["path"] != "/" else ""
        target = f"{SIGN_IN}?{urlencode({'next': asked})}" if asked else SIGN_IN
        response = RedirectResponse(target, status_code=303, headers={"Cache-Control": "no-store"})
    else:
        response = PlainTextResponse("sign in first\n", status_code=401)
    await response(scope, receive, _with_headers(send))


def _with_headers(send: Send, policy: str = POLICY) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers["Content-Security-Policy"] = policy
        await send(message)

    return sending
