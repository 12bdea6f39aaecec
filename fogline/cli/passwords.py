"""Keeps passwords out of the list of processes.

A command line can be read by everybody on the machine, so a URL with a password leaves it as soon as it is seen: the
program starts itself again with the URL in its environment, which only the same user can read.
"""

import os
import sys
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

BROKER_VARIABLE: Final = "FOGLINE_UP_BROKER"
STORE_VARIABLE: Final = "FOGLINE_CLOUD_STORE"
"""Where the cloud finds its store's URL."""
URLS_VARIABLE: Final = "FOGLINE_MQTT_URLS"
"""Whole URLs, between spaces, of those that stand without their password on the command line."""
PASSWORD_VARIABLE: Final = "FOGLINE_MQTT_PASSWORD"  # noqa: S105 - a name
"""For every MQTT URL with a user and without a password."""
_VARIABLES: Final = {"--broker": BROKER_VARIABLE, "--store": STORE_VARIABLE}
_MQTT: Final = ("mqtt://", "mqtts://")


def without_secrets(arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The command line without passwords in URLs, and the environment that has them instead."""
    left: list[str] = []
    secrets: dict[str, str] = {}
    whole: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        flag, equals, value = argument.partition("=")
        if flag not in _VARIABLES:
            url = value if flag == "--to" else argument
            if url.startswith(_MQTT) and _has_password(url):
                whole.append(url)
                left.append(argument.replace(url, without_password(url)))
            else:
                left.append(argument)
            continue
        value = value if equals else next(rest, "")
        if _has_password(value):
            secrets[_VARIABLES[flag]] = value
        else:
            left += [argument] if equals else [flag, value]
    return left, {**secrets, **({URLS_VARIABLE: " ".join(whole)} if whole else {})}


def hide_secrets() -> None:
    """Start again without passwords on the command line, if there are any.

    Else forget what came by the environment: the tiers shall not inherit it.
    """
    left, secrets = without_secrets(sys.orig_argv)
    if secrets:
        os.execve(sys.executable, [sys.executable, *left[1:]], {**os.environ, **secrets})  # noqa: S606 - ourselves
    for variable in _VARIABLES.values():
        os.environ.pop(variable, None)


def with_password(url: str) -> str:
    """The whole URL of one that :func:`hide_secrets` shortened; any other as it is."""
    whole = os.environ.get(URLS_VARIABLE, "").split(" ")
    return next((known for known in whole if without_password(known) == url), url)


def without_password(url: str) -> str:
    """The URL with its user alone."""
    scheme, _, rest = url.partition("://")
    given, at, place = rest.rpartition("@")
    return f"{scheme}://{given.partition(':')[0]}{at}{place}"


def _has_password(url: str) -> bool:
    try:
        return bool(urlsplit(url).password)
    except ValueError:
        return False
