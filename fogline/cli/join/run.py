"""``fogline node join``: from a token to a machine that can be started."""

import asyncio
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from fogline.cli.exits import reported
from fogline.cli.join.places import default_folder
from fogline.cli.tier import become
from fogline.identity import joining
from fogline.identity.folder import FOLDER, write_identity
from fogline.identity.joining import Joined, Keys
from fogline.identity.keys import key_from_pem, key_to_pem, new_key
from fogline.identity.names import AGGREGATOR, check_name
from fogline.identity.token import JoinToken, hash_of, id_of, parse_token
from fogline.model.clock import MINUTE, SECOND, SystemClock
from fogline.model.errors import FogError
from fogline.service.files import write_whole
from fogline.service.folder import make_folder

_MODULES: Final = {"node": "fog_node", "aggregator": "aggregator"}
_MARK: Final = "# Written by `fogline {role} join`; yours once you change this line.\n"
_PENDING: Final = ".joining-"
_ROOM: Final = "make room, or mend its rights; then ask again with the same token"
_SKEWED_US: Final = MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What was asked for on the command line."""

    role: str
    address: str
    token: str = field(repr=False)
    name: str
    folder: Path | None
    start: bool


def join(wishes: Wishes) -> None:
    """Join, and say how to go on."""
    with reported():
        token = parse_token(wishes.token)
        if wishes.name:
            check_name(wishes.name)
        folder = (wishes.folder or default_folder(wishes.role)).absolute()
        make_folder(folder)
        now_us = SystemClock().now_us()
        # As people copy it, with the scheme of one thing or another.
        address = wishes.address.rpartition("://")[2].rstrip("/")
        keys = _keys(folder, wishes.role, token)
        joined = asyncio.run(
            joining.join(address, token, keys, role=wishes.role, name=wishes.name, now_us=now_us)
        )
        settings = _write(folder, wishes.role, joined)
        _say(folder, settings, wishes, joined)
        if wishes.start:
            become(_MODULES[wishes.role], wishes.role, ["--settings", str(settings)])


def _keys(folder: Path, role: str, token: JoinToken) -> Keys:
    """Keys that are kept until the answer has come: asking again with the same token then works.

    Another token is for other keys: those of one that was used and taken back open nothing any more.
    """
    begins = f"{_PENDING}{id_of(hash_of(token.secret))}"
    own = _pending(folder / f"{begins}-own.pem")
    return Keys(own=own, issuing=_pending(folder / f"{begins}-issuing.pem") if role == AGGREGATOR else None)


def _pending(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        if not path.exists():
            write_whole(path, key_to_pem(new_key()), private=True)
        pem = path.read_bytes()
    except OSError as error:
        raise FogError(f"the key {path} cannot be kept: {error.strerror}", hint=_ROOM) from error
    return key_from_pem(pem, where=path)


def _write(folder: Path, role: str, joined: Joined) -> Path:
    # The identity comes last: who finds it finds a machine that has joined, with all that it needs.
    try:
        settings = _write_settings(folder, role, joined)
        write_identity(folder, joined.identity)
        for path in folder.glob(f"{_PENDING}*"):
            path.unlink()
    except OSError as error:
        raise FogError(f"the identity cannot be kept in {folder}: {error.strerror}", hint=_ROOM) from error
    return settings


def _write_settings(folder: Path, role: str, joined: Joined) -> Path:
    path, mark = folder / f"{role}.toml", _MARK.format(role=role)
    if path.exists() and not path.read_text(encoding="utf-8").startswith(mark):
        sys.stderr.write(f"{path} is yours and stays; its parents should be {', '.join(joined.parents)}\n")
        return path
    settings = {
        "name": joined.identity.subject.name,
        "folder": str(folder),
        "parents": list(joined.parents),
    }
    # JSON's strings and arrays of them are TOML's, too.
    lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
    write_whole(path, (mark + lines).encode())
    return path


def _say(folder: Path, settings: Path, wishes: Wishes, joined: Joined) -> None:
    subject = joined.identity.subject
    sys.stdout.write(f"this machine is {subject} now; its identity is in {folder / FOLDER}\n")
    if abs(joined.ahead_us) > _SKEWED_US:
        ahead = joined.ahead_us // SECOND
        sys.stderr.write(
            f"this machine's clock is {abs(ahead)} s {'ahead of' if ahead > 0 else 'behind'} the parent's: "
            "set it, or readings are counted at wrong times\n"
        )
    if not wishes.start:
        sys.stdout.write(f"start it with: fogline {wishes.role} --settings {settings}\n")
