"""What can be set about the listener."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerSettings:
    """Where the listener listens, and its limits. docs/listener.md says what happens at each."""

    enabled: bool = True
    """false: no port is opened, and messages come from brokers only."""
    host: str = "127.0.0.1"
    port: int = 1883
    """0 takes any free port."""
    insecure: bool = False
    """Listen without TLS where other machines can reach it. Says so in the log."""
    certificate: Path | None = None
    """PEM file; with it the port speaks TLS only."""
    key: Path | None = None
    users: Path | None = None
    """File of users and password hashes; with it nobody comes in without. Lines are made by
    ``hash_password``.
    """
    most_connections: int = 1000
    most_handshakes: int = 100
    """Connections that have not been let in yet."""
    handshake_s: float = 10.0
    """Time from the first byte of TCP to CONNECT, TLS included. Unit: seconds."""
    max_packet_bytes: int = MIB
    receive_maximum: int = 20_000
    """Unacknowledged messages that an MQTT 5 device may have; MQTT 3.1.1 knows no such limit."""
    bytes_in_hand: int = 32 * MIB
    """Bytes read and not yet on disk, over all connections; beyond it reading stops."""
    max_keep_alive_s: int = 3600
    """MQTT 5 devices are told to be heard from at least this often. Unit: seconds."""
    session_keep_s: int = 24 * 3600
    """How long a session outlives its connection at most. Unit: seconds."""
    most_sessions: int = 10_000
    remembered_messages: int = 2_000_000
    """Packet ids remembered for redeliveries over all sessions, 12 bytes each."""
    rebuild_messages: int = 4_000_000
    """Newest messages of each stream that are looked through at start to rebuild the sessions."""
    shutdown_s: float = 5.0
    """How long messages in hand may still reach the journal when the node stops. Unit: seconds."""
    gather_s: float = 0.004
    """Under load a connection that had little to say is read again after this long. Unit: seconds."""
