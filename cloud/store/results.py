"""Reading results: in the order of windows, in the order of changes, and the newest for the dashboard."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, func, or_, select

from cloud.finish.decision import Standing, Status
from cloud.store import schema
from cloud.store.rows import Key, key_from_text, key_hash
from cloud.store.standing import COLUMNS, standing_of
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
    keys: int


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


class ResultReading:
    """Answers questions about results from one state of the store."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def results(self, query: ResultQuery, after: Place | None) -> ResultPage:
        """Results in the order of windows, behind a place."""
        table = schema.results
        order = (table.c.start_us, table.c.step, table.c.key)
        conditions = self._conditions(query)
        if after is not None:
            start, step, key = order
            conditions.append(
                or_(
                    start > after.start_us,
                    and_(start == after.start_us, step > after.step),
                    and_(start == after.start_us, step == after.step, key > after.key),
                )
            )
        rows = self._select(conditions, order, query.limit)
        return ResultPage(results=tuple(r for r, _ in rows), last=rows[-1][1] if rows else after)

    def changes(self, query: ResultQuery, after: int) -> tuple[Result, ...]:
        """Results that changed after this change, in the order of their changes."""
        table = schema.results
        conditions = [*self._conditions(query), table.c.change > after]
        return tuple(r for r, _ in self._select(conditions, (table.c.change,), query.limit))

    def newest_change(self, tenant: str, pipeline: str) -> int:
        """Number of the pipeline's last change; 0 before any."""
        table = schema.pipelines
        query = select(table.c.changes).where(table.c.tenant == tenant, table.c.name == pipeline)
        return int(self._connection.execute(query).scalar() or 0)

    def newest_changes(self) -> dict[tuple[str, str], int]:
        """Number of the last change of every pipeline, by tenant and name."""
        table = schema.pipelines
        rows = self._connection.execute(select(table.c.tenant, table.c.name, table.c.changes))
        return {(row.tenant, row.name): row.changes for row in rows}

    def live(self, tenant: str, plan: str, step: str, windows: int, keys: int) -> LiveStep:
        """A step's newest windows, and the keys with most readings in the newest one that is closed."""
        newest = self._newest(tenant, plan, step, windows)
        if not newest:
            return LiveStep()
        closed = [window.start_us for window in newest if window.standing.status is not Status.OPEN]
        shown = closed[-1] if closed else newest[-1].start_us
        table = schema.results
        of_step = [table.c.tenant == tenant, table.c.plan == plan, table.c.step == step]
        most = (table.c.readings.desc(), table.c.key)
        rows = self._select([*of_step, table.c.start_us == shown], most, keys)
        hashes = [key_hash(place.key) for _, place in rows]
        starts = [window.start_us for window in newest]
        among = [*of_step, table.c.start_us.in_(starts), table.c.key_hash.in_(hashes)]
        history = self._select(among, (table.c.start_us, table.c.key), windows * keys)
        total = select(func.count()).select_from(table).where(*of_step, table.c.start_us == shown)
        return LiveStep(
            windows=tuple(newest),
            shown_us=shown,
            keys=int(self._connection.execute(total).scalar_one()),
            rows=tuple(result for result, _ in rows),
            history=tuple(result for result, _ in history),
        )

    def _newest(self, tenant: str, plan: str, step: str, count: int) -> list[LiveWindow]:
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
                keys=row["keys"],
            )
            for row in reversed(self._connection.execute(query).mappings().all())
        ]

    def _conditions(self, query: ResultQuery) -> list[ColumnElement[bool]]:
        """A row is public if its plan bore the name for windows of that start."""
        table, names = schema.results, schema.publications
        published = self._connection.execute(
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

    def _select(
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
        rows = self._connection.execute(query).mappings()
        return [
            (_result(row), Place(start_us=row["start_us"], step=row["step"], key=row["key"])) for row in rows
        ]


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
