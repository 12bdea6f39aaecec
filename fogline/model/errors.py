"""The tree of errors that cross a border: each has a code of the catalogue, which says how it is spelled.

FogError
├── InvalidInput      the caller's mistake; says where and what to do
│   ├── InvalidSpec   mistakes in a spec, each with its place
│   ├── MalformedPart a part that cannot be read
│   ├── TooLarge
│   ├── PageTokenExpired, ResumeTokenExpired   begin again
├── NotFound
├── NotAllowed        the caller is known and lacks the right
├── Unauthenticated   who calls is not known
│   ├── TokenMissing, TokenUnknown, TokenExpired, TokenRevoked
├── Conflict          what is there now does not allow it
├── Unavailable       retryable: not now
│   ├── StoreBusy
│   ├── TooManyFollowers
│   ├── TooManyAttempts
│   └── DeadlinePassed
└── DataLoss          stored bytes are not what was written
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from grpc import StatusCode

from fogline.model.catalogue import CATALOGUE, Entry


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Fault:
    """One mistake: where it stands, what is wrong, what to do."""

    line: int
    """1-based; 0 where no line can be named."""
    column: int
    """1-based, in characters; 0 where no line can be named."""
    path: str
    """Place in the input, for example ``streams.air.time``; empty for the whole of it."""
    message: str
    hint: str = ""
    file: str = ""

    def __str__(self) -> str:
        where = f"{self.line}:{self.column}: " if self.line else ""
        path = f"{self.path}: " if self.path else ""
        hint = f"\n    {self.hint}" if self.hint else ""
        return f"{where}{path}{self.message}{hint}"


class FogError(Exception):
    """Something that a caller can be told about."""

    code: str = "internal"
    """Name of its kind, for programs: a code of :data:`fogline.model.catalogue.CATALOGUE`."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        assert cls.code in CATALOGUE, f"{cls.__name__}: {cls.code!r} is not in the catalogue"

    def __init__(self, message: str, *, hint: str = "", places: Iterable[Fault] = (), code: str = "") -> None:
        """``code``: a further code, for an error that another process raised."""
        super().__init__(message)
        if code:
            self.code = code
        self.message: Final = message
        self.hint: Final = hint or self.entry.hint
        self.places: Final = tuple(places)
        """Where in the input it is, if it is somewhere."""

    @property
    def entry(self) -> Entry:
        """What the catalogue says; of a code that only a newer server knows, what it says of the class."""
        return CATALOGUE.get(self.code) or CATALOGUE[type(self).code]

    @property
    def status(self) -> StatusCode:
        """The status that spells it in gRPC."""
        return self.entry.status

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later."""
        return self.entry.retry_s > 0

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class InvalidInput(FogError):
    """What was sent can never be accepted as it is."""

    code = "invalid_input"


class InvalidSpec(InvalidInput):
    """A spec that cannot be run; ``places`` has every mistake."""

    code = "invalid_spec"


class MalformedPart(InvalidInput):
    """A part whose contents contradict each other or the protocol."""

    code = "malformed_part"


class TooLarge(InvalidInput):
    """More than is taken at once."""

    code = "too_large"


class PageTokenExpired(InvalidInput):
    """A list's token is of another question, or of a life of the store that is over."""

    code = "page_token_expired"


class ResumeTokenExpired(InvalidInput):
    """A follower's token is of another question, or of a life of the store that is over."""

    code = "resume_token_expired"


class NotFound(FogError):
    """There is nothing of that name."""

    code = "not_found"


class NotAllowed(FogError):
    """The caller lacks the right."""

    code = "not_allowed"


class Unauthenticated(FogError):
    """Who calls is not known: no API token was shown, or none that holds."""

    code = "unauthenticated"


class TokenMissing(Unauthenticated):
    """No API token was shown."""

    code = "token_missing"


class TokenUnknown(Unauthenticated):
    """The API token is none of this installation's."""

    code = "token_unknown"


class TokenExpired(Unauthenticated):
    """The API token has ended."""

    code = "token_expired"


class TokenRevoked(Unauthenticated):
    """The API token was taken back."""

    code = "token_revoked"


class Conflict(FogError):
    """What is there now does not allow it."""

    code = "conflict"


class Unavailable(FogError):
    """It cannot be done now; the same call may succeed later."""

    code = "unavailable"


class StoreBusy(Unavailable):
    """The store could not commit: locked, full or away. Nothing was changed or the outcome is unknown."""

    code = "store_busy"


class TooManyFollowers(Unavailable):
    """As many follow as the server takes."""

    code = "too_many_followers"


class TooManyAttempts(Unavailable):
    """Too many calls from one address without a token that holds."""

    code = "too_many_attempts"


class DeadlinePassed(Unavailable):
    """No answer within the deadline; whether the call took effect is unknown."""

    code = "deadline_exceeded"


class DataLoss(FogError):
    """Stored bytes fail their checksum or contradict each other."""

    code = "data_loss"
