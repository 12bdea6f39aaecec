"""What a child says first on its streams, by hand."""

from dataclasses import replace
from typing import Any

import grpc

from fogline.identity.holder import Holder
from fogline.identity.identity import Identity
from fogline.uplink.dial import ending_of
from fogline.v1 import control_pb2, control_pb2_grpc, uplink_pb2, uplink_pb2_grpc

WITHIN = 60.0


async def pushed(address: str, identity: Identity, *, name: str = "") -> str:
    """Open a Push stream and say hello; how it ended, or the parent's name."""
    async with Holder(identity).dial(address) as channel:
        call = uplink_pb2_grpc.UplinkServiceStub(channel).Push(timeout=WITHIN)
        hello = uplink_pb2.Hello(protocol=1, child=name or identity.subject.name)
        return await _first(call, uplink_pb2.PushRequest(hello=hello))


async def attached(
    address: str,
    identity: Identity,
    *,
    name: str = "",
    role: str = "",
    report_of: str = "",
    instance: str = "",
    at_us: int = 1,
) -> str:
    """Open a control stream and report; why it was refused; nothing if it was not."""
    subject = identity.subject
    request = control_pb2.AttachRequest(
        protocol=1,
        child=name or subject.name,
        role=role or subject.role,
        nodes=[control_pb2.NodeReport(node=report_of or subject.name, at_us=at_us, instance=instance)],
    )
    async with Holder(identity).dial(address) as channel:
        call = control_pb2_grpc.ControlServiceStub(channel).Attach(timeout=WITHIN)
        try:
            await call.write(request)
            await call.done_writing()
            while await call.read() is not grpc.aio.EOF:
                pass
        except (grpc.aio.AioRpcError, grpc.aio.UsageError):
            pass
        return await _ending(call)


async def _first(call: Any, request: object) -> str:
    try:
        await call.write(request)
        answer = await call.read()
    except (grpc.aio.AioRpcError, grpc.aio.UsageError):
        answer = grpc.aio.EOF
    if answer is not grpc.aio.EOF:
        call.cancel()
        return str(answer.welcome.parent)
    return await _ending(call)


async def _ending(call: Any) -> str:
    code = await call.code()
    return "" if code is grpc.StatusCode.OK else await ending_of(call)


def with_authority_of(identity: Identity, other: Identity) -> Identity:
    """A machine that trusts another CA than the one that knows it."""
    return replace(identity, authority_pem=other.authority_pem)
