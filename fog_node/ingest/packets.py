"""What every conversation in MQTT knows: types of packets, reason codes, and the fault of bytes that are neither."""

from enum import IntEnum
from typing import Final, Protocol

from fogline.model.errors import InvalidInput

CONNECT: Final = 1
CONNACK: Final = 2
PUBLISH: Final = 3
PUBACK: Final = 4
PUBREC: Final = 5
PUBREL: Final = 6
PUBCOMP: Final = 7
SUBSCRIBE: Final = 8
SUBACK: Final = 9
UNSUBSCRIBE: Final = 10
UNSUBACK: Final = 11
PINGREQ: Final = 12
PINGRESP: Final = 13
DISCONNECT: Final = 14
AUTH: Final = 15


class Reason(IntEnum):
    """MQTT 5 reason codes that a node gives; MQTT 3.1.1 has a return code for few of them."""

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
    """Bytes that are no MQTT, or MQTT that is not taken here; ``reason`` is told to whoever sent it."""

    code = "malformed_packet"

    def __init__(self, message: str, *, reason: Reason = Reason.MALFORMED, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason: Final = reason


class Answering(Protocol):
    """How messages are answered in one version of MQTT."""

    @property
    def version(self) -> int:
        """Protocol level: 4 is MQTT 3.1.1, 5 is MQTT 5."""
        ...

    def acknowledgement(self, kind: int, packet_id: int, reason: Reason) -> bytes:
        """PUBACK, PUBREC or PUBCOMP (``kind`` is the packet type); empty when the version cannot say it."""
        ...
