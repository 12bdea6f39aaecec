"""What can be set about a broker that the node reads from."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fogline.service.units import Seconds, Size

KIB: Final = 1024
MIB: Final = 1024 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSettings:
    """Which broker to read from, and how. docs/brokers.md says what happens at each limit."""

    url: str = field(default="", repr=False)
    """Where an MQTT 5 broker is: mqtt://host:1883, or mqtts://host:8883 for TLS. Empty: no broker."""
    user: str = ""
    """User name, if it does not stand in the URL."""
    password: str = field(default="", repr=False)
    """Password, if it does not stand in the URL; better in a file."""
    password_file: Path | None = None
    """File that holds the password and nothing else."""
    ca: Path | None = None
    """PEM file with the certificates of authorities that the broker's must come from; else the system's."""
    certificate: Path | None = None
    """PEM file with the node's own certificate, for a broker that asks for one."""
    key: Path | None = None
    """PEM file with the key of the node's certificate."""
    client_id: str = ""
    """What names the node's session in the broker. Empty: fogline- and the node's name. A new one is a new session."""
    share: str = ""
    """Name of a group of nodes that share the messages between them ($share). Empty: every message comes here."""
    receive_max: int = 20_000
    """Messages that the broker may have on their way to the node unacknowledged, 1 to 50,000."""
    session_expiry: Seconds = 7 * 24 * 3600.0
    """How long the broker shall keep the session, and queue for it, while the node is away."""
    keep_alive: Seconds = 30.0
    """Longest silence; a broker that says nothing for half as long again is taken for gone."""
    connect_within: Seconds = 10.0
    """Longest wait for a connection, TLS and the broker's welcome included."""
    max_packet: Size = 1 * MIB
    """Longest packet that the broker may send; it silently leaves out longer messages."""
    retry_base: Seconds = 0.5
    """Longest wait before the first try to come back; doubles from there, with full jitter."""
    retry_cap: Seconds = 30.0
    """Where that doubling ends."""
    settled_after: Seconds = 10.0
    """A connection that lasted this long was good: after it the waits begin anew."""
    gather: Seconds = 0.07
    """Under load, how long messages may gather in the socket before they are read together."""
