"""What goes when: states that nobody may add to any more, results that were kept long enough.

Letting states go is two things. The step's horizon is raised in a short transaction that no commit runs beside; from
then on nothing can touch what lies behind it. Then its rows are deleted, some at a time, while commits go on.
"""

from itertools import accumulate
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    delete,
    func,
    literal_column,
    select,
    tuple_,
    update,
)

from cloud.store import schema
from cloud.store.backend import Backend
from cloud.store.rows import Layout
from fogline.model.clock import NEVER

MAX_WINDOWS: Final = 500
"""Windows dropped in one transaction, so that commits do not wait for long."""
MAX_KEYS: Final = 20_000
"""Keys of these windows together; one window is always dropped."""
MAX_ROWS: Final = 5_000
"""Rows deleted in one transaction."""


class Retention:
    """Drops what is old of one step, inside the caller's transaction."""

    def __init__(
        self, connection: Connection, backend: Backend, tenant: str, plan: str, layout: Layout
    ) -> None:
        self._connection = connection
        self._backend = backend
        self._name = {"tenant": tenant, "plan": plan, "step": layout.step}
        self._width_us = layout.width_us

    def raise_horizon(self, before_us: int) -> bool:
        """Let go of windows that end at or before this instant, oldest first, none that is not finished; whether
        there were any.
        """
        windows, steps = schema.windows, schema.steps
        known = self._locked_horizon(key_share=False)
        dirty = select(func.min(windows.c.end_us)).where(self._of(windows), windows.c.dirty == 1)
        first_dirty = self._connection.execute(dirty).scalar()
        if first_dirty is not None:
            before_us = min(before_us, int(first_dirty) - 1)
        if before_us <= known:
            return False
        ends = select(windows.c.end_us, windows.c["keys"]).where(
            self._of(windows), windows.c.end_us > known, windows.c.end_us <= before_us
        )
        oldest = self._helping(ends.order_by(windows.c.start_us))
        if not oldest:
            return False
        self._connection.execute(update(steps).where(self._of(steps)).values(horizon_us=int(oldest[-1])))
        return True

    def delete_states(self) -> int:
        """Delete some of the states behind the horizon; how many rows went."""
        steps, states = schema.steps, schema.states
        horizon = self._connection.execute(select(steps.c.horizon_us).where(self._of(steps))).scalar_one()
        if horizon == NEVER:
            return 0
        behind = and_(self._of(states), states.c.pane_us <= horizon - self._width_us)
        return self._delete(states, behind)

    def drop_results(self, before_us: int) -> int:
        """Drop windows whose states are gone and whose results last changed before this instant, with their
        results; how many rows went.
        """
        windows, results = schema.windows, schema.results
        horizon = self._locked_horizon(key_share=True)
        old = (
            select(windows.c.start_us, windows.c["keys"])
            .where(self._of(windows), windows.c.end_us <= horizon, windows.c.changed_us < before_us)
            .order_by(windows.c.start_us)
        )
        starts = self._helping(old)
        if not starts:
            return 0
        # A window goes after the last of its results: what is left of it is found again.
        gone = self._delete(results, and_(self._of(results), results.c.start_us.in_(starts)))
        if gone == MAX_ROWS:
            return gone
        done = delete(windows).where(self._of(windows), windows.c.start_us.in_(starts))
        return gone + self._connection.execute(done).rowcount

    def _delete(self, table: Table, which: ColumnElement[bool]) -> int:
        """Delete up to MAX_ROWS rows."""
        if self._backend.shared:
            # By their places in the table: whatever PostgreSQL believes of its rows, it cannot plan that badly.
            place: ColumnElement[Any] = literal_column("ctid")
            some = select(place).select_from(table).where(which).limit(MAX_ROWS)
            among = place == func.any(func.array(some.scalar_subquery()))
        else:
            name = tuple_(*table.primary_key.columns)
            among = name.in_(select(*table.primary_key.columns).where(which).limit(MAX_ROWS))
        return self._connection.execute(delete(table).where(which, among)).rowcount

    def _locked_horizon(self, *, key_share: bool) -> int:
        """The step's horizon. Locked against finishing passes, and without ``key_share`` also against commits."""
        steps = schema.steps
        query = select(steps.c.horizon_us).where(self._of(steps))
        if self._backend.shared:
            query = query.with_for_update(key_share=key_share)
        return int(self._connection.execute(query).scalar_one())

    def _helping(self, query: Select[int, int]) -> list[int]:
        """The first column of as many windows as one transaction takes; the second says how many keys each has."""
        rows = self._connection.execute(query.limit(MAX_WINDOWS)).all()
        totals = accumulate(keys for _, keys in rows)
        return [
            value
            for at, ((value, _), total) in enumerate(zip(rows, totals, strict=True))
            if not at or total <= MAX_KEYS
        ]

    def _of(self, table: Table) -> ColumnElement[bool]:
        return and_(*(table.c[name] == value for name, value in self._name.items()))
