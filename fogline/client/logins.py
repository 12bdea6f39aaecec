"""Clouds that this user has logged in to: a file in the user's configuration folder that nobody else can read.

``fogline login`` writes the token itself, ``fogline up`` only where in its folder it lies.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from fogline.model.errors import FogError

FILE: Final = "connections.json"
_LAST: Final = "last"
_CLOUDS: Final = "clouds"


def path() -> Path:
    """The file, there or not."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".config") / "fogline" / FILE


def known(address: str) -> dict[str, Any]:
    """What is known of a cloud: ``token`` or ``token_file``, ``ca`` (PEM) or ``ca_file``."""
    return {str(name): value for name, value in _clouds(_read()).get(address, {}).items()}


def last() -> str:
    """The cloud of the last login; empty: there was none."""
    return str(_read().get(_LAST, ""))


def remember(address: str, about: Mapping[str, str], *, as_last: bool) -> Path:
    """Note a cloud. Raises :class:`FogError` if the file cannot be written."""
    with _changing() as content:
        content[_CLOUDS] = {**_clouds(content), address: dict(about)}
        if as_last:
            content[_LAST] = address
    return path()


def forget(address: str, about: Mapping[str, str] | None = None) -> bool:
    """Forget a cloud, or only if it is known by this; whether it was known. Raises :class:`FogError`."""
    with _changing() as content:
        clouds = _clouds(content)
        if address not in clouds or (about is not None and clouds[address] != dict(about)):
            return False
        content[_CLOUDS] = {name: value for name, value in clouds.items() if name != address}
        if content.get(_LAST) == address:
            del content[_LAST]
    return True


def _clouds(content: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    clouds = content.get(_CLOUDS)
    return {k: v for k, v in clouds.items() if isinstance(v, dict)} if isinstance(clouds, dict) else {}


def _read() -> dict[str, Any]:
    try:
        content = json.loads(path().read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise FogError(
            f"{path()} cannot be read: {error}", hint="mend it, or remove it and log in again"
        ) from None
    return content if isinstance(content, dict) else {}


@contextmanager
def _changing() -> Iterator[dict[str, Any]]:
    """What is in the file, to be changed; others wait meanwhile."""
    place = path()
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with place.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            content = _read()
            before = json.dumps(content)
            yield content
            if json.dumps(content) != before:
                _write(place, json.dumps(content, indent=1))
    except OSError as error:
        raise FogError(f"{place} cannot be written: {error.strerror}") from error


def _write(place: Path, text: str) -> None:
    fresh = place.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    fresh.replace(place)
