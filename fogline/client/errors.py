"""What can go wrong in a call, as errors with a hint.

FogError
├── InvalidInput
│   └── SpecRejected   every mistake in a spec, each with its place
└── Unavailable
    ├── Unreachable    nobody answers at the address
    └── TooSlow        no answer within the deadline
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, cast

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError

from fogline.model.errors import FogError, InvalidInput, NotFound, Unavailable
from fogline.model.trailing import DETAIL_KEY, HINT_KEY
from fogline.v1 import api_pb2

_START: Final = "check the address; `fogline up` starts Fogline on this machine"
_KINDS: Final[Mapping[grpc.StatusCode, type[FogError]]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidInput,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecFault:
    """One mistake in a spec. Lines and columns start at 1; 0 where none can be named."""

    line: int
    column: int
    path: str
    message: str
    hint: str


class SpecRejected(InvalidInput):
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


class TooSlow(Unavailable):
    """No answer within the deadline; whether the call took effect is unknown."""


@contextmanager
def translated(address: str, *, file: str = "") -> Iterator[None]:
    """Turn gRPC's error inside the block into one of the tree."""
    try:
        yield
    except grpc.RpcError as error:
        # What a call raises is the call itself; the stubs do not know.
        raise _translate(cast("grpc.Call", error), address, file) from None


def _translate(call: grpc.Call, address: str, file: str) -> FogError:
    details = call.details() or "no details were given"
    trailing = {key: value for key, value in call.trailing_metadata() or () if isinstance(value, bytes)}
    hint = trailing.get(HINT_KEY, b"").decode("utf-8", "replace")
    code = call.code()
    if code is grpc.StatusCode.INVALID_ARGUMENT and (faults := _faults(trailing.get(DETAIL_KEY, b""))):
        return SpecRejected(faults, file=file)
    if code is grpc.StatusCode.UNAVAILABLE and not hint:  # said by gRPC, not by the server
        # gRPC wraps the system's words in several layers of its own.
        return Unreachable(f"no answer from {address}: {details.rsplit(': ', 1)[-1]}", hint=_START)
    if kind := _KINDS.get(code):
        return kind(details, hint=hint)
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return TooSlow(f"{address} did not answer in time", hint="look at its log, or give more time")
    return FogError(f"{address} answered {code.name}: {details}", hint=hint or "look at its log")


def _faults(packed: bytes) -> tuple[SpecFault, ...]:
    detail, message = AnyMessage(), api_pb2.SpecFaults()
    try:
        detail.ParseFromString(packed)
        detail.Unpack(message)  # leaves the message empty if the detail is of another kind
    except DecodeError:
        return ()
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
