"""A link that signs a browser in at the dashboard, once."""

import json
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from fogline.access.bearer import HEADER, bearer
from fogline.cli.exits import reported
from fogline.cli.server import Server
from fogline.client.errors import Unreachable
from fogline.client.find import ENDPOINTS_FILE, default_directory
from fogline.model.errors import FogError, InvalidInput, TokenMissing
from fogline.service.listen import is_loopback

_WITHIN_S: Final = 15.0


def show(server: str | None, directory: Path | None, dashboard: str, *, as_json: bool) -> None:
    """Print a link."""
    with reported():
        place = Server(server, directory).place()
        if place.token is None:
            raise TokenMissing(f"no API token is known for {place.address}")
        made = one_time_link(dashboard or _of_folder(directory), str(place.token))
    if as_json:
        sys.stdout.write(json.dumps({"link": made}) + "\n")
        return
    sys.stderr.write("opens once, within five minutes:\n")
    sys.stdout.write(f"{made}\n")


def one_time_link(dashboard: str, token: str) -> str:
    """A link for whoever has this token. Raises :class:`FogError` as the dashboard says, or :class:`Unreachable`.

    ``dashboard``: its URL; a token is sent unencrypted to this machine alone.
    """
    base, parsed = dashboard.rstrip("/"), urlsplit(dashboard)
    if parsed.scheme not in {"http", "https"} or not parsed.hostname:
        raise InvalidInput(
            f"{dashboard!r} is no URL of a dashboard", hint="for example http://127.0.0.1:8080"
        )
    host = f"[{parsed.hostname}]" if ":" in parsed.hostname else parsed.hostname
    if parsed.scheme == "http" and not is_loopback(f"{host}:{parsed.port or 80}"):
        raise InvalidInput(
            f"{dashboard} is another machine's and unencrypted: no token is sent there",
            hint="sign in there with a token, or put a proxy before it that speaks TLS",
        )
    headers = {"Content-Type": "application/json", HEADER: bearer(token)}
    request = urllib.request.Request(f"{base}/sign-in/link", data=b"{}", headers=headers)  # noqa: S310 - checked above
    try:
        with _direct().open(request, timeout=_WITHIN_S) as answer:
            return f"{base}{json.load(answer)['path']}"
    except urllib.error.HTTPError as error:
        raise _told(error, dashboard) from None
    except (OSError, ValueError, KeyError) as error:
        raise Unreachable(
            f"no dashboard answers at {dashboard}: {getattr(error, 'reason', error)}",
            hint="`fogline dashboard` starts one, `--dashboard URL` says where it is",
        ) from None


def _told(error: urllib.error.HTTPError, dashboard: str) -> FogError:
    with error:
        try:
            told = json.load(error)
            return FogError(str(told["message"]), hint=str(told["hint"]), code=str(told["code"]))
        except (ValueError, KeyError, TypeError, OSError):
            return FogError(f"{dashboard} answers with status {error.code}", hint="is this the dashboard?")


def _of_folder(directory: Path | None) -> str:
    path = (directory or default_directory()) / ENDPOINTS_FILE
    try:
        return str(json.loads(path.read_bytes())["dashboard"])
    except (OSError, ValueError, KeyError, TypeError):
        raise InvalidInput(
            "where the dashboard is, is not known", hint="--dashboard URL, for example http://127.0.0.1:8080"
        ) from None


def _direct() -> urllib.request.OpenerDirector:
    # A proxy in the environment is meant for browsers, and would read the token.
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))
