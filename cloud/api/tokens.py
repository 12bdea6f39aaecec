"""Opaque tokens that say where to go on: of this store's life, for this question, in this version, or refused."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import blake2b
from typing import Annotated, Any, Final, TypeVar

import msgspec

from cloud.store.results import Place
from fogline.model.errors import InvalidInput

VERSION: Final = 1
HASH_BYTES: Final = 8
MAX_TOKEN_CHARACTERS: Final = 4_096

Question = tuple[str | int | None, ...]
"""What was asked, apart from where to go on: a token answers no other."""
T = TypeVar("T")

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Instant = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class _Sealed(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    version: int
    life: bytes
    question: bytes
    where: msgspec.Raw


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Makes and reads the tokens of one kind of question on one life of the store."""

    incarnation: bytes
    question: Question
    expired: type[InvalidInput]

    def seal(self, where: Any) -> str:
        """A token for a place."""
        raw = msgspec.Raw(msgspec.msgpack.encode(where))
        sealed = _Sealed(VERSION, _hash(self.incarnation), _hash(_encoded(self.question)), raw)
        return urlsafe_b64encode(msgspec.msgpack.encode(sealed)).decode().rstrip("=")

    def open(self, token: str, kind: type[T]) -> T:
        """The place of a token. Raises ``expired`` for one that was not given out for this question here."""
        sealed, where = _opened(token, kind)
        if sealed is None or where is None:
            raise self.expired("the token is none of this server's", hint="leave it out to begin again")
        if sealed.life != _hash(self.incarnation):
            raise self.expired(
                "the token is of another life of the store, which was restored or made anew since",
                hint="leave it out to begin again",
            )
        if sealed.question != _hash(_encoded(self.question)):
            raise self.expired(
                "the token was given out for another question",
                hint="ask as before, or leave it out to begin again",
            )
        return where


class ResultPlace(msgspec.Struct, array_like=True, frozen=True):
    """A row's place in the order of windows."""

    start_us: _Instant
    step: str
    key: str

    @classmethod
    def of(cls, place: Place) -> "ResultPlace":
        """From the store's word for it."""
        return cls(place.start_us, place.step, place.key)

    @property
    def place(self) -> Place:
        """The store's word for it."""
        return Place(start_us=self.start_us, step=self.step, key=self.key)


class ChangePlace(msgspec.Struct, array_like=True, frozen=True):
    """The change that a follower has seen."""

    change: _Count


class NamePlace(msgspec.Struct, array_like=True, frozen=True):
    """The name that a list has come to."""

    name: tuple[str, ...]


def _opened(token: str, kind: type[T]) -> tuple[_Sealed, T] | tuple[None, None]:
    if len(token) > MAX_TOKEN_CHARACTERS:
        return None, None
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        sealed = msgspec.msgpack.decode(raw, type=_Sealed)
        where = msgspec.msgpack.decode(sealed.where, type=kind)
    except (ValueError, msgspec.MsgspecError):
        return None, None
    return (sealed, where) if sealed.version == VERSION else (None, None)


def _encoded(question: Question) -> bytes:
    return msgspec.msgpack.encode(question)


def _hash(content: bytes) -> bytes:
    return blake2b(content, digest_size=HASH_BYTES).digest()
