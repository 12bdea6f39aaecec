"""Logins to registries, as `docker login` keeps them."""

import base64
import binascii
import json
from collections.abc import Mapping
from pathlib import Path

from fogline.model.errors import InvalidInput
from fogline.registry.hosts import HUB

Login = tuple[str, str]


def read_logins(path: Path) -> Mapping[str, Login]:
    """User and password by host. Raises :class:`InvalidInput`."""
    try:
        found = json.loads(path.read_text()).get("auths", {})
        return {_host(name): _login(entry["auth"]) for name, entry in found.items() if entry.get("auth")}
    except OSError as error:
        raise InvalidInput(f"the logins cannot be read: {error}", hint="setting registry_logins") from None
    except (ValueError, AttributeError, TypeError, KeyError, binascii.Error):
        hint = "it is the config.json that `docker login` writes"
        raise InvalidInput(f"{path} holds no logins", hint=hint) from None


def _host(name: str) -> str:
    host = name.partition("://")[2].partition("/")[0] if "://" in name else name.partition("/")[0]
    return HUB if host == f"index.{HUB}" else host


def _login(encoded: str) -> Login:
    user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    if not colon:
        raise ValueError("no password")
    return user, password
