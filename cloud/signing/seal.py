"""Private keys in the store can be read with the CA's key only: a backup of the store alone signs nothing."""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fogline.model.errors import DataLoss

_OPEN: Final = b"\x00"
_SEALED: Final = b"\x01"
_NONCE_BYTES: Final = 12
_ABOUT: Final = b"fogline signing keys in the store"


class Seal:
    """Seals by a secret; without one it leaves things open, for installations without a CA."""

    def __init__(self, secret: bytes | None = None) -> None:
        self._cipher: Final = None if secret is None else AESGCM(_derived(secret))

    @property
    def closes(self) -> bool:
        """Whether what it sealed is secret."""
        return self._cipher is not None

    def seal(self, content: bytes, version: int) -> bytes:
        """Close the private half of the key of this version."""
        if self._cipher is None:
            return _OPEN + content
        nonce = os.urandom(_NONCE_BYTES)
        return _SEALED + nonce + self._cipher.encrypt(nonce, content, _about(version))

    def open(self, sealed: bytes, version: int) -> bytes:
        """What was sealed. Raises :class:`DataLoss` if it was sealed by another secret."""
        kind, rest = sealed[:1], sealed[1:]
        if kind == _OPEN:
            return rest
        if kind != _SEALED or self._cipher is None:
            raise DataLoss(
                f"signing key {version} was sealed with the CA's key, and there is none",
                hint="start without `plaintext`, and with the CA of this installation",
            )
        try:
            return self._cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], _about(version))
        except InvalidTag as error:
            raise DataLoss(
                f"signing key {version} was sealed with another CA's key",
                hint="put back the CA of this installation",
            ) from error


def is_open(sealed: bytes) -> bool:
    """Whether anybody can read it."""
    return sealed[:1] == _OPEN


def _derived(secret: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=_ABOUT).derive(secret)


def _about(version: int) -> bytes:
    return _ABOUT + version.to_bytes(4, "little")
