"""What ``fogline signing-key`` does."""

import json
import sys
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from fogline.cli import tables
from fogline.cli.server import Server, asking
from fogline.model.clock import to_rfc3339
from fogline.v1 import signing_pb2

_SERVICE: Final = "SigningService"


def rotate(server: str | None, directory: Path | None, *, as_json: bool) -> None:
    """Sign with a new key from now on."""
    request = signing_pb2.RotateSigningKeyRequest()
    with asking(Server(server, directory).place, _SERVICE) as ask:
        key = ask("RotateSigningKey", request, signing_pb2.RotateSigningKeyResponse, repeatable=False).key
    if as_json:
        sys.stdout.write(json.dumps(_shape(key)) + "\n")
    else:
        sys.stdout.write(f"desired state is signed with key {key.version} ({_short(key)}) from now on\n")


def show(server: str | None, directory: Path | None, *, as_json: bool) -> None:
    """Print the keys."""
    request = signing_pb2.ListSigningKeysRequest()
    with asking(Server(server, directory).place, _SERVICE) as ask:
        keys = ask("ListSigningKeys", request, signing_pb2.ListSigningKeysResponse).keys
    if as_json:
        sys.stdout.writelines(json.dumps(_shape(key)) + "\n" for key in keys)
        return
    table = Table(box=None)
    for heading in ("version", "key", "made", "vouched for by"):
        table.add_column(heading)
    for key in keys:
        table.add_row(str(key.version), _short(key), to_rfc3339(key.made_us), key.vouched_by)
    tables.make_console().print(table)


def _short(key: signing_pb2.SigningKeyInfo) -> str:
    return key.public_key[:6].hex()


def _shape(key: signing_pb2.SigningKeyInfo) -> dict[str, Any]:
    return {
        "version": key.version,
        "public_key": key.public_key.hex(),
        "made": to_rfc3339(key.made_us),
        "vouched_by": key.vouched_by,
    }
