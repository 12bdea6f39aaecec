"""What ``fogline login``, ``whoami`` and ``api-token`` do."""

import getpass
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from fogline.cli import tables
from fogline.cli.exits import reported
from fogline.cli.server import Server, asking, read_token, shown
from fogline.client import logins
from fogline.client.find import TOKEN_VARIABLE, find_cloud
from fogline.client.trust import resolved
from fogline.model.clock import SECOND, SystemClock, to_rfc3339
from fogline.model.errors import InvalidInput, NotFound
from fogline.v1 import access_pb2

_SERVICE: Final = "AccessService"


def login(server: str, *, token_file: Path | None, ca: Path | None) -> None:
    """Keep a token after the cloud has taken it."""
    with reported():
        if not (token := _given_token(token_file)):
            raise InvalidInput("no token was given", hint="--token-file FILE, FOGLINE_TOKEN, or type it")
        place = resolved(find_cloud(server, token=token, ca=ca or shown().ca))
        with asking(lambda: place, _SERVICE) as ask:
            about = ask("GetCaller", access_pb2.GetCallerRequest(), access_pb2.GetCallerResponse).about
        known = {"token": str(place.token)} | ({"ca": place.ca.decode()} if place.ca else {})
        path = logins.remember(place.address, known, as_last=True)
    sys.stdout.write(f"{place.address} knows you as {_who(about)}\n")
    sys.stderr.write(f"kept in {path}, which only you can read; `fogline logout` forgets it\n")


def logout(server: str) -> None:
    """Forget a cloud."""
    with reported():
        address = server or logins.last()
        if not address or not logins.forget(address):
            raise NotFound(
                f"nothing is kept of {address or 'any cloud'}", hint="`fogline login HOST:PORT` logs in"
            )
    sys.stdout.write(f"{address} is forgotten\n")


def whoami(server: Server, *, as_json: bool) -> None:
    """Print as whom the cloud knows the caller."""
    with asking(server.place, _SERVICE) as ask:
        about = ask("GetCaller", access_pb2.GetCallerRequest(), access_pb2.GetCallerResponse).about
    told = {"id": about.id, "name": about.name, "tenant": about.tenant, "rights": list(about.rights)}
    sys.stdout.write(json.dumps(told) + "\n" if as_json else f"{_who(about)}\n")


def create(
    server: Server, *, name: str, rights: Sequence[str], tenant: str, seconds: float, as_json: bool
) -> None:
    """Print a new token."""
    request = access_pb2.CreateApiTokenRequest(
        name=name, rights=rights, tenant=tenant, expires_us=int(seconds * SECOND)
    )
    with asking(server.place, _SERVICE) as ask:
        made = ask("CreateApiToken", request, access_pb2.CreateApiTokenResponse, repeatable=False)
    if as_json:
        sys.stdout.write(json.dumps({"token": made.token, **_shape(made.about)}) + "\n")
        return
    until = f"until {to_rfc3339(made.about.expires_us)}" if made.about.expires_us else "until it is revoked"
    sys.stderr.write(f"{_who(made.about)}, {until}; keep it as a password:\n")
    sys.stdout.write(f"{made.token}\n")


def show(server: Server, *, tenant: str, as_json: bool) -> None:
    """Print the tokens."""
    with asking(server.place, _SERVICE) as ask:
        request = access_pb2.ListApiTokensRequest(tenant=tenant)
        answer = ask("ListApiTokens", request, access_pb2.ListApiTokensResponse)
    if as_json:
        sys.stdout.writelines(json.dumps(_shape(token)) + "\n" for token in answer.tokens)
        return
    table = Table(box=None)
    for heading in ("id", "name", "rights", "created", "by", "last used", "state"):
        table.add_column(heading)
    now_us = SystemClock().now_us()
    for token in answer.tokens:
        used = to_rfc3339(token.used_us) if token.used_us else "never"
        table.add_row(
            token.id,
            token.name,
            " ".join(token.rights),
            to_rfc3339(token.created_us),
            token.created_by or "the cloud",
            used,
            state_of(token, now_us),
        )
    tables.make_console().print(table)


def revoke(server: Server, token: str, *, as_json: bool) -> None:
    """Close a token."""
    request = access_pb2.RevokeApiTokenRequest(id=token)
    with asking(server.place, _SERVICE) as ask:
        about = ask("RevokeApiToken", request, access_pb2.RevokeApiTokenResponse).about
    told = json.dumps(_shape(about)) if as_json else f"API token {about.id} ({about.name}) is closed"
    sys.stdout.write(f"{told}\n")


def state_of(token: access_pb2.ApiToken, now_us: int) -> str:
    """Say what became of a token."""
    if token.revoked_us:
        return f"revoked {to_rfc3339(token.revoked_us)}"
    if not token.expires_us:
        return "holds"
    return f"{'ended' if now_us >= token.expires_us else 'holds until'} {to_rfc3339(token.expires_us)}"


def _given_token(path: Path | None) -> str:
    if path is not None:
        return read_token(path)
    if told := shown().token or os.environ.get(TOKEN_VARIABLE):
        return told
    return getpass.getpass("API token: ") if sys.stdin.isatty() else sys.stdin.readline().strip()


def _who(about: access_pb2.ApiToken) -> str:
    name = f"{about.name} ({about.id})" if about.id else "anybody"
    return f"{name} of tenant {about.tenant}, who may {', '.join(about.rights)}"


def _shape(token: access_pb2.ApiToken) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "tenant": token.tenant,
        "rights": list(token.rights),
        "created": to_rfc3339(token.created_us),
        "created_by": token.created_by or None,
        "expires": _instant(token.expires_us),
        "used": _instant(token.used_us),
        "revoked": _instant(token.revoked_us),
    }


def _instant(at_us: int) -> str | None:
    return to_rfc3339(at_us) if at_us else None
