"""How an error is spelled in HTTP: application/problem+json (RFC 9457) with code, hint and places."""

import math
from http import HTTPStatus
from typing import Any, Final

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from cloud.rest.answers import Problem
from fogline.client.shape import shape_of
from fogline.model.errors import Fault, FogError, InvalidInput, NotFound, TokenMissing, Unauthenticated

PROBLEM_TYPE: Final = "application/problem+json"


class MethodNotAllowed(InvalidInput):
    """The path does not take this method."""

    code = "method_not_allowed"


class UnsupportedMediaType(InvalidInput):
    """The body's type is not taken here."""

    code = "unsupported_media_type"


def problem_of(error: FogError) -> Problem:
    """The problem that spells an error."""
    entry = error.entry
    return Problem(
        type=f"urn:fogline:error:{error.code}",
        title=entry.title,
        status=entry.http,
        detail=error.message,
        code=error.code,
        hint=error.hint,
        places=error.places,
    )


def response_of(error: FogError, headers: dict[str, str] | None = None) -> Response:
    """The response that spells an error; it says when to try again, if that can help."""
    told = dict(headers or {})
    if error.entry.retry_s:
        told["Retry-After"] = str(math.ceil(error.entry.retry_s))
    if isinstance(error, Unauthenticated):
        invalid = "" if error.code == TokenMissing.code else ', error="invalid_token"'
        told["WWW-Authenticate"] = f'Bearer realm="fogline"{invalid}'
    content = msgspec.json.encode(shape_of(problem_of(error)))
    return Response(content, status_code=error.entry.http, headers=told, media_type=PROBLEM_TYPE)


def spell_errors(app: FastAPI) -> None:
    """Let every error of an application be a problem."""

    async def ours(_request: Request, error: Exception) -> Response:
        assert isinstance(error, FogError)
        return response_of(error)

    async def invalid(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return response_of(InvalidInput("the request is not as the API describes it", places=_places(error)))

    async def plain(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return response_of(_of_status(request, error), dict(error.headers or {}))

    async def unforeseen(_request: Request, _error: Exception) -> Response:
        return response_of(FogError("nobody foresaw this error"))

    app.add_exception_handler(FogError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, plain)
    app.add_exception_handler(Exception, unforeseen)


def _of_status(request: Request, error: HTTPException) -> FogError:
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return MethodNotAllowed(f"{request.url.path} does not take {request.method}")
    if error.status_code == HTTPStatus.NOT_FOUND:
        return NotFound(
            f"there is nothing at {request.url.path}", hint="/v1/openapi.json describes what there is"
        )
    return InvalidInput(str(error.detail))


def _places(error: RequestValidationError) -> list[Fault]:
    def fault(found: dict[str, Any]) -> Fault:
        path = ".".join(str(part) for part in found["loc"])
        return Fault(line=0, column=0, path=path, message=found["msg"])

    return [fault(found) for found in error.errors()]
