"""The tree of errors that cross a border: each knows its gRPC status and whether trying again can help.

FogError
├── InvalidInput      the caller's mistake; says where and what to do
│   └── MalformedPart a part that cannot be read
├── NotFound
├── Unavailable       retryable: not now
│   └── StoreBusy
└── DataLoss          stored bytes are not what was written
"""

from typing import ClassVar, Final

from grpc import StatusCode


class FogError(Exception):
    """Something that a caller can be told about."""

    status: ClassVar[StatusCode] = StatusCode.INTERNAL
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message: Final = message
        self.hint: Final = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class InvalidInput(FogError):
    """What was sent can never be accepted as it is."""

    status = StatusCode.INVALID_ARGUMENT


class MalformedPart(InvalidInput):
    """A part whose contents contradict each other or the protocol."""


class NotFound(FogError):
    """There is nothing of that name."""

    status = StatusCode.NOT_FOUND


class Unavailable(FogError):
    """It cannot be done now; the same call may succeed later."""

    status = StatusCode.UNAVAILABLE
    retryable = True


class StoreBusy(Unavailable):
    """The store could not commit: locked, full or away. Nothing was changed or the outcome is unknown."""


class DataLoss(FogError):
    """Stored bytes fail their checksum or contradict each other."""

    status = StatusCode.DATA_LOSS
