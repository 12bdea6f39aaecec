"""The URL of an MQTT broker, taken apart."""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from fogline.model.errors import InvalidInput

_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """A broker that the nodes read from."""

    url: str
    """Without user and password."""
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def with_password(self) -> str:
        """The URL as a client takes it."""
        if not self.user:
            return self.url
        scheme, _, place = self.url.partition("://")
        return f"{scheme}://{quote(self.user, safe='')}:{quote(self.password, safe='')}@{place}"


def read_broker(url: str) -> Broker:
    """Take a broker's URL apart. Raises :class:`InvalidInput`, without the password in its words."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        parts, port = urlsplit(""), 0
    if not port or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise InvalidInput(
            "--broker names no MQTT broker", hint="write mqtt://HOST:1883, or mqtts://HOST:8883 for TLS"
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Broker(
        url=f"{parts.scheme}://{host}:{port}",
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )
