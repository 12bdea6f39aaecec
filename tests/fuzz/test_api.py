"""Whatever is asked over gRPC, the API answers or says whose mistake it was: it never fails by itself."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message

from cloud.main import Cloud
from cloud.settings import CloudSettings
from cloud.store.opening import open_store
from fogline.model.clock import SystemClock
from fogline.uplink.dial import channel_to
from fogline.v1 import api_pb2, api_pb2_grpc
from tests.contract.installation import spec

ROUNDS = 25
SEED = 4
SERVERS_FAULT = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DATA_LOSS}
TEXTS = (
    "",
    "greenhouse",
    "by_zone",
    "n1",
    "\x00",
    "'; --",
    "ä" * 300,
    "A" * 5_000,
    "\U0001f343",
    "../..",
    "lAEC",
)
NUMBERS = (0, 1, 7, 1_000, 1_001, 2**31 - 1, 2**32 - 1, 2**53, 2**63 - 1, -1, -(2**63))


def methods() -> Iterator[MethodDescriptor]:
    for service in api_pb2.DESCRIPTOR.services_by_name.values():
        yield from service.methods


def filled(kind: Descriptor, dice: random.Random) -> Message:
    """A request with any values that its fields can hold."""
    message = message_factory.GetMessageClass(kind)()
    for field in kind.fields:
        if dice.random() < 0.7:
            setattr(message, field.name, value_of(field, dice))
    return message


def value_of(field: FieldDescriptor, dice: random.Random) -> Any:
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return dice.choice(TEXTS)
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return dice.random() < 0.5
    unsigned = field.cpp_type in (FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_UINT64)
    most = 2**32 if field.cpp_type == FieldDescriptor.CPPTYPE_UINT32 else 2**63
    return dice.choice([n for n in NUMBERS if n < most and (n >= 0 or not unsigned)])


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[str]:
    clock, stopping = SystemClock(), asyncio.Event()
    async with open_store("", tmp_path, clock.now_us()) as store:
        cloud = Cloud(
            CloudSettings(listen="127.0.0.1:0", folder=tmp_path, anonymous=True), store, clock=clock
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(cloud.run(stopping))
            await cloud.serving.wait()
            yield cloud.server.address
            assert cloud.server.edge.failed == 0
            stopping.set()


async def outcome(channel: grpc.aio.Channel, method: MethodDescriptor, raw: bytes) -> grpc.StatusCode:
    """How a call ended, or OK if it goes on answering."""
    name = f"/{method.containing_service.full_name}/{method.name}"
    call: Any
    streaming: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(name)
    once: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(name)
    if method.server_streaming:
        call = streaming(raw, timeout=60)
        with suppress(TimeoutError, grpc.aio.AioRpcError):
            async with asyncio.timeout(0.2):
                await call.read()
        if not call.done():
            call.cancel()
            return grpc.StatusCode.OK
    else:
        call = once(raw, timeout=60)
        with suppress(grpc.aio.AioRpcError):
            await call
    code = await call.code()
    assert isinstance(code, grpc.StatusCode)
    return code


@pytest.mark.parametrize("kind", ["bytes", "messages"])
async def test_no_request_is_the_servers_fault(address: str, kind: str) -> None:
    dice = random.Random(SEED)
    async with channel_to(address) as channel:
        stub = api_pb2_grpc.PipelineServiceStub(channel)
        await stub.Deploy(api_pb2.DeployRequest(spec=spec()))
        for method in methods():
            # Reading a spec takes a process each.
            for _ in range(ROUNDS if method.name != "Deploy" else 3):
                if kind == "bytes":
                    raw = dice.randbytes(dice.choice((1, 2, 5, 40)))
                else:
                    raw = filled(method.input_type, dice).SerializeToString()
                code = await outcome(channel, method, raw)
                assert code not in SERVERS_FAULT, (method.full_name, raw)
