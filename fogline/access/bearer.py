"""How a token travels: as ``authorization: Bearer TOKEN``, over gRPC and over HTTP."""

from typing import Final

HEADER: Final = "authorization"
_SCHEME: Final = "bearer"


def bearer(token: str) -> str:
    """The header's value."""
    return f"Bearer {token}"


def token_in(value: str | bytes | None) -> str:
    """The token in a header's value; empty: there is none."""
    text = value.decode("latin-1") if isinstance(value, bytes) else value or ""
    scheme, _, token = text.strip().partition(" ")
    return token.strip() if scheme.lower() == _SCHEME else ""
