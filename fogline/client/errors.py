"""What can go wrong in a call, as errors with a hint.

FogError
├── InvalidInput
│   └── InvalidSpec
│       └── SpecRejected   every mistake in a spec, each with its place
└── Unavailable
    ├── Unreachable        nobody answers at the address
    └── DeadlinePassed
        └── TooSlow        no answer within the deadline

A server's error comes out as the class of its code, or of its status if the code is newer than this release.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, cast

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from fogline.model.catalogue import DOMAIN
from fogline.model.errors import (
    Conflict,
    DataLoss,
    DeadlinePassed,
    FogError,
    InvalidInput,
    InvalidSpec,
    NotAllowed,
    NotFound,
    PageTokenExpired,
    ResumeTokenExpired,
    StoreBusy,
    TokenExpired,
    TokenMissing,
    TokenRevoked,
    TokenUnknown,
    TooLarge,
    TooManyAttempts,
    TooManyFollowers,
    Unauthenticated,
    Unavailable,
)
from fogline.v1 import api_pb2

_START: Final = (
    "check the address; `fogline up` starts Fogline on this machine. A cloud elsewhere, or started by itself, speaks "
    "TLS and wants an API token: `fogline login HOST:PORT`"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecFault:
    """One mistake in a spec. Lines and columns start at 1; 0 where none can be named."""

    line: int
    column: int
    path: str
    message: str
    hint: str


class SpecRejected(InvalidSpec):
    """The spec has mistakes; nothing was changed."""

    def __init__(self, faults: tuple[SpecFault, ...], *, file: str) -> None:
        super().__init__(f"{file or 'the spec'} has {len(faults)} mistake{'s' * (len(faults) != 1)}")
        self.faults: Final = faults
        self.file: Final = file

    def lines(self) -> list[str]:
        """Each mistake as ``file:line:column: message (hint)``, in the order of the file."""
        return [_line(self.file or "spec", fault) for fault in sorted(self.faults, key=_place)]


class Unreachable(Unavailable):
    """Nobody answers at the address, or the connection broke."""

    code = "unreachable"


class TooSlow(DeadlinePassed):
    """No answer within the deadline; whether the call took effect is unknown."""


_OF_CODE: Final[Mapping[str, type[FogError]]] = {
    kind.code: kind
    for kind in (
        Conflict,
        DataLoss,
        InvalidInput,
        NotAllowed,
        NotFound,
        PageTokenExpired,
        ResumeTokenExpired,
        StoreBusy,
        TokenExpired,
        TokenMissing,
        TokenRevoked,
        TokenUnknown,
        TooLarge,
        TooManyAttempts,
        TooManyFollowers,
        TooSlow,
        Unavailable,
    )
}
_OF_STATUS: Final[Mapping[grpc.StatusCode, type[FogError]]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidInput,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.PERMISSION_DENIED: NotAllowed,
    grpc.StatusCode.UNAUTHENTICATED: Unauthenticated,
    grpc.StatusCode.FAILED_PRECONDITION: Conflict,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Unavailable,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: TooSlow,
    grpc.StatusCode.DATA_LOSS: DataLoss,
}


@contextmanager
def translated(address: str, *, file: str = "") -> Iterator[None]:
    """Turn gRPC's error inside the block into one of the tree."""
    try:
        yield
    except grpc.RpcError as error:
        # What a call raises is the call itself; the stubs do not know.
        raise _translate(cast("grpc.Call", error), address, file) from None


def _translate(call: grpc.Call, address: str, file: str) -> FogError:
    words, info = call.details() or "no details were given", error_details_pb2.ErrorInfo()
    faults = api_pb2.SpecFaults()
    for detail in _details(call):
        for known in (info, faults):
            detail.Unpack(known)  # leaves the message as it is if the detail is of another kind
    if info.domain != DOMAIN:
        return _said_by_grpc(call, address, words)
    if info.reason == InvalidSpec.code and faults.faults:
        return SpecRejected(_faults(faults), file=file)
    hint = info.metadata.get("hint", "")
    kind = _OF_CODE.get(info.reason) or _OF_STATUS.get(call.code(), FogError)
    return kind(words, hint=hint, code=info.reason)


def _said_by_grpc(call: grpc.Call, address: str, words: str) -> FogError:
    """An error that no server of ours spelled."""
    code = call.code()
    if code is grpc.StatusCode.UNAVAILABLE:
        # gRPC wraps the system's words in several layers of its own.
        return Unreachable(f"no answer from {address}: {words.rsplit(': ', 1)[-1]}", hint=_START)
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return TooSlow(f"{address} did not answer in time", hint="look at its log, or give more time")
    kind = _OF_STATUS.get(code, FogError)
    return kind(f"{address} answered {code.name}: {words}", hint="look at its log")


def _details(call: grpc.Call) -> Iterator[AnyMessage]:
    try:
        status = rpc_status.from_call(call)
    except (DecodeError, ValueError):  # bytes that are no status, or that contradict the call's own
        return iter(())
    return iter(() if status is None else status.details)


def _faults(message: api_pb2.SpecFaults) -> tuple[SpecFault, ...]:
    return tuple(
        SpecFault(line=f.line, column=f.column, path=f.path, message=f.message, hint=f.hint)
        for f in message.faults
    )


def _place(fault: SpecFault) -> tuple[int, int]:
    return fault.line, fault.column


def _line(file: str, fault: SpecFault) -> str:
    place = f"{file}:{fault.line}:{fault.column}" if fault.line else file
    path = f"{fault.path}: " if fault.path else ""
    hint = f" ({fault.hint})" if fault.hint else ""
    return f"{place}: {path}{fault.message}{hint}"
