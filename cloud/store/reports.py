"""What nodes report of themselves, as the store keeps it: the greatest value of every counter."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.store import schema
from cloud.store.backend import Backend
from cloud.store.book import Book, Stage
from cloud.store.origins import Origins
from fogline.model.clock import MINUTE
from fogline.model.part import Origin

FORGOTTEN_AFTER_US: Final = MINUTE
"""An origin that no report ever listed is taken for gone when nothing of it was committed for so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """One origin's journal as its node counts it, in messages."""

    origin: Origin
    received: int
    journaled: int
    refused: Mapping[str, int]
    redelivered: int
    retained: int
    base: int
    closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A node's newest report: what is kept whole for status, and its journals."""

    tenant: str
    node: str
    raw: bytes
    """The serialised ``fogline.v1.NodeReport``."""
    journals: tuple[Journal, ...]


class Reports:
    """Takes reports in one transaction."""

    def __init__(self, connection: AsyncConnection, backend: Backend, origins: Origins, now_us: int) -> None:
        self._connection = connection
        self._backend = backend
        self._origins = origins
        self._now_us = now_us

    async def take(self, reports: Iterable[Report]) -> None:
        """Keep reports, number their origins, assign new nodes, close origins whose journal is gone."""
        for report in reports:
            numbers = await self._origins.numbers(self._connection, (j.origin for j in report.journals))
            await self._keep_journals(report, numbers)
            await self._close_gone(report, set(numbers.values()))
            if await self._is_new(report):
                await self._assign(report)
            await self._keep(report)

    async def _keep(self, report: Report) -> None:
        row = {
            "tenant": report.tenant,
            "node": report.node,
            "first_us": self._now_us,
            "seen_us": self._now_us,
            "report": report.raw,
            "retired_us": None,
        }
        insert = self._backend.upsert(schema.nodes, overwrite=("seen_us", "report", "retired_us"))
        await self._connection.execute(insert, [row])

    async def _is_new(self, report: Report) -> bool:
        table = schema.nodes
        query = select(table.c.retired_us).where(table.c.tenant == report.tenant, table.c.node == report.node)
        row = (await self._connection.execute(query)).first()
        return row is None or row.retired_us is not None

    async def _assign(self, report: Report) -> None:
        book = Book(self._connection, self._backend, self._now_us)
        for plan in await book.plans():
            if plan.tenant == report.tenant and plan.stage is not Stage.RETIRED:
                await book.assign(plan.tenant, plan.plan, [report.node])

    async def _keep_journals(self, report: Report, numbers: Mapping[Origin, int]) -> None:
        if not report.journals:
            return
        table = schema.journals
        before = {
            row.origin: row
            for row in await self._connection.execute(
                select(table).where(table.c.origin.in_(list(numbers.values())))
            )
        }
        rows = []
        for journal in report.journals:
            number = numbers[journal.origin]
            known = before.get(number)
            if known is not None:
                journal = greatest(  # noqa: PLW2901 - what is written is the greater of the two
                    journal,
                    Journal(
                        origin=journal.origin,
                        received=known.received,
                        journaled=known.journaled,
                        refused=json.loads(known.refused),
                        redelivered=known.redelivered,
                        retained=known.retained,
                        base=known.base,
                        closed=bool(known.closed),
                    ),
                )
            rows.append(_row(number, journal))
        columns = [column.name for column in table.columns if not column.primary_key]
        await self._connection.execute(self._backend.upsert(table, overwrite=columns), rows)

    async def _close_gone(self, report: Report, listed: set[int]) -> None:
        """An origin whose journal its node no longer lists will never send again: it must not hold windows
        open.
        """
        origins, journals, offsets = schema.origins, schema.journals, schema.offsets
        of_node = select(origins.c.number).where(
            origins.c.tenant == report.tenant, origins.c.node == report.node
        )
        was_listed = select(journals.c.origin).where(journals.c.listed == 1)
        gone = and_(
            offsets.c.tenant == report.tenant,
            offsets.c.origin.in_(of_node),
            offsets.c.origin.not_in(sorted(listed)),
            offsets.c.gone == 0,
            or_(
                offsets.c.origin.in_(was_listed),
                offsets.c.touched_us < self._now_us - FORGOTTEN_AFTER_US,
            ),
        )
        await self._connection.execute(update(offsets).where(gone).values(gone=1))
        await self._connection.execute(
            update(journals)
            .where(
                journals.c.origin.in_(of_node),
                journals.c.origin.not_in(sorted(listed)),
                journals.c.listed == 1,
            )
            .values(listed=0)
        )


def greatest(one: Journal, other: Journal) -> Journal:
    """The greater value of every counter: reports may overtake each other, counters only grow."""
    reasons = {*one.refused, *other.refused}
    return replace(
        one,
        received=max(one.received, other.received),
        journaled=max(one.journaled, other.journaled),
        refused={r: max(one.refused.get(r, 0), other.refused.get(r, 0)) for r in sorted(reasons)},
        redelivered=max(one.redelivered, other.redelivered),
        retained=max(one.retained, other.retained),
        base=max(one.base, other.base),
        closed=one.closed or other.closed,
    )


def _row(number: int, journal: Journal) -> dict[str, int | str]:
    return {
        "origin": number,
        "received": journal.received,
        "journaled": journal.journaled,
        "refused": json.dumps(dict(journal.refused)),
        "redelivered": journal.redelivered,
        "retained": journal.retained,
        "base": journal.base,
        "closed": int(journal.closed),
        "listed": 1,
    }
