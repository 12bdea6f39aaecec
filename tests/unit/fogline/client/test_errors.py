"""What a server spelled comes out as the error that it was."""

from pathlib import Path
from typing import Any

import grpc
import pytest

from fogline.client.client import Client
from fogline.client.errors import SpecRejected, TooSlow, Unreachable
from fogline.model.errors import (
    Fault,
    FogError,
    InvalidInput,
    NotAllowed,
    NotFound,
    ResumeTokenExpired,
    StoreBusy,
    Unavailable,
)
from fogline.model.faults import SpecErrors
from tests.unit.fogline.client.messages import abort
from tests.unit.fogline.scripted_cloud import ScriptedCloud


def test_every_mistake_of_a_spec_has_its_place(cloud: ScriptedCloud, tmp_path: Path) -> None:
    faults = [
        Fault(line=7, column=3, path="steps.a.sql", message="no such column", hint="temp?"),
        Fault(line=2, column=1, path="streams.air", message="no topic"),
        Fault(line=0, column=0, path="", message="too big"),
    ]
    cloud.answers["Deploy"] = abort(SpecErrors("air.yaml", faults))
    spec = tmp_path / "air.yaml"
    spec.write_text("name: air")
    with Client(cloud.address) as client, pytest.raises(SpecRejected) as rejected:
        client.deploy(spec)

    assert rejected.value.message == f"{spec} has 3 mistakes"
    assert rejected.value.lines() == [
        f"{spec}: too big",
        f"{spec}:2:1: streams.air: no topic",
        f"{spec}:7:3: steps.a.sql: no such column (temp?)",
    ]
    assert (cloud.requests[0].spec, cloud.requests[0].file) == ("name: air", str(spec))


@pytest.mark.parametrize(
    "kind", [InvalidInput, NotFound, Unavailable, StoreBusy, NotAllowed, ResumeTokenExpired, FogError]
)
def test_an_error_comes_out_as_it_was_raised(cloud: ScriptedCloud, kind: type[FogError]) -> None:
    cloud.answers["GetStatus"] = abort(kind("it is so: because", hint="do this"))
    with Client(cloud.address) as client, pytest.raises(FogError, match="it is so: because") as raised:
        client.status()

    assert type(raised.value) is kind
    assert raised.value.hint == "do this"
    assert raised.value.code == kind.code


def test_an_error_of_a_newer_server_keeps_its_code(cloud: ScriptedCloud) -> None:
    cloud.answers["GetStatus"] = abort(NotFound("there is no moon", code="moon_not_found"))
    with Client(cloud.address) as client, pytest.raises(NotFound) as raised:
        client.status()

    assert raised.value.code == "moon_not_found"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.UNAVAILABLE, Unreachable),
        (grpc.StatusCode.DEADLINE_EXCEEDED, TooSlow),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, Unavailable),
        (grpc.StatusCode.INTERNAL, FogError),
    ],
)
def test_an_error_that_gRPC_itself_says_has_a_hint(  # noqa: N802 - its name
    cloud: ScriptedCloud, code: grpc.StatusCode, kind: type[FogError]
) -> None:
    cloud.answers["GetStatus"] = lambda _, context: context.abort(code, "so it is")
    with Client(cloud.address) as client, pytest.raises(FogError) as raised:
        client.status()

    assert type(raised.value) is kind
    assert raised.value.hint


def test_details_that_are_no_status_are_no_crash(cloud: ScriptedCloud) -> None:
    def answer(_request: Any, context: grpc.ServicerContext) -> None:
        context.set_trailing_metadata((("grpc-status-details-bin", b"\xff\xff"),))
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "wrong")

    cloud.answers["Deploy"] = answer
    with Client(cloud.address) as client, pytest.raises(InvalidInput, match="wrong"):
        client.deploy("name: x")
