"""What nodes report of themselves, as the store keeps it: the greatest value of every counter."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, func, or_, select, update

from cloud.store import schema
from cloud.store.backend import Backend
from cloud.store.book import Book, Stage
from cloud.store.origins import Origins
from fogline.model.clock import MINUTE
from fogline.model.part import Origin

FORGOTTEN_AFTER_US: Final = MINUTE
"""An origin that no report ever listed is taken for gone when nothing of it was committed for so long."""
CHUNK: Final = 200
"""Nodes that are looked at together."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregatorReport:
    """An aggregator's newest report, kept whole for status."""

    tenant: str
    aggregator: str
    raw: bytes
    """The serialised ``fogline.v1.AggregatorReport``."""


class Reports:
    """Takes reports in one transaction: so many statements for one node as for a hundred."""

    def __init__(self, connection: Connection, backend: Backend, origins: Origins, now_us: int) -> None:
        self._connection = connection
        self._backend = backend
        self._origins = origins
        self._now_us = now_us

    def take(self, reports: Sequence[Report]) -> None:
        """Keep reports, number their origins, assign new nodes, close origins whose journal is gone."""
        tenants: dict[str, list[Report]] = {}
        for report in sorted(reports, key=lambda report: (report.tenant, report.node)):
            tenants.setdefault(report.tenant, []).append(report)
        for tenant, all_ in tenants.items():
            for at in range(0, len(all_), CHUNK):
                self._take(tenant, all_[at : at + CHUNK])

    def take_aggregators(self, reports: Iterable[AggregatorReport]) -> None:
        """Keep reports of aggregators."""
        rows = [
            {"tenant": r.tenant, "aggregator": r.aggregator, "seen_us": self._now_us, "report": r.raw}
            for r in sorted(reports, key=lambda report: (report.tenant, report.aggregator))
        ]
        if rows:
            insert = self._backend.upsert(schema.aggregators, overwrite=("seen_us", "report"))
            self._connection.execute(insert, rows)

    def _take(self, tenant: str, reports: Sequence[Report]) -> None:
        numbers = self._origins.numbers(
            self._connection, (journal.origin for report in reports for journal in report.journals)
        )
        nodes = [report.node for report in reports]
        known = self._journals(tenant, nodes, numbers.values())
        self._keep_journals(reports, numbers, known)
        listed = {row.number for row in known if row.listed}
        self._close_gone(tenant, nodes, set(numbers.values()), listed)
        self._assign(tenant, self._new(tenant, nodes))
        self._keep(reports)

    def _keep(self, reports: Sequence[Report]) -> None:
        rows = [
            {
                "tenant": report.tenant,
                "node": report.node,
                "first_us": self._now_us,
                "seen_us": self._now_us,
                "report": report.raw,
                "retired_us": None,
            }
            for report in reports
        ]
        insert = self._backend.upsert(schema.nodes, overwrite=("seen_us", "report", "retired_us"))
        self._connection.execute(insert, rows)

    def _new(self, tenant: str, nodes: Sequence[str]) -> list[str]:
        table = schema.nodes
        query = select(table.c.node).where(
            table.c.tenant == tenant, table.c.node.in_(nodes), table.c.retired_us.is_(None)
        )
        return sorted(set(nodes) - set(self._connection.execute(query).scalars()))

    def _assign(self, tenant: str, nodes: Sequence[str]) -> None:
        if not nodes:
            return
        book = Book(self._connection, self._backend, self._now_us)
        book.turn()
        for plan in book.plans():
            if plan.tenant == tenant and plan.stage is not Stage.RETIRED:
                book.assign(plan.tenant, plan.plan, nodes)
        book.changed()

    def _journals(self, tenant: str, nodes: Sequence[str], numbers: Iterable[int]) -> list["_KnownJournal"]:
        """What is kept of the nodes' journals: of those that were listed, and of those that now are."""
        journals, origins = schema.journals, schema.origins
        query = (
            select(origins, journals)
            .join(origins, origins.c.number == journals.c.origin)
            .where(
                origins.c.tenant == tenant,
                origins.c.node.in_(nodes),
                or_(journals.c.listed == 1, journals.c.origin.in_(sorted(set(numbers)))),
            )
        )
        return [
            _KnownJournal(
                number=row.number,
                listed=bool(row.listed),
                journal=Journal(
                    origin=Origin(tenant=row.tenant, node=row.node, stream=row.stream, epoch=row.epoch),
                    received=row.received,
                    journaled=row.journaled,
                    refused=json.loads(row.refused),
                    redelivered=row.redelivered,
                    retained=row.retained,
                    base=row.base,
                    closed=bool(row.closed),
                ),
            )
            for row in self._connection.execute(query)
        ]

    def _keep_journals(
        self, reports: Sequence[Report], numbers: Mapping[Origin, int], known: Sequence["_KnownJournal"]
    ) -> None:
        before = {row.number: row.journal for row in known}
        newest = {numbers[journal.origin]: journal for report in reports for journal in report.journals}
        rows = [
            _row(number, greatest(journal, before[number]) if number in before else journal)
            for number, journal in sorted(newest.items())
        ]
        table = schema.journals
        # The greater of each, again: another process may have taken a report of the same node meanwhile.
        counters = ("received", "journaled", "redelivered", "retained", "base", "closed")
        if rows:
            insert = self._backend.upsert(table, overwrite=("refused", "listed"), greatest=counters)
            self._connection.execute(insert, rows)

    def _close_gone(self, tenant: str, nodes: Sequence[str], now: set[int], listed: set[int]) -> None:
        """An origin whose journal its node no longer lists will never send again: it must not hold windows
        open.
        """
        origins, offsets, journals = schema.origins, schema.offsets, schema.journals
        query = (
            select(offsets.c.origin, func.min(offsets.c.touched_us).label("touched_us"))
            .join(origins, origins.c.number == offsets.c.origin)
            .where(
                offsets.c.tenant == tenant,
                offsets.c.gone == 0,
                origins.c.tenant == tenant,
                origins.c.node.in_(nodes),
            )
            .group_by(offsets.c.origin)
        )
        forgotten_us = self._now_us - FORGOTTEN_AFTER_US
        gone = sorted(
            row.origin
            for row in self._connection.execute(query)
            if row.origin not in now and (row.origin in listed or row.touched_us < forgotten_us)
        )
        if gone:
            for_good = or_(
                offsets.c.origin.in_(sorted(listed.intersection(gone))), offsets.c.touched_us < forgotten_us
            )
            self._connection.execute(
                update(offsets)
                .where(offsets.c.tenant == tenant, offsets.c.origin.in_(gone), offsets.c.gone == 0, for_good)
                .values(gone=1)
            )
        if unlisted := sorted(listed - now):
            self._connection.execute(update(journals).where(journals.c.origin.in_(unlisted)).values(listed=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class _KnownJournal:
    number: int
    listed: bool
    journal: Journal


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
