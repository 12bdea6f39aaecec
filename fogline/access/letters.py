"""Bytes as letters that stand in a token, and the check that tells a token which was cut or mistyped."""

import base64
import hashlib
from typing import Final

CHECK_CHARACTERS: Final = 4


def check_of(words: tuple[str, ...]) -> str:
    """The last word of a token with these."""
    return hashlib.sha256(".".join(words).encode()).hexdigest()[:CHECK_CHARACTERS]


def letters_of(content: bytes) -> str:
    """Bytes as a word of a token."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def bytes_of(letters: str) -> bytes:
    """The bytes of a word. Raises :class:`ValueError`."""
    return base64.urlsafe_b64decode(letters + "=" * (-len(letters) % 4))
