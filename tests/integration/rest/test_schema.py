"""What the OpenAPI document promises is what the server does: asked by Schemathesis, and read by itself."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from fogline.model.catalogue import CATALOGUE
from tests.contract.installation import Reading
from tests.integration.rest.conftest import House

CHECKS = [
    not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
]
EXAMPLES, FEW = 10, 4


async def document(house: House) -> dict[str, Any]:
    found: dict[str, Any] = (await house.http.get("/v1/openapi.json")).json()
    return found


async def test_the_document_says_all_there_is_to_know(house: House) -> None:
    said = await document(house)
    schemas = said["components"]["schemas"]
    assert "HTTPValidationError" not in str(said)
    for path, operations in said["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            assert operation["tags"], (method, path)
            for status, answer in operation["responses"].items():
                if status >= "400":
                    assert list(answer["content"]) == ["application/problem+json"], (method, path, status)
            for parameter in operation.get("parameters", []):
                assert parameter["in"] == "path" or parameter.get("description"), (path, parameter["name"])
    for name in ("Result", "Node", "Problem", "Changes", "StreamLedger"):
        assert schemas[name]["description"], name
    spelled = {entry.http for entry in CATALOGUE.values()}
    assert {
        int(s) for o in said["paths"].values() for a in o.values() for s in a["responses"] if s >= "400"
    } <= spelled


def ask(schema: schemathesis.BaseSchema, base: str) -> dict[str, int]:
    """Ask every operation as the document allows, and as it does not; how many questions each was asked."""
    asked: dict[str, int] = {}
    with requests.Session() as session:
        session.trust_env = False
        for found in schema.get_all_operations():
            assert isinstance(found, Ok)
            operation = found.ok()
            if operation.path.endswith("/follow"):
                continue  # it goes on; test_follow asks it
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

                @settings(
                    # A spec is read in a process of its own each time.
                    max_examples=EXAMPLES if operation.method.upper() == "GET" else FEW,
                    database=None,
                    derandomize=True,
                    suppress_health_check=list(HealthCheck),
                )
                @given(case=operation.as_strategy(generation_mode=mode))
                def question(case: schemathesis.Case[Any]) -> None:
                    asked[operation.label] = asked.get(operation.label, 0) + 1  # noqa: B023 - used up at once
                    answer = case.call(base_url=base, session=session, timeout=60)
                    case.validate_response(answer, checks=CHECKS)

                with suppress(Unsatisfiable):  # nothing can be asked wrongly of a path without parameters
                    question()
    return asked


@pytest.mark.timeout(300)
async def test_every_answer_is_as_the_document_says(house: House) -> None:
    await house.deploy()
    await house.push([Reading(1, "north", 20.0), Reading(2, "south", 19.0)])
    await house.finished(2)
    schema = schemathesis.openapi.from_dict(await document(house))
    # In a thread: the server runs on this loop.
    asked = await asyncio.to_thread(ask, schema, str(house.http.base_url))
    operations = {
        f"{method.upper()} {path}"
        for path, methods in (await document(house))["paths"].items()
        for method in methods
        if not path.endswith("/follow")
    }
    assert asked.keys() == operations
