"""What is asked of the store: results, the ledger's terms, how far nodes are. Each in the caller's
transaction.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, RowMapping, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.finish.decision import Assignment, Mark, Standing, Status, watermarks
from cloud.store import schema
from cloud.store.rows import Key, key_from_text, key_hash
from cloud.store.standing import COLUMNS, standing_of
from fogline.engine.state import ReadingTerm
from fogline.model.clock import NEVER
from fogline.model.part import Origin
from fogline.model.plan import Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a window of one key says."""

    plan: str
    step: str
    start_us: int
    end_us: int
    key: Key
    values: tuple[Scalar, ...]
    """In the order of the plan's outputs."""
    readings: int
    change: int
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultQuery:
    """Which results of a pipeline: windows that start in [since, until), changes after one."""

    tenant: str
    pipeline: str
    step: str = ""
    since_us: int | None = None
    until_us: int | None = None
    limit: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A row's place in the order of windows: results behind it come next."""

    start_us: int
    step: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultPage:
    """Some results, and where to go on."""

    results: tuple[Result, ...]
    last: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveWindow:
    """A window as a whole: what all its keys say together."""

    start_us: int
    end_us: int
    standing: Standing
    readings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveStep:
    """A step's newest windows, and some keys of the one that is shown."""

    windows: tuple[LiveWindow, ...] = ()
    """Oldest first."""
    shown_us: int = 0
    """Start of the newest window that is not open any more; of the newest, if all are."""
    keys: int = 0
    """How many keys the shown window has."""
    rows: tuple[Result, ...] = ()
    """Of the shown window."""
    history: tuple[Result, ...] = ()
    """The same keys in all windows."""


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


