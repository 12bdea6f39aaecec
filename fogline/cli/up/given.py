"""What an ``up`` is given from outside, with passwords: a broker to read from, a database to commit into.

A command line can be read by everybody on the machine, so a URL with a password leaves it as soon as it is seen: the
program starts itself again with the URL in its environment, which only the same user can read.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from fogline.model.errors import InvalidInput

BROKER_VARIABLE: Final = "FOGLINE_UP_BROKER"
STORE_VARIABLE: Final = "FOGLINE_CLOUD_STORE"
"""Where the cloud finds its store's URL."""
_VARIABLES: Final = {"--broker": BROKER_VARIABLE, "--store": STORE_VARIABLE}
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


def without_secrets(arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The command line without URLs that have passwords, and the environment that has them instead."""
    left: list[str] = []
    secrets: dict[str, str] = {}
    rest = iter(arguments)
    for argument in rest:
        flag, equals, value = argument.partition("=")
        if flag not in _VARIABLES:
            left.append(argument)
            continue
        value = value if equals else next(rest, "")
        if _has_password(value):
            secrets[_VARIABLES[flag]] = value
        else:
            left += [argument] if equals else [flag, value]
    return left, secrets


def hide_secrets() -> None:
    """Start again without passwords on the command line, if there are any.

    Else forget what came by the environment: the tiers shall not inherit it.
    """
    left, secrets = without_secrets(sys.orig_argv)
    if secrets:
        os.execve(sys.executable, [sys.executable, *left[1:]], {**os.environ, **secrets})  # noqa: S606 - ourselves
    for variable in _VARIABLES.values():
        os.environ.pop(variable, None)


def _has_password(url: str) -> bool:
    try:
        return bool(urlsplit(url).password)
    except ValueError:
        return False
