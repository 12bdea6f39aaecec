"""Every door asks everybody, for every call."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import httpx
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

from cloud.access.rights import METHODS
from cloud.rest.entry import HEALTH
from fogline.access.bearer import HEADER, bearer
from fogline.client.errors import translated
from fogline.client.find import Place
from fogline.client.trust import trust
from fogline.model.caller import PEOPLES
from fogline.model.errors import FogError
from fogline.v1 import access_pb2, api_pb2, containers_pb2, enrol_pb2, signing_pb2
from tests.integration.access.conftest import Guarded

PEOPLES_FILES = (api_pb2, access_pb2, containers_pb2, signing_pb2)
NOT_HERE = {"EnrolService", "AdmissionFeedService"}
"""Services of enrol.proto that are served at the machines' ports."""


def methods() -> Iterator[MethodDescriptor]:
    for module in (*PEOPLES_FILES, enrol_pb2):
        for service in module.DESCRIPTOR.services_by_name.values():
            if service.name not in NOT_HERE:
                yield from service.methods


def path(method: MethodDescriptor) -> str:
    return f"/{method.containing_service.full_name}/{method.name}"


async def code_of(channel: grpc.aio.Channel, method: MethodDescriptor, token: str) -> str:
    """What becomes of a call with an empty request: ``OK``, or an error's code."""
    kind = (
        f"{'stream' if method.client_streaming else 'unary'}_"
        f"{'stream' if method.server_streaming else 'unary'}"
    )
    request = GetMessageClass(method.input_type)()
    callable_ = getattr(channel, kind)(
        path(method),
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )
    metadata = ((HEADER, bearer(token)),) if token else ()
    try:
        with translated("cloud"):
            given = iter([request]) if method.client_streaming else request
            call = callable_(given, metadata=metadata, timeout=60)
            if method.server_streaming:
                await call.read()
                call.cancel()
            else:
                await call
    except FogError as error:
        return error.code
    return "OK"


@pytest.fixture
async def channel(guarded: Guarded) -> AsyncIterator[grpc.aio.Channel]:
    place = Place(address=guarded.address, token=await guarded.token())
    believed = await asyncio.to_thread(trust, place)
    assert believed.credentials is not None
    async with grpc.aio.secure_channel(guarded.address, believed.credentials, believed.options) as made:
        yield made


LET_IN = {"OK", "no_such_container", "not_found", "invalid_input", "invalid_spec"}
"""What an empty request may come to once its caller was let in."""


def test_every_method_has_its_right_in_the_table(guarded: Guarded) -> None:
    named = {path(method) for method in methods()}
    assert named == {method for method in METHODS if method.startswith("/fogline.")}
    served = set(guarded.cloud.server._names)
    assert served == {method.containing_service.full_name for method in methods()}


async def test_no_method_lets_in_who_shows_nothing_or_lacks_its_right(
    guarded: Guarded, channel: grpc.aio.Channel
) -> None:
    for method in methods():
        right = METHODS[path(method)]
        assert await code_of(channel, method, "") in {"token_missing", "too_many_attempts"}, path(method)
        if right is not None:
            others = str(await guarded.token(*(PEOPLES - {right})))
            assert await code_of(channel, method, others) == "not_allowed", path(method)
        alone = str(await guarded.token(*({right} if right else ())))
        assert await code_of(channel, method, alone) in LET_IN, path(method)


async def test_health_is_open_and_reflection_is_not(guarded: Guarded, channel: grpc.aio.Channel) -> None:
    health: Any = channel.unary_unary("/grpc.health.v1.Health/Check")
    assert await health(b"", timeout=60)
    reflection: Any = channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
    with pytest.raises(grpc.aio.AioRpcError, match="no API token"):
        async for _ in reflection(iter([b":\x00"]), timeout=60):
            pass


async def test_what_nobody_has_thought_of_is_refused(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch, channel: grpc.aio.Channel
) -> None:
    monkeypatch.delitem(METHODS, "/fogline.v1.StatusService/GetStatus")
    (status,) = (method for method in methods() if method.name == "GetStatus")
    assert await code_of(channel, status, guarded.admin) == "not_allowed"


async def test_no_path_lets_in_who_shows_nothing_or_lacks_its_right(guarded: Guarded) -> None:
    async with httpx.AsyncClient(base_url=guarded.rest, trust_env=False, timeout=60) as http:
        shown = {"Authorization": f"Bearer {guarded.admin}"}
        described = (await http.get("/v1/openapi.json", headers=shown)).json()
        assert guarded.cloud.rest is not None
        rights = guarded.cloud.rest.rights
        asked = 0
        for path_, operations in described["paths"].items():
            for method in operations:
                name, url = f"{method.upper()} {path_}", path_.replace("{name}", "nothing")
                right = rights[name]
                if name == HEALTH:
                    assert (await http.get(url)).status_code == 200
                    continue
                asked += 1
                answer = await http.request(method, url)
                assert answer.status_code in {401, 429}, name
                others = await guarded.token(*(PEOPLES - {right}))
                answer = await http.request(method, url, headers={"Authorization": f"Bearer {others}"})
                assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed"), name
                alone = await guarded.token(*({right} if right else ()))
                answer = await http.request(method, url, headers={"Authorization": f"bearer  {alone}"})
                assert answer.status_code in {200, 400, 404, 415}, name
        assert asked == len(rights) - 1
        for url in ("/v1/openapi.json", "/v1/nothing", "/"):
            assert (await http.get(url)).status_code == 401
        refused = await http.get("/v1/status")
        assert refused.headers["WWW-Authenticate"] == 'Bearer realm="fogline"'
        assert "Authorization: Bearer" in refused.json()["hint"]
