"""Where the cloud is and how one shows oneself to it: as told, of the folder of an ``up``, or of an earlier login."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from fogline.access.token import ApiToken, parse_api_token
from fogline.client import logins
from fogline.model.errors import InvalidInput, NotFound

ENDPOINTS_FILE: Final = "up.json"
"""File in the folder of an ``up`` that says which ports and processes are its own now."""

SERVER_VARIABLE: Final = "FOGLINE_SERVER"
TOKEN_VARIABLE: Final = "FOGLINE_TOKEN"  # noqa: S105 - the name of a variable
TOKEN_FILE_VARIABLE: Final = "FOGLINE_TOKEN_FILE"  # noqa: S105 - the same
CA_VARIABLE: Final = "FOGLINE_CA"
_PLAIN: Final = "grpc://"
_ENCRYPTED: Final = ("grpcs://", "https://")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A cloud, and what one knows of it."""

    address: str
    """Host and port of its gRPC API."""
    token: ApiToken | None = field(default=None, repr=False)
    ca: bytes = field(default=b"", repr=False)
    """Certificates (PEM) that the cloud's must come from; empty: by the token's fingerprint, or the system's."""
    encrypted: bool | None = None
    """Whether TLS is spoken, if the address says so."""


def default_directory() -> Path:
    """Name the folder that ``fogline up`` uses when none is given: in the user's data folder (XDG)."""
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".local" / "share") / "fogline"


def find_cloud(
    server: str | None = None,
    directory: Path | None = None,
    *,
    token: str | None = None,
    ca: str | Path | None = None,
) -> Place:
    """Find the cloud: named, of the folder, in ``FOGLINE_SERVER``, of the default folder, or of the last login.

    Token and CA: as told, of a folder that was named, in ``FOGLINE_TOKEN`` (or a file, ``FOGLINE_TOKEN_FILE``) and
    ``FOGLINE_CA``, of the default folder, or what is known of the address.

    Raises :class:`InvalidInput` for an address without a port, or a token or CA that
    cannot be read, :class:`NotFound` where no ``up`` runs in the folder.
    """
    if server is None and directory is None:
        server = os.environ.get(SERVER_VARIABLE) or None
    known: dict[str, Any] = {}
    if server is None:
        server, known = _of_folder(directory)
    encrypted = False if server.startswith(_PLAIN) else (True if server.startswith(_ENCRYPTED) else None)
    address = _checked(server)
    if directory is None:
        known = _over(known, _of_environment())
    known = _over(logins.known(address), known)
    return Place(
        address=address,
        token=parse_api_token(token) if token else _token(known),
        ca=_read(Path(ca), "ca") if ca else _ca(known),
        encrypted=encrypted,
    )


def _of_folder(directory: Path | None) -> tuple[str, dict[str, Any]]:
    """The server of an ``up``; of the last login, if nobody named a folder and none runs in the default one."""
    try:
        return _of_up(directory if directory is not None else default_directory())
    except NotFound:
        if directory is not None or not (server := logins.last()):
            raise
        return server, {}


def _of_up(directory: Path) -> tuple[str, dict[str, Any]]:
    path = directory / ENDPOINTS_FILE
    hint = (
        f"start it with `fogline up --dir {directory}`, name a server with --server HOST:PORT, "
        "or `fogline login HOST:PORT`"
    )
    try:
        content = json.loads(path.read_bytes())
        server = _checked(str(content["grpc"]))
        known = {"token_file": content.get("token"), "ca_file": content.get("ca")}
    except FileNotFoundError:
        raise NotFound(f"no `fogline up` runs in {directory}", hint=hint) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}", hint=hint) from None
    return server, {name: value for name, value in known.items() if value}


def _of_environment() -> dict[str, Any]:
    named = {
        "token": os.environ.get(TOKEN_VARIABLE),
        "token_file": os.environ.get(TOKEN_FILE_VARIABLE),
        "ca_file": os.environ.get(CA_VARIABLE),
    }
    return {name: value for name, value in named.items() if value}


def _over(known: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """What is known, but for what was told otherwise: a token is one, in whichever way it is named."""
    heads = {name.removesuffix("_file") for name in told}
    return {name: value for name, value in known.items() if name.removesuffix("_file") not in heads} | told


def _token(known: dict[str, Any]) -> ApiToken | None:
    if text := known.get("token"):
        return parse_api_token(str(text))
    if path := known.get("token_file"):
        return parse_api_token(_read(Path(path), "token").decode("utf-8", "replace"))
    return None


def _ca(known: dict[str, Any]) -> bytes:
    if path := known.get("ca_file"):
        return _read(Path(path), "ca")
    return str(known.get("ca", "")).encode()


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"the {what} in {path} cannot be read: {error.strerror}") from None


def _checked(server: str) -> str:
    for scheme in (_PLAIN, *_ENCRYPTED):
        server = server.removeprefix(scheme)
    host, _, port = server.rstrip("/").rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise InvalidInput(
            f"{server!r} is not an address", hint="write HOST:PORT, for example 127.0.0.1:7070"
        )
    return f"{host}:{port}"
