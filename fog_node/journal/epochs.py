"""Runs of the writer: a random name for each, so that two of them never mean different messages by one
offset.
"""

from asyncio import Future
from collections.abc import Callable
from pathlib import Path

from structlog import get_logger

from fog_node.journal.catalog import Catalog, OriginRow, StreamRow
from fog_node.journal.layout import epoch_folder
from fog_node.journal.orders import Roll
from fog_node.journal.records import Records
from fogline.model.part import Origin

_log = get_logger(__name__)


class Epochs:
    """Opens and closes epochs. Belongs to the event loop."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        records: Records,
        folder: Path,
        tenant: str,
        node: str,
        entropy: Callable[[int], bytes],
    ) -> None:
        self._catalog, self._records, self._folder = catalog, records, folder
        self._tenant, self._node, self._entropy = tenant, node, entropy
        self._rolling: Future[None] | None = None
        self.current = entropy(16)

    @property
    def rolling(self) -> bool:
        """Whether a new epoch was ordered and is not there yet."""
        return self._rolling is not None

    def origin(self, stream: str) -> Origin:
        """Name the open epoch of a stream."""
        return Origin(tenant=self._tenant, node=self._node, stream=stream, epoch=self.current)

    def open(self, row: StreamRow) -> None:
        """Begin the present epoch in a stream; plans that read it begin there at 0."""
        origin = self.origin(row.name)
        folder = epoch_folder(self._folder, origin, self._catalog.sequence)
        self._catalog.open_epoch(row, origin, folder)

    def roll(self) -> Future[None]:
        """Order a new epoch for every stream, once however often it is asked for."""
        if self._rolling is None:
            self._rolling = self._records.order_roll(self._entropy(16), self._catalog.sequence + 1)
        return self._rolling

    def rolled(self, order: Roll, error: OSError | None) -> None:
        """Follow what the writer did."""
        self._rolling = None
        if error is not None:
            _log.error("a new epoch could not be begun", error=error)
            return
        self.current, self._catalog.sequence = order.epoch, order.sequence
        for row in self._catalog.streams.values():
            if row.declared:
                self._close(row, row.open)
                self.open(row)

    def _close(self, row: StreamRow, last: OriginRow) -> None:
        last.closed = True
        if not last.end and not any(p.started for p in last.plans.values()):
            row.origins.remove(last)  # nobody ever heard of it
            row.carried = row.carried.plus(last.counters)
        last.wake()
