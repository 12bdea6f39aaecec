"""API tokens: what people and programs show so that the cloud knows them. Needs no cryptography.

``fat1.ID.FINGERPRINT.SECRET.CHECK``: the id is no secret and names the token in lists, the fingerprint is that of the
CA, by which a client knows the cloud that it may show the rest to; the secret is 256 random bits, and the check tells a
token that was cut or mistyped. The cloud keeps a hash of the secret.
"""

import base64
import binascii
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Final

from fogline.access.letters import bytes_of, check_of, letters_of
from fogline.model.errors import InvalidInput

PREFIX: Final = "fat1"
SECRET_BYTES: Final = 32
FINGERPRINT_BYTES: Final = 16
"""Of the SHA-256 of the CA's certificate: enough that nobody finds another one with the same."""
MAX_CHARACTERS: Final = 128
NO_CA: Final = "none"
_ID_BYTES: Final = 5
_ID: Final = re.compile(r"[a-z2-7]{8}", re.ASCII)
_LETTERS: Final = re.compile(r"[\w-]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """What stands in a token's text."""

    id: str
    fingerprint: bytes
    """Of the CA; empty: the cloud has none, and speaks plain text."""
    secret: bytes = field(repr=False)

    def __str__(self) -> str:
        fingerprint = letters_of(self.fingerprint) if self.fingerprint else NO_CA
        words = (PREFIX, self.id, fingerprint, letters_of(self.secret))
        return ".".join((*words, check_of(words)))

    @property
    def hash(self) -> bytes:
        """What is kept of the secret. Random bits need no salt and no slow hash: there is nothing to guess."""
        return hashlib.sha256(self.secret).digest()


def new_api_token(authority: bytes = b"") -> ApiToken:
    """A token that nobody has had yet; ``authority``: SHA-256 of the CA's certificate, empty without one."""
    name = base64.b32encode(secrets.token_bytes(_ID_BYTES)).decode().lower()
    return ApiToken(
        id=name, fingerprint=authority[:FINGERPRINT_BYTES], secret=secrets.token_bytes(SECRET_BYTES)
    )


def parse_api_token(text: str) -> ApiToken:
    """Read a token. Raises :class:`InvalidInput` for a text that is none, or not the whole of one."""
    words = tuple(text.strip().split(".")) if len(text) <= MAX_CHARACTERS else ()
    if len(words) != 5 or words[0] != PREFIX or _ID.fullmatch(words[1]) is None:
        raise _unreadable()
    if not all(_LETTERS.fullmatch(word) for word in words) or check_of(words[:-1]) != words[-1]:
        raise _unreadable()
    try:
        fingerprint = b"" if words[2] == NO_CA else bytes_of(words[2])
        secret = bytes_of(words[3])
    except (binascii.Error, ValueError):
        raise _unreadable() from None
    if len(secret) != SECRET_BYTES or len(fingerprint) not in (0, FINGERPRINT_BYTES):
        raise _unreadable()
    return ApiToken(id=words[1], fingerprint=fingerprint, secret=secret)


def _unreadable() -> InvalidInput:
    return InvalidInput(
        "this is not a whole API token", hint="copy all of what `fogline api-token create` printed"
    )
