"""What is asked of the store: how far nodes are, the ledger's terms, reports.

Each in the caller's transaction.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, Text, bindparam, func, literal_column, or_, select

from cloud.finish.decision import Assignment, NodeMark, Status, watermarks
from cloud.store import schema
from fogline.engine.state import ReadingTerm
from fogline.model.clock import NEVER
from fogline.model.part import Origin

# Asked after every commit, so built once: building them anew costs more than the database does.
_TENANT: Final = bindparam("tenant", type_=Text)
_PLAN: Final = bindparam("plan", type_=Text)
_ENDED: Final = or_(schema.offsets.c.closed == 1, schema.offsets.c.gone == 1)
_MARKS: Final = (
    select(
        schema.origins.c.stream,
        schema.origins.c.node,
        _ENDED.label("ended"),
        func.min(schema.offsets.c.watermark).label("least"),
        func.max(schema.offsets.c.watermark).label("greatest"),
    )
    .join(schema.origins, schema.origins.c.number == schema.offsets.c.origin)
    .where(schema.offsets.c.tenant == _TENANT, schema.offsets.c.plan == _PLAN)
    .group_by(schema.origins.c.stream, schema.origins.c.node, literal_column("3"))
)
# Origins with messages that their node lists and the plan has not begun on: a new plan does not take an old epoch for
# sent because the newest one is.
_NOT_BEGUN: Final = (
    select(schema.origins.c.stream, schema.origins.c.node)
    .join(schema.journals, schema.journals.c.origin == schema.origins.c.number)
    .where(
        schema.origins.c.tenant == _TENANT,
        schema.journals.c.listed == 1,
        schema.journals.c.journaled > schema.journals.c.base,
        schema.origins.c.number.not_in(
            select(schema.offsets.c.origin).where(
                schema.offsets.c.tenant == _TENANT, schema.offsets.c.plan == _PLAN
            )
        ),
    )
    .distinct()
)
_PASSED: Final = select(schema.passed.c.stream, schema.passed.c.node, schema.passed.c.passed_us).where(
    schema.passed.c.tenant == _TENANT, schema.passed.c.plan == _PLAN
)
_ASSIGNMENTS: Final = (
    select(schema.assignments.c.node, schema.assignments.c.from_us, schema.assignments.c.to_us)
    .where(schema.assignments.c.tenant == _TENANT, schema.assignments.c.plan == _PLAN)
    .order_by(schema.assignments.c.node, schema.assignments.c.from_us)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One plan on one origin, in messages."""

    plan: str
    origin: Origin
    start: int
    offset: int
    messages: int
    gaps: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRow:
    """The greatest values reported of an origin's journal, in messages."""

    origin: Origin
    received: int
    journaled: int
    refused: Mapping[str, int]
    redelivered: int
    retained: int
    base: int
    """Oldest offset that was still kept."""
    listed: bool
    """Whether the node's newest report has the journal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsettledRow:
    """Windows of one step that may still change, by status."""

    tenant: str
    plan: str
    step: str
    status: Status
    windows: int
    oldest_end_us: int


class Reading:
    """Answers questions from one state of the store."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def passed(self, tenant: str, plan: str) -> dict[str, dict[str, int]]:
        """By stream and node: up to where the node has sent everything; it never goes back.

        Streams that only other plans read are among them, as never begun.
        """
        found = {stream: watermarks(marks) for stream, marks in (self._marks(tenant, plan)).items()}
        for row in self._connection.execute(_PASSED, {"tenant": tenant, "plan": plan}):
            nodes = found.setdefault(row.stream, {})
            nodes[row.node] = max(row.passed_us, nodes.get(row.node, row.passed_us))
        return found

    def _marks(self, tenant: str, plan: str) -> dict[str, list[NodeMark]]:
        """How far each node's open and closed origins are, by stream."""
        name = {"tenant": tenant, "plan": plan}
        found: dict[str, list[NodeMark]] = {}
        for row in self._connection.execute(_MARKS, name):
            mark = NodeMark(
                node=row.node, closed=bool(row.ended), least_us=row.least, greatest_us=row.greatest
            )
            found.setdefault(row.stream, []).append(mark)
        for row in self._connection.execute(_NOT_BEGUN, name):
            mark = NodeMark(node=row.node, closed=False, least_us=NEVER, greatest_us=NEVER)
            found.setdefault(row.stream, []).append(mark)
        return found

    def starts(self, tenant: str, plan: str) -> dict[Origin, int]:
        """Where a plan began on each origin."""
        offsets, origins = schema.offsets, schema.origins
        query = (
            select(origins, offsets.c.start)
            .join(origins, origins.c.number == offsets.c.origin)
            .where(offsets.c.tenant == tenant, offsets.c.plan == plan)
        )
        return {
            Origin(tenant=row.tenant, node=row.node, stream=row.stream, epoch=row.epoch): row.start
            for row in self._connection.execute(query)
        }

    def assignments(self, tenant: str, plan: str) -> tuple[Assignment, ...]:
        """Every assignment the plan ever had."""
        return tuple(
            Assignment(node=row.node, from_us=row.from_us, to_us=row.to_us)
            for row in self._connection.execute(_ASSIGNMENTS, {"tenant": tenant, "plan": plan})
        )

    def ledger(self, tenant: str) -> list[LedgerRow]:
        """What is committed and given up of every origin, by plan."""
        offsets, origins, gaps = schema.offsets, schema.origins, schema.gaps
        dropped: dict[tuple[str, int], dict[str, int]] = {}
        for row in self._connection.execute(select(gaps).where(gaps.c.tenant == tenant)):
            dropped.setdefault((row.plan, row.origin), {})[row.reason] = row.messages
        query = (
            select(offsets, origins.c.node, origins.c.stream, origins.c.epoch)
            .join(origins, origins.c.number == offsets.c.origin)
            .where(offsets.c.tenant == tenant)
        )
        return [
            LedgerRow(
                plan=row.plan,
                origin=Origin(tenant=row.tenant, node=row.node, stream=row.stream, epoch=row.epoch),
                start=row.start,
                offset=row.position,
                messages=row.messages,
                gaps=dropped.get((row.plan, row.origin), {}),
            )
            for row in self._connection.execute(query)
        ]

    def journals(self, tenant: str) -> list[JournalRow]:
        """The greatest values reported of every origin."""
        journals, origins = schema.journals, schema.origins
        query = (
            select(journals, origins)
            .join(origins, origins.c.number == journals.c.origin)
            .where(origins.c.tenant == tenant)
        )
        return [
            JournalRow(
                origin=Origin(tenant=row.tenant, node=row.node, stream=row.stream, epoch=row.epoch),
                received=row.received,
                journaled=row.journaled,
                refused=json.loads(row.refused),
                redelivered=row.redelivered,
                retained=row.retained,
                base=row.base,
                listed=bool(row.listed),
            )
            for row in self._connection.execute(query)
        ]

    def counters(self, tenant: str) -> dict[str, dict[ReadingTerm, int]]:
        """The ledger's terms in readings, by plan."""
        table = schema.counters
        found: dict[str, dict[ReadingTerm, int]] = {}
        for row in self._connection.execute(select(table).where(table.c.tenant == tenant)):
            term = ReadingTerm(row.stream, row.step, row.term, row.reason)
            found.setdefault(row.plan, {})[term] = row.readings
        return found

    def reports(self, tenant: str) -> list[bytes]:
        """The newest report of every node that was not retired."""
        table = schema.nodes
        query = select(table.c.report).where(table.c.tenant == tenant, table.c.retired_us.is_(None))
        return list(self._connection.execute(query.order_by(table.c.node)).scalars())

    def readings(self, tenant: str) -> int:
        """Readings that were counted into states since the store was created."""
        table = schema.counters
        query = select(func.sum(table.c.readings)).where(table.c.tenant == tenant, table.c.term == "counted")
        return int(self._connection.execute(query).scalar() or 0)

    def unsettled(self) -> list[UnsettledRow]:
        """Windows that may still change, of all tenants."""
        table = schema.windows
        name = (table.c.tenant, table.c.plan, table.c.step, table.c.status)
        query = select(*name, func.count().label("windows"), func.min(table.c.end_us).label("oldest"))
        rows = self._connection.execute(query.where(table.c.settled == 0).group_by(*name))
        return [
            UnsettledRow(
                tenant=row.tenant,
                plan=row.plan,
                step=row.step,
                status=Status(row.status),
                windows=row.windows,
                oldest_end_us=row.oldest,
            )
            for row in rows
        ]
