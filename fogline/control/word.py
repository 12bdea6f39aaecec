"""What a parent says of desired state, and whether it is to be believed. A pure core."""

from dataclasses import dataclass

from google.protobuf.message import DecodeError

from fogline.control.keys import Anchor, Disbelieved, SigningKey, follow, keys_from_wire, vouched
from fogline.v1 import control_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A desired state together with who vouches for it."""

    state: control_pb2.DesiredState
    signed: control_pb2.SignedState | None = None
    """As the cloud signed it; None: kept by a release that signed nothing."""
    keys: tuple[control_pb2.SigningKey, ...] = ()

    @property
    def generation(self) -> int:
        """Of the state."""
        return int(self.state.generation)

    def told(self) -> control_pb2.AttachResponse:
        """As children are told, and as it is kept: unchanged."""
        assert self.signed is not None
        return control_pb2.AttachResponse(signed=self.signed, keys=self.keys)

    def replaces(self, held: "Word | None") -> bool:
        """Whether it takes the place of what holds now."""
        if held is None or self.generation > held.generation:
            return True
        return self.generation == held.generation and held.signed is None and self.signed is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Believed:
    """A word that the cloud has said."""

    word: Word
    key: SigningKey
    """The newest one that is known from now on."""


def judge(
    told: control_pb2.AttachResponse,
    *,
    known: SigningKey | None,
    held: Word | None,
    anchor: Anchor | None,
) -> Believed | None:
    """What to believe of a parent's word; None: it says what holds already.

    ``known``: the newest signing key that is known; ``held``: what holds now; ``anchor``: the CA, if there is one.
    Raises :class:`Disbelieved` for what the cloud did not say, or said long ago.
    """
    key = follow(known, keys_from_wire(told.keys), anchor)
    word = _opened(told, key)
    if held is None or word.replaces(held):
        return Believed(word=word, key=key)
    if word.generation < held.generation:
        raise Disbelieved(
            "older",
            f"the parent tells desired state {word.generation}, and {held.generation} was told before",
        )
    # As messages, not as bytes: of two cloud processes each may write the same in its own way.
    if word.state != held.state:
        raise Disbelieved(
            "contested",
            f"the parent says something else of desired state {word.generation} than was said before",
            hint="was the store restored from a backup? The cloud goes beyond this generation by itself",
        )
    return None


def reopened(told: control_pb2.AttachResponse, *, anchor: Anchor | None) -> Believed:
    """What was kept, verified again. Raises :class:`Disbelieved`."""
    keys = keys_from_wire(told.keys)
    # They were followed when they came; where a key has no CA behind it the kept file is all that knows it.
    key = keys[-1] if anchor is None and keys else follow(None, keys, anchor)
    return Believed(word=_opened(told, key), key=key)


def _opened(told: control_pb2.AttachResponse, key: SigningKey) -> Word:
    signed = told.signed
    if signed.key != key.version:
        raise Disbelieved(
            "older_key" if signed.key < key.version else "unknown_key",
            f"the desired state is signed with key {signed.key}, and the newest key is {key.name}",
        )
    if not vouched(signed, key):
        raise Disbelieved(
            "tampered",
            "the desired state was changed on its way, or was not signed by the cloud",
            hint="who stands between this machine and the cloud? It goes on with what it runs",
        )
    try:
        state = control_pb2.DesiredState.FromString(signed.content)
    except DecodeError as error:
        raise Disbelieved("malformed", "the desired state cannot be read") from error
    return Word(state=state, signed=signed, keys=tuple(told.keys))
