"""Writes the ledger, and lets the catalog follow once it is on disk."""

from asyncio import Future, get_running_loop
from collections.abc import Callable, Sequence
from typing import NamedTuple

from fog_node.journal.catalog import Catalog, OriginRow, Record
from fog_node.journal.errors import JournalFailed
from fog_node.journal.facts import ledger_bytes, staged
from fog_node.journal.orders import Order, Roll, Save
from fog_node.journal.room import Drop, mark


class _Staged(NamedTuple):
    """What becomes true when an order is carried out."""

    records: tuple[Record, ...]
    drops: tuple[Drop, ...]
    removed: tuple[OriginRow, ...]


class Records:
    """The only way from a fact to the disk. Belongs to the event loop."""

    def __init__(self, catalog: Catalog, *, tenant: str, order: Callable[[Order], None]) -> None:
        self._catalog, self._tenant, self._order = catalog, tenant, order
        self._staged: dict[Future[None], _Staged] = {}

    async def save(self) -> None:
        """Return when everything that was noted is on disk. Raises JournalFailed."""
        await self.order_save()

    def order_save(self, drops: Sequence[Drop] = (), removed: tuple[OriginRow, ...] = ()) -> Future[None]:
        """Order the ledger written, and then some segments and epochs removed; a failure is not an error
        here.
        """
        mark(drops)
        for row in removed:
            row.leaving = True
        document = ledger_bytes(self._catalog, tenant=self._tenant, removed=removed)
        done = self._stage(drops, removed)
        folders = tuple(row.folder for row in removed)
        self._order(
            Save(
                document=document,
                done=done,
                remove=tuple(d.segment.path for d in drops),
                remove_folders=folders,
            )
        )
        return done

    def order_roll(self, epoch: bytes, sequence: int) -> Future[None]:
        """Order a new epoch in every stream."""
        document = ledger_bytes(self._catalog, tenant=self._tenant)
        done = self._stage((), ())
        self._order(Roll(document=document, epoch=epoch, sequence=sequence, done=done))
        return done

    def settle(self, done: Future[None], error: OSError | None) -> None:
        """Follow what the writer did."""
        staged_now = self._staged.pop(done)
        if error is None:
            self._apply(staged_now)
        else:
            for drop in staged_now.drops:
                drop.segment.dropping = False
            for row in staged_now.removed:
                row.leaving = False
        if done.done():
            return
        if error is None:
            done.set_result(None)
        else:
            failed = JournalFailed(f"the ledger could not be written: {error}", hint="look at the disk")
            done.set_exception(failed)
            # Not everybody who orders waits; who does gets the exception all the same.
            done.exception()

    def abandon(self) -> None:
        """Tell everybody who waits that nothing will be written any more."""
        for done in tuple(self._staged):
            self.settle(done, OSError("the writer ended"))

    def _stage(self, drops: Sequence[Drop], removed: tuple[OriginRow, ...]) -> Future[None]:
        done: Future[None] = get_running_loop().create_future()
        self._staged[done] = _Staged(staged(self._catalog), tuple(drops), removed)
        return done

    def _apply(self, what: _Staged) -> None:
        for record in what.records:
            record.durable = True
        for row, segment in what.drops:
            row.segments = [s for s in row.segments if s is not segment]
            row.base = row.segments[0].first if row.segments else row.end
            row.wake()
        for row in what.removed:
            stream = self._catalog.streams[row.origin.stream]
            stream.origins = [o for o in stream.origins if o is not row]
            stream.carried = stream.carried.plus(row.counters)
