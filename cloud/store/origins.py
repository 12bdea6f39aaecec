"""Numbers for origins: a row of offsets then names its origin in eight bytes."""

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Connection, select, tuple_

from cloud.store import schema
from cloud.store.backend import Backend
from fogline.model.part import Origin

KEPT: Final = 50_000
"""Numbers kept in memory; beyond it they are forgotten and read again."""


class Origins:
    """Gives an origin its number. A number never changes, so the ones that were read are kept."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._kept: dict[Origin, int] = {}

    def forget(self) -> None:
        """The store is another one than before."""
        self._kept = {}

    def numbers(self, connection: Connection, origins: Iterable[Origin]) -> dict[Origin, int]:
        """The number of every origin; new ones are numbered in this transaction."""
        wanted = dict.fromkeys(origins)
        kept = self._kept
        found = {origin: kept[origin] for origin in wanted if origin in kept}
        missing = [origin for origin in wanted if origin not in found]
        if not missing:
            return found
        read = self._read(connection, missing)
        # Only what was there before this transaction is kept: its own numbers may yet be rolled back. And only
        # if nobody has said meanwhile that the store is another one.
        if self._kept is kept:
            self._kept = (kept if len(kept) + len(read) <= KEPT else {}) | read
        new = sorted(origin for origin in missing if origin not in read)
        if new:
            insert = self._backend.upsert(schema.origins)
            connection.execute(
                insert,
                [{"tenant": o.tenant, "node": o.node, "stream": o.stream, "epoch": o.epoch} for o in new],
            )
            read |= self._read(connection, new)
        return found | read

    def _read(self, connection: Connection, origins: Sequence[Origin]) -> dict[Origin, int]:
        table = schema.origins
        name = tuple_(table.c.tenant, table.c.node, table.c.stream, table.c.epoch)
        found: dict[Origin, int] = {}
        for at in range(0, len(origins), self._backend.chunk // 4):
            chunk = origins[at : at + self._backend.chunk // 4]
            names = [(o.tenant, o.node, o.stream, o.epoch) for o in chunk]
            for row in connection.execute(select(table).where(name.in_(names))):
                found[Origin(tenant=row.tenant, node=row.node, stream=row.stream, epoch=row.epoch)] = (
                    row.number
                )
        return found
