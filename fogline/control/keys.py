"""Keys that sign desired state: each is vouched for by the one before it, or by the installation's CA.

Whoever receives them remembers the newest that it came to know, and never goes back to an older one. A pure core.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from fogline.model.errors import NotAllowed
from fogline.v1 import control_pb2

MAX_KEYS: Final = 1000
MAX_VERSION: Final = 2**32 - 1
PUBLIC_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
MAX_SIGNATURE_BYTES: Final = 128
"""Of the CA's signature, which is DER."""

# What is signed begins with what it is: a signature is good for nothing else.
_KEY: Final = b"fogline signing key\0"
_STATE: Final = b"fogline desired state\0"

Anchor = Callable[[bytes, bytes], bool]
"""Whether the CA has signed this content: (content, signature)."""


class Disbelieved(NotAllowed):
    """What a parent said was not said by the cloud, or is out of date."""

    def __init__(self, reason: str, message: str, *, hint: str = "") -> None:
        """``reason``: one word, for counters."""
        super().__init__(message, hint=hint)
        self.reason: Final = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A public key that signs desired state."""

    version: int
    public: bytes
    signature: bytes = b""
    """By the key before or by the CA; empty: nobody vouches for it."""

    @property
    def statement(self) -> bytes:
        """What the signature is over."""
        return _KEY + self.version.to_bytes(4, "little") + self.public

    @property
    def name(self) -> str:
        """For people: version and the beginning of the key."""
        return f"{self.version} ({self.public[:6].hex()})"


def key_to_wire(key: SigningKey) -> control_pb2.SigningKey:
    """A key as a message."""
    return control_pb2.SigningKey(version=key.version, public_key=key.public, signature=key.signature)


def keys_from_wire(messages: Iterable[control_pb2.SigningKey]) -> tuple[SigningKey, ...]:
    """Keys, oldest first. Raises :class:`Disbelieved` for a list that cannot be one."""
    keys = tuple(
        SigningKey(version=message.version, public=message.public_key, signature=message.signature)
        for message in messages
    )
    versions = [key.version for key in keys]
    shapely = all(
        len(key.public) == PUBLIC_BYTES and len(key.signature) <= MAX_SIGNATURE_BYTES for key in keys
    )
    if len(keys) > MAX_KEYS or not shapely or versions != sorted(set(versions)) or 0 in versions:
        raise Disbelieved("malformed", "the list of signing keys is not one")
    return keys


def follow(known: SigningKey | None, offered: tuple[SigningKey, ...], anchor: Anchor | None) -> SigningKey:
    """The newest key to believe, from the one that is known and a list that a parent tells.

    Without a CA (``anchor`` is None) the first key that is ever told is believed. Raises :class:`Disbelieved` unless
    the list ends with a key that is vouched for, or with the one that is known.
    """
    newest = known
    for key in offered:
        if newest is not None and key.version <= newest.version:
            continue
        by_the_one_before = (
            newest is not None
            and key.version == newest.version + 1
            and verify(newest.public, key.statement, key.signature)
        )
        first_contact = newest is None and anchor is None
        if (
            by_the_one_before
            or first_contact
            or (anchor is not None and anchor(key.statement, key.signature))
        ):
            newest = key
    _check_end(newest, offered)
    assert newest is not None
    return newest


def _check_end(newest: SigningKey | None, offered: tuple[SigningKey, ...]) -> None:
    if not offered:
        raise Disbelieved("unknown_key", "the parent names no signing key")
    last = offered[-1]
    if newest is None:
        raise Disbelieved(
            "unknown_key",
            f"the CA does not vouch for signing key {last.name}",
            hint="does the parent belong to the installation that this machine has joined?",
        )
    if last.version < newest.version:
        raise Disbelieved(
            "older_key", f"the parent goes by signing key {last.name}, which {newest.name} has replaced"
        )
    if (last.version, last.public) != (newest.version, newest.public):
        raise Disbelieved(
            "unknown_key",
            f"nobody vouches for signing key {last.name}; known here is {newest.name}",
            hint="is the parent of another installation? `fogline signing-key list` shows the cloud's keys",
        )


def verify(public: bytes, content: bytes, signature: bytes) -> bool:
    """Whether the key's owner signed this content (Ed25519)."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True


def sign_state(private: Ed25519PrivateKey, version: int, content: bytes) -> control_pb2.SignedState:
    """Vouch for a serialised DesiredState."""
    return control_pb2.SignedState(content=content, key=version, signature=private.sign(_STATE + content))


def vouched(signed: control_pb2.SignedState, key: SigningKey) -> bool:
    """Whether this key has signed a state."""
    return signed.key == key.version and verify(key.public, _STATE + signed.content, signed.signature)
