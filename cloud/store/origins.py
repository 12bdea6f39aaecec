"""Numbers for origins: a row of offsets then names its origin in eight bytes."""

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

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

    async def numbers(self, connection: AsyncConnection, origins: Iterable[Origin]) -> dict[Origin, int]:
        """The number of every origin; new ones are numbered in this transaction."""
        wanted = dict.fromkeys(origins)
        found = {origin: self._kept[origin] for origin in wanted if origin in self._kept}
        missing = [origin for origin in wanted if origin not in found]
        if not missing:
            return found
        read = await self._read(connection, missing)
        if len(self._kept) + len(read) > KEPT:
            self._kept.clear()
        # Only what was there before this transaction is kept: its own numbers may yet be rolled back.
        self._kept |= read
        new = sorted(origin for origin in missing if origin not in read)
        if new:
            insert = self._backend.upsert(schema.origins)
            await connection.execute(
                insert,
                [{"tenant": o.tenant, "node": o.node, "stream": o.stream, "epoch": o.epoch} for o in new],
            )
            read |= await self._read(connection, new)
        return found | read

    async def _read(self, connection: AsyncConnection, origins: Sequence[Origin]) -> dict[Origin, int]:
        table = schema.origins
        name = tuple_(table.c.tenant, table.c.node, table.c.stream, table.c.epoch)
        found: dict[Origin, int] = {}
        for at in range(0, len(origins), self._backend.chunk // 4):
            chunk = origins[at : at + self._backend.chunk // 4]
            names = [(o.tenant, o.node, o.stream, o.epoch) for o in chunk]
            for row in await connection.execute(select(table).where(name.in_(names))):
                found[Origin(tenant=row.tenant, node=row.node, stream=row.stream, epoch=row.epoch)] = (
                    row.number
                )
        return found
