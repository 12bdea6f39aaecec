"""What a device and the listener say to each other, as values: the same for MQTT 5 and 3.1.1."""

from dataclasses import dataclass
from typing import Final, Protocol

from fog_node.ingest.packets import (
    AUTH,
    CONNECT,
    DISCONNECT,
    PINGREQ,
    PUBREL,
    SUBSCRIBE,
    UNSUBSCRIBE,
    Answering,
    Reason,
)

FLAGS: Final = {CONNECT: 0, PUBREL: 2, SUBSCRIBE: 2, UNSUBSCRIBE: 2, PINGREQ: 0, DISCONNECT: 0, AUTH: 0}
"""Fixed header flags of the packets that a device may send; PUBLISH has its own."""


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


class Codec(Answering, Protocol):
    """One version's packets, PUBLISH excepted."""

    def read(self, frame: bytes) -> Incoming:
        """One whole packet. Raises :class:`MalformedPacket`, and nothing else, whatever the bytes."""
        ...

    def welcome(self, welcome: Welcome) -> bytes: ...

    def refusal(self, reason: Reason) -> bytes:
        """The CONNACK of a device that is not let in."""
        ...

    def subscribed(self, request: Subscribe) -> bytes: ...

    def unsubscribed(self, request: Unsubscribe) -> bytes: ...

    def goodbye(self, reason: Reason) -> bytes:
        """The server's DISCONNECT; empty in MQTT 3.1.1, which has none."""
        ...
