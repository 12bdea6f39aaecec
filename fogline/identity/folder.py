"""An identity on disk: a folder that is replaced whole, so that a power cut leaves the old one or the new one.

``identity`` is a symbolic link to a folder beside it; a new identity is written into a new folder, then the link moves.
"""

import contextlib
import json
import os
import secrets
import shutil
from pathlib import Path
from typing import Any, Final

from fogline.identity.identity import Identity, Issuing
from fogline.identity.names import Subject
from fogline.model.errors import DataLoss, FogError

FOLDER: Final = "identity"
"""Its name within a tier's folder."""
KEY_FILE: Final = "key.pem"
CERTIFICATE_FILE: Final = "certificate.pem"
AUTHORITY_FILE: Final = "ca.pem"
ISSUING_KEY_FILE: Final = "issuing-key.pem"
ISSUING_FILE: Final = "issuing.pem"
ABOUT_FILE: Final = "identity.json"
_VERSION: Final = 1


class NotEnrolled(FogError):
    """The machine has no identity."""

    code = "not_enrolled"


def read_identity(folder: Path, *, role: str) -> Identity:
    """Read the identity in a tier's folder.

    Raises :class:`NotEnrolled` if there is none, :class:`DataLoss` if it cannot be read.
    """
    place = folder / FOLDER
    try:
        about = json.loads((place / ABOUT_FILE).read_bytes())
    except FileNotFoundError:
        raise NotEnrolled(
            f"there is no identity in {place}",
            hint=f"`fogline {role} join HOST:PORT --token TOKEN --folder {folder}` gets one",
        ) from None
    except (OSError, ValueError) as error:
        raise _unreadable(place, error) from error
    try:
        identity = _read(place, about)
    except (OSError, KeyError, TypeError, ValueError, FogError) as error:
        raise _unreadable(place, error) from error
    if identity.subject.role != role:
        raise NotEnrolled(
            f"{place} is the identity of the {identity.subject}, not of a {role}", hint="name another folder"
        )
    return identity


def _unreadable(place: Path, error: Exception) -> DataLoss:
    return DataLoss(f"the identity in {place} cannot be read: {error}", hint="join again with a new token")


def _read(place: Path, about: dict[str, Any]) -> Identity:
    if about["version"] != _VERSION:
        raise ValueError(f"version {about['version']} is of another release")
    issuing = None
    if (place / ISSUING_KEY_FILE).exists():
        issuing = Issuing(
            key_pem=(place / ISSUING_KEY_FILE).read_bytes(), chain_pem=(place / ISSUING_FILE).read_bytes()
        )
    return Identity(
        subject=Subject(tenant=about["tenant"], role=about["role"], name=about["name"]),
        serial=about["serial"],
        key=about["key"],
        until_us=int(about["until_us"]),
        issued_us=int(about["issued_us"]),
        key_pem=(place / KEY_FILE).read_bytes(),
        chain_pem=(place / CERTIFICATE_FILE).read_bytes(),
        authority_pem=(place / AUTHORITY_FILE).read_bytes(),
        enrol=tuple(about["enrol"]),
        issuing=issuing,
    )


def write_identity(folder: Path, identity: Identity) -> None:
    """Replace the identity in a tier's folder. Blocks on the disk; raises :class:`OSError`."""
    fresh = folder / f".{FOLDER}-{secrets.token_hex(4)}"
    fresh.mkdir(mode=0o700, parents=True)
    try:
        _fill(fresh, identity)
        _point_to(folder / FOLDER, fresh)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    for older in folder.glob(f".{FOLDER}-*"):
        if older.name != fresh.name:
            _remove(older)


def _fill(place: Path, identity: Identity) -> None:
    about = {
        "version": _VERSION,
        "tenant": identity.subject.tenant,
        "role": identity.subject.role,
        "name": identity.subject.name,
        "serial": identity.serial,
        "key": identity.key,
        "issued_us": identity.issued_us,
        "until_us": identity.until_us,
        "enrol": identity.enrol,
    }
    write_private(place / KEY_FILE, identity.key_pem)
    _write(place / CERTIFICATE_FILE, identity.chain_pem, mode=0o644)
    _write(place / AUTHORITY_FILE, identity.authority_pem, mode=0o644)
    _write(place / ABOUT_FILE, json.dumps(about, indent=1).encode(), mode=0o644)
    if identity.issuing is not None:
        write_private(place / ISSUING_KEY_FILE, identity.issuing.key_pem)
        _write(place / ISSUING_FILE, identity.issuing.chain_pem, mode=0o644)
    _sync(place)


def _point_to(link: Path, target: Path) -> None:
    fresh = target.with_name(f"{target.name}.link")
    fresh.symlink_to(target.name, target_is_directory=True)
    try:
        fresh.replace(link)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    _sync(link.parent)


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read; it is never open to others, not for a moment."""
    _write(path, content, mode=0o600)


def _write(path: Path, content: bytes, *, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        if path.is_symlink():
            path.unlink()
        else:
            shutil.rmtree(path, ignore_errors=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
