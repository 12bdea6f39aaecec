"""The HTTP API as an ASGI application."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

import structlog
from fastapi import APIRouter, FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud.access.desk import Desk
from cloud.api.services import Services
from cloud.rest.described import describe
from cloud.rest.entry import OTHER, Entry
from cloud.rest.problems import response_of, spell_errors
from cloud.rest.routes import router
from fogline.model.caller import Right
from fogline.model.errors import FogError, NotAllowed
from fogline.service.calls import Calls

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

FOLLOWED: Final = "/follow"
LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")
Admit = Callable[[Scope, str], Awaitable[None]]
"""Lets a request in, by the name of its method, or raises why not."""


def make_app(
    services: Services, *, insecure: bool, stopping: asyncio.Event, calls: Calls, desk: Desk | None
) -> tuple[ASGIApp, Mapping[str, Right | None]]:
    """The application; ``stopping`` ends the responses that would go on, ``calls`` counts, ``desk`` knows the callers;
    without one everybody may do everything. With it, which right each path needs, by method and path.

    Unless insecure it answers only to loopback names: a foreign page must not reach it through a name that it lets
    point here.
    """
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    entry = Entry(desk)
    paths, rights = router(services, stopping, entry.ended)
    app.include_router(paths)
    spell_errors(app)
    describe(app, at="/v1/openapi.json")
    hosts = None if insecure else LOOPBACK
    return Guard(app, paths, hosts=hosts, calls=calls, admit=partial(entry.admit, rights)), rights


class Guard:
    """Stands before the application: refuses foreign host names and whoever may not ask, counts, and marks every
    answer as not to be kept.
    """

    def __init__(
        self, app: ASGIApp, paths: APIRouter, *, hosts: tuple[str, ...] | None, calls: Calls, admit: Admit
    ) -> None:
        self._admit: Final = admit
        self._app: Final = app
        self._paths: Final = paths
        self._calls: Final = calls
        self._hosts: Final = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        method = self._method(scope)
        with self._calls.counted(method, timed=not method.endswith(FOLLOWED)) as outcome:

            async def marked(message: Message) -> None:
                if message["type"] == "http.response.start":
                    outcome.code = str(message["status"])
                    headers = MutableHeaders(scope=message)
                    headers["Cache-Control"] = "no-store"
                    headers["X-Content-Type-Options"] = "nosniff"
                await send(message)

            try:
                if self._is_foreign(scope):
                    raise NotAllowed("the host's name is not one of this machine's own", hint="ask 127.0.0.1")
                await self._admit(scope, method)
            except FogError as error:
                await response_of(error)(scope, receive, marked)
                return
            try:
                await self._app(scope, receive, marked)
            except Exception:  # noqa: BLE001 - logged with its traceback
                # The outermost edge of a request: the answer was given, or will be seen to break off.
                _log.exception("request failed")

    def _method(self, scope: Scope) -> str:
        """The name under which a request is counted, out of a fixed set."""
        for route in self._paths.routes:
            if isinstance(route, Route) and route.matches(scope)[0] is Match.FULL:
                return f"{scope['method']} {route.path}"
        return OTHER

    def _is_foreign(self, scope: Scope) -> bool:
        host = Headers(scope=scope).get("host", "")
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        return self._hosts is not None and name not in self._hosts
