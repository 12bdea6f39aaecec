"""What people ask of the cloud about who belongs to the installation."""

import json
import sys
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from fogline.cli import tables
from fogline.cli.server import Server, asking
from fogline.model.clock import SECOND, SystemClock, to_rfc3339
from fogline.v1 import enrol_pb2

_SERVICE: Final = "AdmissionService"


def create(
    server: str | None, directory: Path | None, *, role: str, name: str, seconds: float, as_json: bool
) -> None:
    """Print a new token."""
    request = enrol_pb2.CreateTokenRequest(role=role, name=name, expires_us=int(seconds * SECOND))
    with asking(Server(server, directory).place, _SERVICE) as ask:
        made = ask("CreateToken", request, enrol_pb2.CreateTokenResponse, repeatable=False)
    if as_json:
        sys.stdout.write(json.dumps({"token": made.token, **_shape(made.about)}) + "\n")
        return
    sys.stderr.write(
        f"for {role} {name}, once, until {to_rfc3339(made.about.expires_us)}; on that machine:\n"
        f"  fogline {role} join HOST:PORT --token ...\n"
    )
    sys.stdout.write(f"{made.token}\n")


def show(server: str | None, directory: Path | None, *, as_json: bool) -> None:
    """Print what became of the tokens."""
    with asking(Server(server, directory).place, _SERVICE) as ask:
        answer = ask("ListTokens", enrol_pb2.ListTokensRequest(), enrol_pb2.ListTokensResponse)
    if as_json:
        sys.stdout.writelines(json.dumps(_shape(token)) + "\n" for token in answer.tokens)
        return
    table = Table(box=None)
    for heading in ("id", "for", "created", "expires", "state"):
        table.add_column(heading)
    now_us = SystemClock().now_us()
    for token in answer.tokens:
        created, expires = to_rfc3339(token.created_us), to_rfc3339(token.expires_us)
        table.add_row(token.id, f"{token.role} {token.name}", created, expires, state_of(token, now_us))
    tables.make_console().print(table)


def revoke(server: str | None, directory: Path | None, token: str) -> None:
    """Close a token."""
    request = enrol_pb2.RevokeTokenRequest(id=token)
    with asking(Server(server, directory).place, _SERVICE) as ask:
        about = ask("RevokeToken", request, enrol_pb2.RevokeTokenResponse).about
    used = f"; {about.role} {about.name}, who joined with it, goes on" if about.used_us else ""
    sys.stdout.write(f"token {about.id} is closed{used}\n")


def revoke_machine(server: str | None, directory: Path | None, *, role: str, name: str) -> None:
    """Take an identity back."""
    request = enrol_pb2.RevokeIdentityRequest(role=role, name=name)
    with asking(Server(server, directory).place, _SERVICE) as ask:
        keys = ask("RevokeIdentity", request, enrol_pb2.RevokeIdentityResponse, repeatable=False).keys
    sys.stdout.write(f"{role} {name} has no identity any more ({len(keys)} key{'s' * (len(keys) != 1)})\n")


def state_of(token: enrol_pb2.JoinToken, now_us: int) -> str:
    """Say what became of a token."""
    if token.revoked_us:
        return f"revoked {to_rfc3339(token.revoked_us)}"
    if token.used_us:
        return f"used {to_rfc3339(token.used_us)} at {token.used_at}"
    return "expired" if now_us >= token.expires_us else "open"


def _shape(token: enrol_pb2.JoinToken) -> dict[str, Any]:
    return {
        "id": token.id,
        "role": token.role,
        "name": token.name,
        "created": to_rfc3339(token.created_us),
        "expires": to_rfc3339(token.expires_us),
        "used": to_rfc3339(token.used_us) if token.used_us else None,
        "used_at": token.used_at or None,
        "revoked": to_rfc3339(token.revoked_us) if token.revoked_us else None,
    }
