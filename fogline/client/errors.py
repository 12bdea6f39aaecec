"""What can go wrong in a call, as errors with a hint.

FogError
├── InvalidInput
│   └── SpecRejected   every mistake in a spec, each with its place
└── Unavailable
    ├── Unreachable    nobody answers at the address
    └── TooSlow        no answer within the deadline
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, cast

import grpc
from google.protobuf.message import DecodeError

from fogline.model.errors import FogError, InvalidInput, NotFound, Unavailable
from fogline.v1 import api_pb2

FAULTS_KEY: Final = "fogline-spec-faults-bin"
"""Trailing metadata in which the cloud sends a serialised SpecFaults."""


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
    match call.code():
        case grpc.StatusCode.INVALID_ARGUMENT:
            faults = _faults(call)
            return SpecRejected(faults, file=file) if faults else InvalidInput(details)
        case grpc.StatusCode.NOT_FOUND:
            return NotFound(details)
        case grpc.StatusCode.UNAVAILABLE:
            return Unreachable(
                f"no answer from {address}: {details}",
                hint="check the address; `fogline up` starts Fogline on this machine",
            )
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return TooSlow(f"{address} did not answer in time", hint="look at its log, or give more time")
        case grpc.StatusCode.UNIMPLEMENTED:
            return FogError(
                f"{address} does not know this call", hint="is it Fogline's cloud, and of this release?"
            )
        case code:
            return FogError(f"{address} answered {code.name}: {details}", hint="look at its log")


def _faults(call: grpc.Call) -> tuple[SpecFault, ...]:
    for key, value in call.trailing_metadata() or ():
        if key == FAULTS_KEY and isinstance(value, bytes):
            try:
                message = api_pb2.SpecFaults.FromString(value)
            except DecodeError:
                return ()
            return tuple(
                SpecFault(line=f.line, column=f.column, path=f.path, message=f.message, hint=f.hint)
                for f in message.faults
            )
    return ()


def _place(fault: SpecFault) -> tuple[int, int]:
    return fault.line, fault.column


def _line(file: str, fault: SpecFault) -> str:
    place = f"{file}:{fault.line}:{fault.column}" if fault.line else file
    path = f"{fault.path}: " if fault.path else ""
    hint = f" ({fault.hint})" if fault.hint else ""
    return f"{place}: {path}{fault.message}{hint}"
