"""Signing in and out: the one page and the few calls that are open to everybody.

What changes something is asked for as JSON, which a page of another site cannot send without asking first, and the
guard has compared its origin with the host before.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from fastapi import FastAPI
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response

from cloud.dashboard.desk import SIGN_IN, Desk
from cloud.dashboard.looks import sign_in_page
from fogline.access.bearer import HEADER, token_in
from fogline.model.clock import Clock
from fogline.model.errors import (
    FogError,
    InvalidInput,
    NotAllowed,
    TokenUnknown,
    TooLarge,
    TooManyAttempts,
    Unauthenticated,
)
from fogline.service.throttle import Throttle

CODE: Final = f"{SIGN_IN}/code"
LINK: Final = f"{SIGN_IN}/link"
SIGNED_IN: Final = f"{SIGN_IN}/session"
SIGN_OUT: Final = "/sign-out"
OPEN: Final = (SIGN_IN, CODE, LINK, SIGNED_IN, SIGN_OUT)
"""Paths that ask nobody who comes."""
_JSON: Final = "application/json"
_MOST_BYTES: Final = 4_096


class _Asked(msgspec.Struct, forbid_unknown_fields=True):
    token: str = ""
    code: str = ""


def cookie_of(connection: HTTPConnection) -> str:
    """Name of the session's cookie. Ports share cookies: two dashboards of one machine must not share a name."""
    port = connection.headers.get("host", "").rpartition(":")[2]
    return f"fogline_{port if port.isdecimal() and port.isascii() else 'session'}"


class Entry:
    """The calls."""

    def __init__(self, desk: Desk, clock: Clock, installation: str) -> None:
        self._desk: Final = desk
        self._clock: Final = clock
        self._throttle: Final = Throttle()
        self._page: Final = sign_in_page(installation)

    def add(self, app: FastAPI) -> None:
        """Serve them."""
        app.add_api_route(SIGN_IN, self._show, methods=["GET"])
        app.add_api_route(SIGNED_IN, self._signed_in, methods=["GET"])
        for path, answer in (
            (SIGN_IN, self._sign_in),
            (CODE, self._redeem),
            (LINK, self._link),
            (SIGN_OUT, self._sign_out),
        ):
            app.add_api_route(path, self._guarded(answer), methods=["POST"])

    async def _show(self) -> Response:
        return Response(
            self._page, media_type="text/html; charset=utf-8", headers={"Cache-Control": "no-store"}
        )

    async def _signed_in(self, request: Request) -> Response:
        """For a page that has lost its connection: whether it comes back, or has to sign in again."""
        session = self._desk.session(request.cookies.get(cookie_of(request), ""))
        return Response(status_code=401 if session is None else 204, headers={"Cache-Control": "no-store"})

    async def _sign_in(self, request: Request) -> Response:
        token = (await _asked(request)).token.strip()
        who = await self._desk.look_up(token)
        return self._begun(request, self._desk.sessions.begin(token, who.name))

    async def _redeem(self, request: Request) -> Response:
        shown = self._desk.sessions.redeem((await _asked(request)).code)
        if shown is None:
            raise TokenUnknown(
                "the link was used before, or is older than five minutes",
                hint="`fogline dashboard link` prints a new one",
            )
        return self._begun(request, shown)

    async def _link(self, request: Request) -> Response:
        token = token_in(request.headers.get(HEADER))
        who = await self._desk.look_up(token)
        return JSONResponse({"path": f"{SIGN_IN}#{self._desk.sessions.code(token, who.name)}"})

    async def _sign_out(self, request: Request) -> Response:
        name = cookie_of(request)
        self._desk.sessions.end(request.cookies.get(name, ""))
        answer = Response(status_code=204)
        answer.delete_cookie(name, httponly=True, samesite="strict", secure=request.url.scheme == "https")
        return answer

    def _begun(self, request: Request, shown: str) -> Response:
        answer = Response(status_code=204)
        answer.set_cookie(
            cookie_of(request),
            shown,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    def _guarded(
        self, answer: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            try:
                if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _JSON:
                    raise InvalidInput("this is asked for as JSON", hint=f"say Content-Type: {_JSON}")
                return await answer(request)
            except FogError as error:
                return _refusal(self._counted(request, error))

        return guarded

    def _counted(self, request: Request, error: FogError) -> FogError:
        """The error, or that there were too many from this address."""
        address = request.client.host if request.client else ""
        foreign = isinstance(error, Unauthenticated | NotAllowed | InvalidInput)
        if not foreign or not self._throttle.failed(address, self._clock.now_us()):
            return error
        return TooManyAttempts(f"too many tries from {address}", hint="wait a few seconds")


async def _asked(request: Request) -> _Asked:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise TooLarge("this is more than a token")
    try:
        return msgspec.json.decode(body, type=_Asked)
    except msgspec.MsgspecError:
        raise InvalidInput("this is no sign-in") from None


def _refusal(error: FogError) -> Response:
    told = {"code": error.code, "message": error.message, "hint": error.hint}
    return JSONResponse(told, status_code=error.entry.http)