class Reading:
    """Answers questions from one state of the store."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def results(self, query: ResultQuery, after: Place | None) -> ResultPage:
        """Results in the order of windows, behind a place."""
        table = schema.results
        order = (table.c.start_us, table.c.step, table.c.key)
        conditions = await self._conditions(query)
        if after is not None:
            start, step, key = order
            conditions.append(
                or_(
                    start > after.start_us,
                    and_(start == after.start_us, step > after.step),
                    and_(start == after.start_us, step == after.step, key > after.key),
                )
            )
        rows = await self._select(conditions, order, query.limit)
        return ResultPage(results=tuple(r for r, _ in rows), last=rows[-1][1] if rows else after)

    async def changes(self, query: ResultQuery, after: int) -> tuple[Result, ...]:
        """Results that changed after this change, in the order of their changes."""
        table = schema.results
        conditions = [*await self._conditions(query), table.c.change > after]
        return tuple(r for r, _ in await self._select(conditions, (table.c.change,), query.limit))

    async def newest_change(self, tenant: str, pipeline: str) -> int:
        """Number of the pipeline's last change; 0 before any."""
        table = schema.pipelines
        query = select(table.c.changes).where(table.c.tenant == tenant, table.c.name == pipeline)
        return int((await self._connection.execute(query)).scalar() or 0)

    async def live(self, tenant: str, plan: str, step: str, windows: int, keys: int) -> LiveStep:
        """A step's newest windows, and the first keys of the newest one that is closed."""
        newest = await self._newest(tenant, plan, step, windows)
        if not newest:
            return LiveStep()
        closed = [window.start_us for window in newest if window.standing.status is not Status.OPEN]
        shown = closed[-1] if closed else newest[-1].start_us
        table = schema.results
        of_step = [table.c.tenant == tenant, table.c.plan == plan, table.c.step == step]
        rows = await self._select([*of_step, table.c.start_us == shown], (table.c.key,), keys)
        hashes = [key_hash(place.key) for _, place in rows]
        starts = [window.start_us for window in newest]
        among = [*of_step, table.c.start_us.in_(starts), table.c.key_hash.in_(hashes)]
        history = await self._select(among, (table.c.start_us,), windows * keys)
        total = select(func.count()).select_from(table).where(*of_step, table.c.start_us == shown)
        return LiveStep(
            windows=tuple(newest),
            shown_us=shown,
            keys=int((await self._connection.execute(total)).scalar_one()),
            rows=tuple(result for result, _ in rows),
            history=tuple(result for result, _ in history),
        )

    async def _newest(self, tenant: str, plan: str, step: str, count: int) -> list[LiveWindow]:
        table = schema.windows
        query = (
            select(table)
            .where(table.c.tenant == tenant, table.c.plan == plan, table.c.step == step, table.c.finished > 0)
            .order_by(table.c.start_us.desc())
            .limit(count)
        )
        return [
            LiveWindow(
                start_us=row["start_us"],
                end_us=row["end_us"],
                standing=standing_of(row),
                readings=row["readings"],
            )
            for row in reversed((await self._connection.execute(query)).mappings().all())
        ]

    async def _conditions(self, query: ResultQuery) -> list[ColumnElement[bool]]:
        """A row is public if its plan bore the name for windows of that start."""
        table, names = schema.results, schema.publications
        published = await self._connection.execute(
            select(names.c.from_us, names.c.plan)
            .where(names.c.tenant == query.tenant, names.c.pipeline == query.pipeline)
            .order_by(names.c.from_us)
        )
        spans = [(row.from_us, row.plan) for row in published]
        ends = [from_us for from_us, _ in spans[1:]]
        public = [
            and_(
                table.c.plan == plan,
                table.c.start_us >= from_us,
                *(() if number == len(ends) else (table.c.start_us < ends[number],)),
            )
            for number, (from_us, plan) in enumerate(spans)
        ]
        conditions: list[ColumnElement[bool]] = [table.c.tenant == query.tenant, or_(False, *public)]
        if query.step:
            conditions.append(table.c.step == query.step)
        if query.since_us is not None:
            conditions.append(table.c.start_us >= query.since_us)
        if query.until_us is not None:
            conditions.append(table.c.start_us < query.until_us)
        return conditions

    async def _select(
        self,
        conditions: Sequence[ColumnElement[bool]],
        order: Sequence[ColumnElement[int] | ColumnElement[str]],
        limit: int,
    ) -> list[tuple[Result, Place]]:
        table, windows = schema.results, schema.windows
        same = and_(*(table.c[name] == windows.c[name] for name in ("tenant", "plan", "step", "start_us")))
        query = (
            select(
                table,
                windows.c.end_us,
                *(windows.c[name] for name in COLUMNS),
            )
            .join(windows, same)
            .where(*conditions)
            .order_by(*order)
            .limit(limit)
        )
        rows = (await self._connection.execute(query)).mappings()
        return [
            (_result(row), Place(start_us=row["start_us"], step=row["step"], key=row["key"])) for row in rows
        ]

    async def passed(self, tenant: str, plan: str) -> dict[str, dict[str, int]]:
        """By stream and node: up to where the node has sent everything; it never goes back."""
        found = {stream: watermarks(marks) for stream, marks in (await self._marks(tenant, plan)).items()}
        table = schema.passed
        query = select(table).where(table.c.tenant == tenant, table.c.plan == plan)
        for row in await self._connection.execute(query):
            nodes = found.setdefault(row.stream, {})
            nodes[row.node] = max(row.passed_us, nodes.get(row.node, row.passed_us))
        return found

    async def _marks(self, tenant: str, plan: str) -> dict[str, list[Mark]]:
        """How far each node's open and closed origins are, by stream."""
        offsets, origins = schema.offsets, schema.origins
        ended = or_(offsets.c.closed == 1, offsets.c.gone == 1)
        query = (
            select(
                origins.c.stream,
                origins.c.node,
                ended.label("ended"),
                func.min(offsets.c.watermark).label("least"),
                func.max(offsets.c.watermark).label("greatest"),
            )
            .join(origins, origins.c.number == offsets.c.origin)
            .where(offsets.c.tenant == tenant, offsets.c.plan == plan)
            .group_by(origins.c.stream, origins.c.node, ended)
        )
        found: dict[str, list[Mark]] = {}
        for row in await self._connection.execute(query):
            mark = Mark(node=row.node, closed=bool(row.ended), least_us=row.least, greatest_us=row.greatest)
            found.setdefault(row.stream, []).append(mark)
        for row in await self._connection.execute(_not_begun(tenant, plan)):
            mark = Mark(node=row.node, closed=False, least_us=NEVER, greatest_us=NEVER)
            found.setdefault(row.stream, []).append(mark)
        return found

    async def starts(self, tenant: str, plan: str) -> dict[Origin, int]:
        """Where a plan began on each origin."""
        offsets, origins = schema.offsets, schema.origins
        query = (
            select(origins, offsets.c.start)
            .join(origins, origins.c.number == offsets.c.origin)
            .where(offsets.c.tenant == tenant, offsets.c.plan == plan)
        )
        return {
            Origin(tenant=row.tenant, node=row.node, stream=row.stream, epoch=row.epoch): row.start
            for row in await self._connection.execute(query)
        }

    async def assignments(self, tenant: str, plan: str) -> tuple[Assignment, ...]:
        """Every assignment the plan ever had."""
        table = schema.assignments
        query = (
            select(table)
            .where(table.c.tenant == tenant, table.c.plan == plan)
            .order_by(table.c.node, table.c.from_us)
        )
        return tuple(
            Assignment(node=row.node, from_us=row.from_us, to_us=row.to_us)
            for row in await self._connection.execute(query)
        )

    async def ledger(self, tenant: str) -> list[LedgerRow]:
        """What is committed and given up of every origin, by plan."""
        offsets, origins, gaps = schema.offsets, schema.origins, schema.gaps
        dropped: dict[tuple[str, int], dict[str, int]] = {}
        for row in await self._connection.execute(select(gaps).where(gaps.c.tenant == tenant)):
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
            for row in await self._connection.execute(query)
        ]

    async def journals(self, tenant: str) -> list[JournalRow]:
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
            for row in await self._connection.execute(query)
        ]

    async def counters(self, tenant: str) -> dict[str, dict[ReadingTerm, int]]:
        """The ledger's terms in readings, by plan."""
        table = schema.counters
        found: dict[str, dict[ReadingTerm, int]] = {}
        for row in await self._connection.execute(select(table).where(table.c.tenant == tenant)):
            term = ReadingTerm(row.stream, row.step, row.term, row.reason)
            found.setdefault(row.plan, {})[term] = row.readings
        return found

    async def readings(self, tenant: str) -> int:
        """Readings that were counted into states since the store was created."""
        table = schema.counters
        query = select(func.sum(table.c.readings)).where(table.c.tenant == tenant, table.c.term == "counted")
        return int((await self._connection.execute(query)).scalar() or 0)

    async def reports(self) -> list[tuple[str, str, int, bytes]]:
        """(tenant, node, when it arrived, serialised report) of every node that was not retired."""
        table = schema.nodes
        rows = await self._connection.execute(select(table).where(table.c.retired_us.is_(None)))
        return [(row.tenant, row.node, row.seen_us, row.report) for row in rows]


def _result(row: RowMapping) -> Result:
    return Result(
        plan=row["plan"],
        step=row["step"],
        start_us=row["start_us"],
        end_us=row["end_us"],
        key=key_from_text(row["key"]),
        values=tuple(json.loads(row["outputs"])),
        readings=row["readings"],
        change=row["change"],
        standing=standing_of(row),
    )


def _not_begun(tenant: str, plan: str) -> Select[str, str]:
    """Origins with messages that their node lists and the plan has not begun on: a new plan does not take an old
    epoch for sent because the newest one is.
    """
    offsets, origins, journals = schema.offsets, schema.origins, schema.journals
    begun = select(offsets.c.origin).where(offsets.c.tenant == tenant, offsets.c.plan == plan)
    return (
        select(origins.c.stream, origins.c.node)
        .join(journals, journals.c.origin == origins.c.number)
        .where(
            origins.c.tenant == tenant,
            journals.c.listed == 1,
            journals.c.journaled > journals.c.base,
            origins.c.number.not_in(begun),
        )
        .distinct()
    )
