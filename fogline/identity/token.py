"""Join tokens: what a machine is given so that it and its parent know each other. Needs no cryptography.

``fj1.TENANT.FINGERPRINT.SECRET.CHECK``: the fingerprint is that of the CA's certificate, the secret is 128 random bits,
the check tells a token that was cut or mistyped. The server keeps a hash of the secret.
"""

import binascii
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Final

from fogline.access.letters import bytes_of, check_of, letters_of
from fogline.identity.names import Subject
from fogline.model.errors import FogError

PREFIX: Final = "fj1"
SECRET_BYTES: Final = 16
_FINGERPRINT_BYTES: Final = 32
_ID_CHARACTERS: Final = 8
_SHAPE: Final = re.compile(r"[\w-]+", re.ASCII)


class TokenRefused(FogError):
    """The join token opens nothing: wrong, expired, used, revoked, or of another installation."""

    code = "token_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinToken:
    """What stands in a token's text."""

    tenant: str
    authority: bytes
    """SHA-256 of the CA's certificate."""
    secret: bytes = field(repr=False)

    def __str__(self) -> str:
        words = (PREFIX, self.tenant, letters_of(self.authority), letters_of(self.secret))
        return ".".join((*words, check_of(words)))


def new_token(tenant: str, authority: bytes) -> JoinToken:
    """A token that nobody has had yet."""
    return JoinToken(tenant=tenant, authority=authority, secret=secrets.token_bytes(SECRET_BYTES))


def parse_token(text: str) -> JoinToken:
    """Read a token. Raises :class:`TokenRefused` for a text that is none, or not the whole of one."""
    words = tuple(text.strip().split("."))
    if len(words) != 5 or words[0] != PREFIX or not all(_SHAPE.fullmatch(word) for word in words):
        raise _unreadable()
    if check_of(words[:-1]) != words[-1]:
        raise _unreadable()
    try:
        authority, secret = bytes_of(words[2]), bytes_of(words[3])
        Subject(tenant=words[1], role="node", name="any")
    except (binascii.Error, ValueError, FogError):
        raise _unreadable() from None
    if len(authority) != _FINGERPRINT_BYTES or len(secret) != SECRET_BYTES:
        raise _unreadable()
    return JoinToken(tenant=words[1], authority=authority, secret=secret)


def _unreadable() -> TokenRefused:
    return TokenRefused(
        "this is not a whole join token", hint="copy all of what `fogline token create` printed"
    )


def hash_of(secret: bytes) -> bytes:
    """What is kept of a secret. Random bits need no salt and no slow hash: there is nothing to guess."""
    return hashlib.sha256(secret).digest()


def id_of(digest: bytes) -> str:
    """Short name of a token for people, out of the hash of its secret."""
    return digest.hex()[:_ID_CHARACTERS]
