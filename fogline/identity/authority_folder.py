"""A CA on disk: made where there is none, by the cloud at its first start or by ``fogline up`` before it."""

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography import x509

from fogline.identity.authority import Authority, make_root
from fogline.identity.certificates import key_of, parse_pem, serial_of, to_pem
from fogline.identity.folder import write_private
from fogline.identity.keys import key_from_pem, key_to_pem
from fogline.model.errors import DataLoss, FogError
from fogline.service.files import write_whole

FOLDER: Final = "ca"
"""Its name within the cloud's folder."""
KEY_FILE: Final = "ca-key.pem"
CERTIFICATE_FILE: Final = "ca.pem"
TRUSTED_FILE: Final = "trusted.pem"
"""Certificates of CAs that are trusted beside this one, if there are any."""
_ISSUED: Final = "issued"
_HINT: Final = "put back both files of the CA from a backup: machines trust this one alone"


def open_authority(folder: Path) -> Authority:
    """Read the CA in this folder, or make one if the folder has none.

    Raises :class:`DataLoss` if it is damaged, :class:`FogError` if it cannot be written.
    """
    if not (folder / CERTIFICATE_FILE).exists():
        _make(folder)
    try:
        certificates = parse_pem((folder / CERTIFICATE_FILE).read_bytes())
        key = key_from_pem((folder / KEY_FILE).read_bytes(), where=folder / KEY_FILE)
        beside = parse_pem((folder / TRUSTED_FILE).read_bytes()) if (folder / TRUSTED_FILE).exists() else []
    except (OSError, FogError) as error:
        raise DataLoss(f"the CA in {folder} cannot be read: {error}", hint=_HINT) from error
    if len(certificates) != 1 or key_of(certificates[0]) != key.public_key():
        raise DataLoss(f"{folder / KEY_FILE} is not the key of {folder / CERTIFICATE_FILE}", hint=_HINT)
    return Authority(key=key, certificate=certificates[0], root=certificates[0], beside=tuple(beside))


def _make(folder: Path) -> None:
    """Key first, certificate last: a CA is there once its certificate is."""
    made = make_root(secrets.token_hex(4))
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / KEY_FILE).unlink(missing_ok=True)
        write_private(folder / KEY_FILE, key_to_pem(made.key))
        write_whole(folder / CERTIFICATE_FILE, to_pem((made.certificate,)))
    except OSError as error:
        raise FogError(f"no CA can be made in {folder}: {error.strerror}") from error


def note_issued(folder: Path, certificates: Sequence[x509.Certificate]) -> None:
    """Leave what was issued beside the cloud, for the cloud to learn of: a machine's certificate, and the one with
    which it signs. Blocks on the disk.
    """
    place = folder / _ISSUED
    place.mkdir(exist_ok=True, mode=0o700)
    write_whole(place / f"{serial_of(certificates[0])}.pem", to_pem(certificates))


def issued(folder: Path) -> list[list[x509.Certificate]]:
    """What :func:`note_issued` has left."""
    return [parse_pem(path.read_bytes()) for path in sorted((folder / _ISSUED).glob("*.pem"))]


def forget_issued(folder: Path) -> None:
    """The cloud has learnt of them."""
    for path in (folder / _ISSUED).glob("*.pem"):
        path.unlink()
