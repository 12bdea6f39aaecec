"""The keys of one cloud process: opened at its start, changed by whoever rotates, mended where machines know more."""

from collections.abc import Sequence
from typing import Final

import structlog

from cloud.catalog import Catalog
from cloud.signing.signer import Signer, key_of
from cloud.store.book import Overtaken
from cloud.store.signing import SigningRow
from cloud.store.store import Store
from fogline.control.keys import Anchor, Disbelieved, SigningKey, follow, keys_from_wire
from fogline.model.clock import Clock
from fogline.v1 import control_pb2

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Keyring:
    """Adds signing keys; one at a time, whichever process does."""

    def __init__(self, store: Store, catalog: Catalog, signer: Signer, clock: Clock) -> None:
        self._store: Final = store
        self._catalog: Final = catalog
        self._signer: Final = signer
        self._clock: Final = clock

    async def open(self) -> None:
        """See to it that there is a key, and that the newest is one that the CA vouches for, if there is a CA.

        Raises :class:`fogline.model.errors.DataLoss` if it cannot be read.
        """
        try:
            await self._open()
        except Overtaken:
            await self._open()

    async def _open(self) -> None:
        keys = await self._store.signing_keys()
        if not keys:
            await self._store.add_signing_key(self._signer.first(self._clock.now_us()), over=0)
            _log.info("signing key made", version=1)
        elif not self._signer.in_order(keys):
            # From before there was a CA: it could be read in every backup of the store.
            newest = keys[-1].version
            await self._store.add_signing_key(
                self._signer.vouched(newest + 1, self._clock.now_us()), over=newest
            )
            _log.info("signing key replaced by one that the CA vouches for", version=newest + 1)
        else:
            self._signer.check(keys)

    async def all(self) -> Sequence[SigningRow]:
        """Every key, oldest first."""
        return await self._store.signing_keys()

    async def rotate(self) -> SigningRow:
        """Sign with a new key from now on. Raises :class:`Overtaken` if somebody else does just now."""
        keys = await self._store.signing_keys()
        row = self._signer.next(keys, self._clock.now_us())
        await self._add(row, over=keys[-1].version)
        return row

    async def astray(self, known: Sequence[control_pb2.SigningKey]) -> None:
        """A machine follows keys that this store does not have: it was restored from a backup, or made anew.

        Only what the CA vouches for is taken for such keys; then a key comes that every machine follows.
        """
        vouching = self._signer.vouching
        if vouching is None:
            return
        try:
            there = follow(None, keys_from_wire(known), vouching.signed)
        except Disbelieved:
            return
        keys = await self._store.signing_keys()
        if follows(there, tuple(map(key_of, keys)), vouching.signed):
            return
        version = max(there.version, keys[-1].version) + 1
        _log.warning(
            "a machine knows a signing key that the store does not; going beyond it", version=version
        )
        await self._add(self._signer.vouched(version, self._clock.now_us()), over=keys[-1].version)

    async def _add(self, row: SigningRow, *, over: int) -> None:
        generation = await self._store.add_signing_key(row, over=over)
        await self._catalog.refresh(self._store)
        _log.info("signing key made", version=row.version, generation=generation)


def follows(known: SigningKey, offered: tuple[SigningKey, ...], anchor: Anchor) -> bool:
    """Whether a machine that goes by this key will go by the last of these."""
    try:
        follow(known, offered, anchor)
    except Disbelieved:
        return False
    return True
