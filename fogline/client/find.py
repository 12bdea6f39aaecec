"""Where the server is: an address, or the folder of a running ``fogline up``."""

import json
import os
from pathlib import Path
from typing import Final

from fogline.model.errors import InvalidInput, NotFound

ENDPOINTS_FILE: Final = "up.json"
"""File in the folder of an ``up`` that says which ports and processes are its own now."""

SERVER_VARIABLE: Final = "FOGLINE_SERVER"


def default_directory() -> Path:
    """Name the folder that ``fogline up`` uses when none is given: in the user's data folder (XDG)."""
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".local" / "share") / "fogline"


def find_server(server: str | None, directory: Path | None) -> str:
    """Find the cloud's gRPC address: named, of the folder, in ``FOGLINE_SERVER``, or of the default folder.

    Raises :class:`InvalidInput` for an address without a port, :class:`NotFound` where no ``up`` runs in the
    folder.
    """
    if server is None and directory is None:
        server = os.environ.get(SERVER_VARIABLE) or None
    if server is not None:
        return _checked(server)
    return _address_of(directory if directory is not None else default_directory())


def _checked(server: str) -> str:
    host, _, port = server.removeprefix("grpc://").rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise InvalidInput(
            f"{server!r} is not an address", hint="write HOST:PORT, for example 127.0.0.1:7070"
        )
    return f"{host}:{port}"


def _address_of(directory: Path) -> str:
    path = directory / ENDPOINTS_FILE
    hint = f"start it with `fogline up --dir {directory}`, or name a server with --server HOST:PORT"
    try:
        content = json.loads(path.read_bytes())
        return _checked(str(content["grpc"]))
    except FileNotFoundError:
        raise NotFound(f"no `fogline up` runs in {directory}", hint=hint) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}", hint=hint) from None
