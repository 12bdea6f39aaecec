"""Where a broker is and who the node is to it, from the settings: checked before anything is dialled."""

import hashlib
import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from fog_node.ingest.broker.settings import BrokerSettings
from fogline.model.errors import InvalidInput

PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
MOST_UNACKNOWLEDGED: Final = 50_000
"""With more, not everything under way could be remembered without mistaking packet ids that come round."""
LONGEST_TEXT: Final = 65_535
LONGEST_KEEP_ALIVE: Final = 65_535
FOR_EVER: Final = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A broker as the node dials it."""

    host: str
    port: int
    tls: bool
    identity: str
    """What two nodes that read from the same broker agree in."""
    user: str | None
    password: bytes | None = field(repr=False)

    @property
    def url(self) -> str:
        """Without user and password: what may be logged and reported."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"


def address_of(settings: BrokerSettings) -> Address:
    """The broker that the settings mean. Raises :class:`InvalidInput`; reads the password's file."""
    try:
        parts = urlsplit(settings.url)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        raise _wrong_url("it cannot be read") from None
    if parts.scheme not in PORTS:
        raise _wrong_url(f"its scheme is {parts.scheme!r}")
    if not parts.hostname:
        raise _wrong_url("it names no host")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise _wrong_url("something stands behind the port")
    user = unquote(parts.username) if parts.username is not None else settings.user or None
    password = _password(settings, None if parts.password is None else unquote(parts.password))
    if password is not None and user is None:
        raise InvalidInput("a password for the broker without a user", hint="set broker.user too")
    return Address(
        host=parts.hostname,
        port=port,
        tls=parts.scheme == "mqtts",
        identity=_identity(parts.hostname, port),
        user=user,
        password=password,
    )


def sender(client_id: str, address: Address) -> str:
    """What the journal calls the sender of everything that comes from this broker."""
    return f"{client_id}@{address.host}:{address.port}"


def check(settings: BrokerSettings, address: Address) -> None:
    """Refuse settings that MQTT has no words for, or that contradict each other, with :class:`InvalidInput`."""
    if not 1 <= settings.receive_max <= MOST_UNACKNOWLEDGED:
        raise InvalidInput(
            f"broker.receive_max is {settings.receive_max}", hint=f"1 to {MOST_UNACKNOWLEDGED} are possible"
        )
    if not 1 <= settings.keep_alive <= LONGEST_KEEP_ALIVE:
        raise InvalidInput(
            f"broker.keep_alive is {settings.keep_alive:g} s",
            hint=f"1 s to {LONGEST_KEEP_ALIVE} s are possible",
        )
    if any(sign in settings.share for sign in "/+#\0"):
        raise InvalidInput(f"broker.share is {settings.share!r}", hint="a group's name has no /, + and #")
    if settings.key is not None and settings.certificate is None:
        raise InvalidInput("broker.key is set, and broker.certificate is not", hint="set both or none")
    if not address.tls and (settings.ca is not None or settings.certificate is not None):
        raise InvalidInput(f"{address.url} does not speak TLS", hint="write mqtts:// to use the certificates")
    if len(settings.client_id.encode()) > LONGEST_TEXT or "\0" in settings.client_id:
        raise InvalidInput("broker.client_id is no text of MQTT", hint="it is some text without U+0000")


def _password(settings: BrokerSettings, in_url: str | None) -> bytes | None:
    given = [text for text in (in_url, settings.password or None) if text is not None]
    if settings.password_file is not None:
        given.append(_read(settings.password_file))
    if len(given) > 1:
        raise InvalidInput(
            "the broker's password is set more than once", hint="keep one: broker.password_file is the safest"
        )
    return given[0].encode() if given else None


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as fault:
        raise InvalidInput(f"the broker's password cannot be read from {file}: {fault}") from fault


def _wrong_url(why: str) -> InvalidInput:
    # The URL itself may hold a password, so it is not repeated.
    return InvalidInput(
        f"broker.url is no broker's: {why}", hint="write mqtt://host:1883 or mqtts://host:8883"
    )


def _identity(host: str, port: int) -> str:
    """Each machine, and each network namespace, has a loopback of its own: there the name alone says nothing."""
    name = host.lower().rstrip(".")
    return f"{name}:{port}" if not _is_loopback(name) else f"loopback:{port} of {_this_loopback()}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _this_loopback() -> str:
    """What tells this machine's loopback from all others, as a short digest."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_bytes()
    space = Path("/proc/self/ns/net").readlink()
    return hashlib.sha256(boot + str(space).encode()).hexdigest()[:16]
