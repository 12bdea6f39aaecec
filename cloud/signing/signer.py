"""Signs desired state, and makes the keys that do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud.signing.seal import Seal, is_open
from cloud.store.signing import SigningRow
from fogline.control.keys import Anchor, SigningKey, key_to_wire, sign_state
from fogline.control.word import Word
from fogline.model.errors import DataLoss
from fogline.v1 import control_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouching:
    """What the CA does for signing keys."""

    sign: Callable[[bytes], bytes]
    signed: Anchor
    """Whether it has signed something."""


class Signer:
    """One process's hand that signs: every process on a store has the same keys."""

    def __init__(self, seal: Seal | None = None, vouching: Vouching | None = None) -> None:
        """``vouching``: the CA; without one receivers believe the first key that they are told."""
        self._seal: Final = seal or Seal()
        self.vouching: Final = vouching

    def first(self, now_us: int) -> SigningRow:
        """The first key of an installation."""
        return self.vouched(1, now_us)

    def vouched(self, version: int, now_us: int) -> SigningRow:
        """A key that the CA vouches for, if there is one: whatever keys a receiver knows, it follows."""
        private = Ed25519PrivateKey.generate()
        sign = self.vouching.sign if self.vouching is not None else None
        return self._row(private, version, sign, now_us)

    def next(self, keys: Sequence[SigningRow], now_us: int) -> SigningRow:
        """The key after these, vouched for by the last of them. Raises :class:`DataLoss`."""
        return self._row(
            Ed25519PrivateKey.generate(), keys[-1].version + 1, self._private(keys[-1]).sign, now_us
        )

    def in_order(self, keys: Sequence[SigningRow]) -> bool:
        """Whether the newest key is as good as this installation can make it."""
        return not (self._seal.closes and is_open(keys[-1].private))

    def check(self, keys: Sequence[SigningRow]) -> None:
        """Raise :class:`DataLoss` unless the newest key can be used."""
        self._private(keys[-1])

    def word(self, state: control_pb2.DesiredState, keys: Sequence[SigningRow]) -> Word:
        """The state, signed with the newest key. Raises :class:`DataLoss` if that cannot be read."""
        newest = keys[-1]
        content = state.SerializeToString(deterministic=True)
        signed = sign_state(self._private(newest), newest.version, content)
        return Word(state=state, signed=signed, keys=tuple(key_to_wire(key_of(row)) for row in keys))

    def _private(self, row: SigningRow) -> Ed25519PrivateKey:
        private = Ed25519PrivateKey.from_private_bytes(self._seal.open(row.private, row.version))
        if private.public_key().public_bytes_raw() != row.public:
            raise DataLoss(f"signing key {row.version} in the store is not whole")
        return private

    def _row(
        self, private: Ed25519PrivateKey, version: int, sign: Callable[[bytes], bytes] | None, now_us: int
    ) -> SigningRow:
        key = SigningKey(version=version, public=private.public_key().public_bytes_raw())
        return SigningRow(
            version=version,
            public=key.public,
            signature=sign(key.statement) if sign is not None else b"",
            private=self._seal.seal(private.private_bytes_raw(), version),
            made_us=now_us,
        )


def key_of(row: SigningRow) -> SigningKey:
    """The public half."""
    return SigningKey(version=row.version, public=row.public, signature=row.signature)
