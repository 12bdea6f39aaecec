"""What a broker and the node say to each other, messages excepted, as values."""

from dataclasses import dataclass
from typing import Final

from fog_node.ingest.packets import AUTH, CONNACK, DISCONNECT, PINGRESP, SUBACK, UNSUBACK

FLAGS: Final = {CONNACK: 0, SUBACK: 0, UNSUBACK: 0, PINGRESP: 0, DISCONNECT: 0, AUTH: 0}
"""Fixed header flags of the packets that a broker may send; PUBLISH has its own. To QoS 1 at most nothing else
belongs.
"""

FAILURE: Final = 0x80
"""Reason codes from here on say that something was not done."""

WORDS: Final = {
    0x80: "unspecified error",
    0x81: "malformed packet",
    0x82: "protocol error",
    0x83: "implementation specific error",
    0x84: "it does not speak MQTT 5",
    0x85: "client id not valid",
    0x86: "wrong user name or password",
    0x87: "not authorized",
    0x88: "server unavailable",
    0x89: "server busy",
    0x8A: "banned",
    0x8B: "server shutting down",
    0x8C: "bad authentication method",
    0x8D: "keep alive timeout",
    0x8E: "another client took over the session; every node needs a client id of its own",
    0x8F: "topic filter invalid",
    0x91: "packet id in use",
    0x93: "receive maximum exceeded",
    0x94: "topic alias invalid",
    0x95: "packet too large",
    0x96: "message rate too high",
    0x97: "quota exceeded",
    0x98: "administrative action",
    0x99: "payload format invalid",
    0x9A: "retain not supported",
    0x9B: "QoS not supported",
    0x9C: "use another server",
    0x9D: "server moved",
    0x9E: "shared subscriptions not supported",
    0x9F: "connection rate exceeded",
    0xA0: "maximum connect time",
    0xA1: "subscription identifiers not supported",
    0xA2: "wildcard subscriptions not supported",
}


def words_for(code: int, text: str = "") -> str:
    """A reason code as a person reads it, with what the broker says of it."""
    said = WORDS.get(code, f"reason {code:#x}")
    return f"{said}: {text}" if text else said


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """CONNACK."""

    reason: int = 0
    reason_text: str = ""
    session_present: bool = False
    session_expiry_s: int | None = None
    """None: as long as asked for."""
    keep_alive_s: int | None = None
    """None: as proposed."""
    max_qos: int = 2
    wildcards: bool = True
    identifiers: bool = True
    shared: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed:
    """SUBACK: a code for each filter."""

    packet_id: int
    codes: tuple[int, ...]
    reason_text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribed:
    """UNSUBACK."""

    packet_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pong:
    """PINGRESP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goodbye:
    """The broker's DISCONNECT."""

    reason: int
    reason_text: str = ""


Incoming = Welcome | Subscribed | Unsubscribed | Pong | Goodbye
