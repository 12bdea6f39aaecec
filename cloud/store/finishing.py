"""The finishing pass over one step of one plan, inside one writing transaction: states in, results out."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, and_, case, func, or_, select, update

from cloud.finish.decision import (
    Assignment,
    Patience,
    Span,
    Standing,
    Status,
    decide,
    expected_nodes,
    waited_for,
)
from cloud.store import schema
from cloud.store.backend import Backend
from cloud.store.reading import Reading
from cloud.store.rows import Layout, key_from_text, key_hash, key_text, rows_from_bytes
from cloud.store.standing import standing_of, standing_values
from fogline.engine.finish import finish
from fogline.model.clock import NEVER
from fogline.model.plan import Scalar, WindowQuery

MAX_WINDOWS: Final = 64
"""Windows looked at in one transaction, so that commits do not wait for long."""
MAX_KEYS: Final = 5_000
"""Keys of these windows together; one window is always looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepToFinish:
    """A window step and what is known of its nodes."""

    tenant: str
    plan: str
    pipeline: str
    layout: Layout
    query: WindowQuery
    patience: Patience
    assignments: tuple[Assignment, ...]
    passed: Mapping[str, int]
    """How far each node is on the step's stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Windows that are not settled and end in (after_us, upto_us] are to be looked at: a node's watermark
    passed them.
    """

    after_us: int
    upto_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PassOutcome:
    """What one transaction of the pass did."""

    windows: int
    changes: int
    upto_us: int
    """Where to go on: windows that end at or before this and were only waiting are done."""
    more: bool
    due_us: int | None
    """When the next open window has waited long enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    span: Span
    standing: Standing
    opened_us: int
    keys: int
    touched: int
    dirty: bool
    readings: int


Texts = dict[tuple[int, str], tuple[str, int]]
"""(window start, key) to (outputs, readings)."""


class StepPass:
    """Looks at windows that changed or may now be called complete or partial, and writes what is new."""

    def __init__(self, connection: Connection, backend: Backend, step: StepToFinish, now_us: int) -> None:
        self._connection = connection
        self._backend = backend
        self._step = step
        self._now_us = now_us
        self._name = {"tenant": step.tenant, "plan": step.plan, "step": step.layout.step}

    def run(self, moved: Moved | None) -> PassOutcome:
        """One bounded helping."""
        self._lock_step()
        self._step = self._now()
        if moved is not None:
            self._keep_passed()
        all_dirty = self._dirty()
        all_waiting = self._waiting(moved)
        dirty, waiting = _helping(all_dirty), _helping(all_waiting)
        windows = {window.span.start_us: window for window in (*waiting, *dirty)}
        changes = self._finish(windows) if windows else 0
        some_wait = len(all_waiting) == MAX_WINDOWS or len(waiting) < len(all_waiting)
        some_dirty = len(all_dirty) == MAX_WINDOWS or len(dirty) < len(all_dirty)
        return PassOutcome(
            windows=len(windows),
            changes=changes,
            upto_us=waiting[-1].span.end_us if some_wait else NEVER,
            more=some_dirty or some_wait,
            due_us=self._next_due(),
        )

    def _lock_step(self) -> None:
        """One pass over a step at a time; commits go on beside it, retention does not."""
        table = schema.steps
        self._connection.execute(select(table.c.step).where(self._of(table)).with_for_update(key_share=True))

    def _locked(self, windows: Mapping[int, _Window]) -> Mapping[int, _Window]:
        """The windows as they are once no commit is writing into them any more, nor can before this one ends."""
        if not self._backend.shared:
            return windows
        table = schema.windows
        query = select(table).where(self._of(table), table.c.start_us.in_(sorted(windows)))
        rows = self._connection.execute(query.order_by(table.c.start_us).with_for_update())
        return {row["start_us"]: _window(row) for row in rows.mappings()}

    def _now(self) -> StepToFinish:
        """The step as this transaction sees it: another process may have said more since the caller looked, and a
        pass with an older view would take it back.
        """
        table, step = schema.passed, self._step
        rows = self._connection.execute(
            select(table.c.node, table.c.passed_us).where(
                table.c.tenant == step.tenant,
                table.c.plan == step.plan,
                table.c.stream == step.layout.stream,
            )
        )
        passed = dict(step.passed)
        for node, passed_us in rows:
            passed[node] = max(passed_us, passed.get(node, passed_us))
        assignments = Reading(self._connection).assignments(step.tenant, step.plan)
        return replace(step, assignments=assignments, passed=passed)

    def _keep_passed(self) -> None:
        rows = [
            {
                "tenant": self._step.tenant,
                "plan": self._step.plan,
                "stream": self._step.layout.stream,
                "node": node,
                "passed_us": passed_us,
            }
            for node, passed_us in sorted(self._step.passed.items())
            if passed_us != NEVER
        ]
        if rows:
            insert = self._backend.upsert(schema.passed, greatest=("passed_us",))
            self._connection.execute(insert, rows)

    def _next_due(self) -> int | None:
        table, patience = schema.windows, self._step.patience
        ready = table.c.end_us + patience.disorder_us
        begin = case((ready > table.c.opened_us, ready), else_=table.c.opened_us)
        query = select(func.min(begin)).where(
            self._of(table), table.c.settled == 0, table.c.status == Status.OPEN.value
        )
        first = self._connection.execute(query).scalar()
        return None if first is None else int(first) + patience.wait_us

    def _dirty(self) -> list[_Window]:
        table = schema.windows
        query = select(table).where(self._of(table), table.c.dirty == 1)
        rows = self._connection.execute(query.order_by(table.c.start_us).limit(MAX_WINDOWS))
        return [_window(row) for row in rows.mappings()]

    def _waiting(self, moved: Moved | None) -> list[_Window]:
        """Unsettled windows that a watermark has passed, and open ones that have waited long enough."""
        table, patience = schema.windows, self._step.patience
        overdue = and_(
            table.c.status == Status.OPEN.value,
            table.c.end_us <= self._now_us - patience.disorder_us - patience.wait_us,
            table.c.opened_us <= self._now_us - patience.wait_us,
        )
        due = overdue
        if moved is not None:
            due = or_(overdue, and_(table.c.end_us > moved.after_us, table.c.end_us <= moved.upto_us))
        query = select(table).where(self._of(table), table.c.settled == 0, due)
        rows = self._connection.execute(query.order_by(table.c.end_us).limit(MAX_WINDOWS))
        return [_window(row) for row in rows.mappings()]

    def _finish(self, chosen: Mapping[int, _Window]) -> int:
        windows = self._locked(chosen)
        fresh = self._fresh([w.span.start_us for w in windows.values() if w.dirty])
        standings: dict[int, Standing] = {}
        for start, window in windows.items():
            standings[start] = self._decided(window, changed=start in fresh.changed)
        renamed = [start for start, w in windows.items() if _says_more(w.standing, standings[start])]
        restamped = self._shown(renamed)
        rows = {at: fresh.rows.get(at, restamped.get(at)) for at in (*restamped, *fresh.rows)}
        self._write_windows(windows, standings, fresh.readings, set(renamed) | fresh.changed)
        self._write_results({at: row for at, row in rows.items() if row is not None})
        return len(rows)

    def _decided(self, window: _Window, *, changed: bool) -> Standing:
        return decide(
            window.standing,
            window.span,
            expected=expected_nodes(self._step.assignments, window.span),
            passed=self._step.passed,
            changed=changed,
            waited=waited_for(window.span, window.opened_us, self._step.patience, self._now_us),
        )

    def _fresh(self, starts: Sequence[int]) -> "_Fresh":
        """Finish the rows that commits have touched since, and keep those whose result is a new one."""
        if not starts:
            return _Fresh(rows={}, readings={})
        states, windows = schema.states, schema.windows
        query = (
            select(states.c.pane_us, states.c.key, states.c.state)
            .join(
                windows,
                and_(
                    *(states.c[name] == windows.c[name] for name in self._name),
                    states.c.pane_us == windows.c.start_us,
                ),
            )
            .where(self._of(windows), windows.c.start_us.in_(starts), states.c.touched > windows.c.finished)
        )
        read = self._connection.execute(query).all()
        if not read:
            return _Fresh(rows={}, readings={})
        table = rows_from_bytes(
            self._step.layout,
            [row.pane_us for row in read],
            [key_from_text(row.key) for row in read],
            [row.state for row in read],
        )
        shown = self._shown(starts)
        rows: Texts = {}
        for row in finish(self._step.query, table):
            at = (row.pane_start, key_text(row.key))
            said = (_outputs(row.values), row.readings)
            if shown.get(at) != said:
                rows[at] = said
        readings = dict.fromkeys((start for start, _ in rows), 0)
        for (start, _), (_, count) in (shown | rows).items():
            if start in readings:
                readings[start] += count
        return _Fresh(rows=rows, readings=readings)

    def _shown(self, starts: Sequence[int]) -> Texts:
        if not starts:
            return {}
        table = schema.results
        query = select(table.c.start_us, table.c.key, table.c.outputs, table.c.readings).where(
            self._of(table), table.c.start_us.in_(starts)
        )
        rows = self._connection.execute(query)
        return {(row.start_us, row.key): (row.outputs, row.readings) for row in rows}

    def _write_windows(
        self,
        windows: Mapping[int, _Window],
        standings: Mapping[int, Standing],
        readings: Mapping[int, int],
        changed: set[int],
    ) -> None:
        table = schema.windows
        for start, window in sorted(windows.items()):
            standing = standings[start]
            if standing == window.standing and not window.dirty:
                continue
            values: dict[str, int | str] = {
                **standing_values(standing),
                "finished": window.touched,
                "dirty": 0,
                "readings": readings.get(start, window.readings),
            }
            if start in changed:
                values["changed_us"] = self._now_us
            self._connection.execute(
                update(table).where(self._of(table), table.c.start_us == start).values(values)
            )

    def _write_results(self, rows: Texts) -> None:
        if not rows:
            return
        first = next_changes(self._connection, self._step.tenant, self._step.pipeline, len(rows))
        values = [
            self._name
            | {
                "start_us": start,
                "key_hash": key_hash(key),
                "key": key,
                "outputs": outputs,
                "readings": readings,
                "change": first + number,
            }
            for number, ((start, key), (outputs, readings)) in enumerate(sorted(rows.items()))
        ]
        self._connection.execute(
            self._backend.upsert(schema.results, overwrite=("outputs", "readings", "change")), values
        )

    def _of(self, table: Table) -> ColumnElement[bool]:
        return and_(*(table.c[name] == value for name, value in self._name.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fresh:
    rows: Texts
    """Rows that say something new."""
    readings: Mapping[int, int]
    """Readings of all keys, of the windows with such rows."""

    @property
    def changed(self) -> set[int]:
        """Starts of the windows with such rows."""
        return set(self.readings)


def next_changes(connection: Connection, tenant: str, pipeline: str, count: int) -> int:
    """Take so many numbers of changes of a pipeline; the first of them."""
    table = schema.pipelines
    name = and_(table.c.tenant == tenant, table.c.name == pipeline)
    connection.execute(update(table).where(name).values(changes=table.c.changes + count))
    last = connection.execute(select(table.c.changes).where(name)).scalar_one()
    return int(last) - count + 1


def _helping(windows: Sequence[_Window]) -> Sequence[_Window]:
    """As many as one transaction takes, the first at least."""
    totals = accumulate(window.keys for window in windows)
    return [
        window
        for at, (window, total) in enumerate(zip(windows, totals, strict=True))
        if not at or total <= MAX_KEYS
    ]


def _says_more(before: Standing, after: Standing) -> bool:
    """Whether every row of the window is told anew. How many have passed an open window is not worth that."""
    return before != after and (before.status, before.revision) != (after.status, after.revision)


def _outputs(values: Iterable[Scalar]) -> str:
    return json.dumps(list(values), ensure_ascii=True, separators=(",", ":"))


def _window(row: RowMapping) -> _Window:
    return _Window(
        span=Span(start_us=row["start_us"], end_us=row["end_us"]),
        standing=standing_of(row),
        opened_us=row["opened_us"],
        keys=row["keys"],
        touched=row["touched"],
        dirty=bool(row["dirty"]),
        readings=row["readings"],
    )
