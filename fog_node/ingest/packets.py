"""What a device and the listener say to each other, as values: the same for MQTT 5 and 3.1.1."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Protocol

from fogline.model.errors import InvalidInput

CONNECT: Final = 1
PUBLISH: Final = 3
PUBACK: Final = 4
PUBREC: Final = 5
PUBREL: Final = 6
PUBCOMP: Final = 7
SUBSCRIBE: Final = 8
UNSUBSCRIBE: Final = 10
PINGREQ: Final = 12
DISCONNECT: Final = 14
AUTH: Final = 15


class Reason(IntEnum):
    """MQTT 5 reason codes that the listener gives; MQTT 3.1.1 has a return code for few of them."""

    SUCCESS = 0x00
    DISCONNECT_WITH_WILL = 0x04
    NO_MATCHING_SUBSCRIBERS = 0x10
    NO_SUBSCRIPTION_EXISTED = 0x11
    UNSPECIFIED = 0x80
    MALFORMED = 0x81
    PROTOCOL_ERROR = 0x82
    IMPLEMENTATION_SPECIFIC = 0x83
    UNSUPPORTED_VERSION = 0x84
    CLIENT_ID_NOT_VALID = 0x85
    BAD_USER_OR_PASSWORD = 0x86
    NOT_AUTHORIZED = 0x87
    SERVER_UNAVAILABLE = 0x88
    SERVER_BUSY = 0x89
    SERVER_SHUTTING_DOWN = 0x8B
    BAD_AUTHENTICATION_METHOD = 0x8C
    KEEP_ALIVE_TIMEOUT = 0x8D
    SESSION_TAKEN_OVER = 0x8E
    TOPIC_FILTER_INVALID = 0x8F
    TOPIC_NAME_INVALID = 0x90
    PACKET_ID_IN_USE = 0x91
    PACKET_ID_NOT_FOUND = 0x92
    RECEIVE_MAXIMUM_EXCEEDED = 0x93
    TOPIC_ALIAS_INVALID = 0x94
    PACKET_TOO_LARGE = 0x95
    QUOTA_EXCEEDED = 0x97
    RETAIN_NOT_SUPPORTED = 0x9A


class MalformedPacket(InvalidInput):
    """Bytes that are no MQTT, or MQTT that the listener does not take; ``reason`` is told to the device."""

    def __init__(self, message: str, *, reason: Reason = Reason.MALFORMED, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason: Final = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Will:
    """What is to be published for a device that vanishes."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    delay_s: int = 0
    """Seconds after the connection's end; a device that is back before has not vanished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """A device asks to be let in."""

    client: str
    """Empty when the listener shall choose."""
    clean: bool
    keep_alive_s: int
    will: Will | None = None
    user: str | None = None
    password: bytes | None = None
    session_expiry_s: int = 0
    """How long the session outlives the connection; MQTT 3.1.1 without clean session: for ever."""
    authentication_method: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """PUBREL: the device has seen PUBREC and will never repeat the message."""

    packet_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    """A request for messages, which the listener never sends."""

    packet_id: int
    filters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribe:
    """The end of a subscription that never was."""

    packet_id: int
    filters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """The device is alive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goodbye:
    """DISCONNECT; ``with_will`` asks for the will all the same."""

    with_will: bool = False
    session_expiry_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticate:
    """AUTH, which the listener does not speak."""


Incoming = Connect | Release | Subscribe | Unsubscribe | Ping | Goodbye | Authenticate


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """What CONNACK tells a device that is let in."""

    session_present: bool
    receive_maximum: int
    max_packet_bytes: int
    assigned_client: str | None = None
    keep_alive_s: int | None = None
    """Set when the listener asks for a shorter one than the device proposed."""
    session_expiry_s: int | None = None
    """Set when the session is kept for less than the device asked for."""


class Codec(Protocol):
    """One version's packets, PUBLISH excepted."""

    @property
    def version(self) -> int:
        """Protocol level: 4 is MQTT 3.1.1, 5 is MQTT 5."""
        ...

    def read(self, frame: bytes) -> Incoming:
        """One whole packet. Raises :class:`MalformedPacket`, and nothing else, whatever the bytes."""
        ...

    def welcome(self, welcome: Welcome) -> bytes: ...

    def refusal(self, reason: Reason) -> bytes:
        """The CONNACK of a device that is not let in."""
        ...

    def acknowledgement(self, kind: int, packet_id: int, reason: Reason) -> bytes:
        """PUBACK, PUBREC or PUBCOMP (``kind`` is the packet type); empty when the version cannot say it."""
        ...

    def subscribed(self, request: Subscribe) -> bytes: ...

    def unsubscribed(self, request: Unsubscribe) -> bytes: ...

    def goodbye(self, reason: Reason) -> bytes:
        """The server's DISCONNECT; empty in MQTT 3.1.1, which has none."""
        ...
