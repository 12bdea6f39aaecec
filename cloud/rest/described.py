"""What the OpenAPI document says beyond what FastAPI sees."""

import asyncio
import dataclasses
import inspect
from http import HTTPStatus
from typing import Any, Final

import msgspec
from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter
from starlette.responses import Response

import fogline
from cloud.rest import answers
from cloud.rest.answers import Changes, Problem
from cloud.rest.follow import EVENTS, NDJSON
from cloud.rest.problems import PROBLEM_TYPE
from fogline.client import accounts, containers, installation, values
from fogline.model import errors
from fogline.service.arguments import docstrings

Responses = dict[int | str, dict[str, Any]]

ABOUT: Final = """Pipelines, their results, and the state of the installation.

Lists come in pages: `next_page_token` asks for the next one, and is empty on the last. Tokens are opaque. Instants are
RFC 3339 in UTC. Every path but `/v1/healthz` needs an API token. Every error is an `application/problem+json` with a
`code` for programs and a `hint` for people."""

EXAMPLE: Final = """name: greenhouse
streams:
  air: {mqtt: "greenhouse/{zone}/{device}/air", format: json, time: ts, fields: {temp: float}}
steps:
  by_zone:
    sql: |
      SELECT zone, count(*) AS n, avg(temp) AS temp FROM air
      GROUP BY zone, TUMBLE(ts, INTERVAL '10 seconds')
"""
SPEC_BODY: Final = {
    "required": True,
    "content": {
        "application/yaml": {"schema": {"type": "string"}, "example": EXAMPLE},
        "application/json": {"schema": {"type": "object"}},
    },
}
TAGS: Final = [
    {"name": "pipelines", "description": "What is deployed."},
    {"name": "results", "description": "What the windows say."},
    {"name": "streams", "description": "What the pipelines read."},
    {"name": "nodes", "description": "The machines beside the sensors."},
    {"name": "containers", "description": "What runs on the machines, beside SQL."},
    {"name": "installation", "description": "Whether all is well, and where everything went."},
]


VALUES: Final = tuple(
    kind
    for module in (accounts, answers, containers, errors, installation, values)
    for kind in vars(module).values()
    if isinstance(kind, type) and dataclasses.is_dataclass(kind)
)


def answered(kind: Any, *statuses: int) -> Responses:
    """What a path answers: a value, or one of these problems besides those that any path may answer."""
    told: Responses = {
        status: _problem(status) for status in sorted({400, 401, 403, 405, 429, 500, 503, 504, *statuses})
    }
    return {200: {"model": kind}, **told} if kind is not None else {**told}


def followed() -> Responses:
    """What a path answers that goes on."""
    schema = {"$ref": "#/components/schemas/Changes"}
    streams = {NDJSON: {"schema": schema}, EVENTS: {"schema": {"type": "string"}}}
    return {
        **answered(Changes, 404, 410),
        200: {"description": "Changes as they happen", "content": streams},
    }


def describe(app: FastAPI, *, at: str) -> None:
    """Serve an application's OpenAPI document at a path; it is made when somebody first asks for it."""
    made: list[bytes] = []

    async def openapi(_request: Request) -> Response:
        if not made:
            # In a thread: it reads the values' source for what they say of themselves.
            made.append(await asyncio.to_thread(_document, app))
        return Response(made[0], media_type="application/json")

    app.add_route(at, openapi, include_in_schema=False)


def _document(app: FastAPI) -> bytes:
    made = get_openapi(
        title="Fogline", version=fogline.__version__, description=ABOUT, routes=app.routes, tags=TAGS
    )
    return msgspec.json.encode(_completed(made))


def _problem(status: int) -> dict[str, Any]:
    return {
        "description": HTTPStatus(status).phrase,
        "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    """With the schemas that only raw content refers to, and what the values' own docstrings say of their fields."""
    for operations in document["paths"].values():
        for operation in operations.values():
            if "HTTPValidationError" in str(operation["responses"].get("422")):
                # FastAPI's own way to say it; here it is a problem with status 400.
                del operation["responses"]["422"]
    document["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "`fogline api-token create` makes one."}
    }
    document["security"] = [{"token": []}]
    document["paths"]["/v1/healthz"]["get"]["security"] = []
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for kind in (Problem, Changes):
        made = TypeAdapter(kind).json_schema(
            mode="serialization", ref_template="#/components/schemas/{model}"
        )
        schemas |= {**made.pop("$defs", {}), kind.__name__: made}
    for told in VALUES:
        if told.__name__ in schemas:
            _tell(schemas[told.__name__], told)
    return document


def _tell(schema: dict[str, Any], kind: type[Any]) -> None:
    schema["description"] = inspect.getdoc(kind)
    told = docstrings(kind)
    for name, field in schema["properties"].items():
        if name in told:
            field["description"] = told[name].replace("``", "`")
        if field.get("format") == "binary":
            del field["format"]
