"""What goes when: states that nobody may add to any more, results that were kept long enough."""

from itertools import accumulate
from typing import Final

from sqlalchemy import ColumnElement, Select, Table, and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.store import schema
from cloud.store.rows import Layout

MAX_WINDOWS: Final = 500
"""Windows dropped in one transaction, so that commits do not wait for long."""
MAX_KEYS: Final = 20_000
"""Keys of these windows together; one window is always dropped."""


class Retention:
    """Drops what is old of one step, inside the caller's transaction."""

    def __init__(self, connection: AsyncConnection, tenant: str, plan: str, layout: Layout) -> None:
        self._connection = connection
        self._name = {"tenant": tenant, "plan": plan, "step": layout.step}
        self._width_us = layout.width_us

    async def retire_states(self, before_us: int) -> int:
        """Drop states of windows that end at or before this instant, oldest first, none that is not
        finished.
        """
        windows, steps, states = schema.windows, schema.steps, schema.states
        dirty = select(func.min(windows.c.end_us)).where(self._of(windows), windows.c.dirty == 1)
        first_dirty = (await self._connection.execute(dirty)).scalar()
        if first_dirty is not None:
            before_us = min(before_us, int(first_dirty) - 1)
        known = (
            await self._connection.execute(select(steps.c.horizon_us).where(self._of(steps)))
        ).scalar_one()
        if before_us <= known:
            return 0
        ends = select(windows.c.end_us, windows.c["keys"]).where(
            self._of(windows), windows.c.end_us > known, windows.c.end_us <= before_us
        )
        oldest = await self._helping(ends.order_by(windows.c.start_us))
        if not oldest:
            return 0
        upto = int(oldest[-1])
        gone = await self._connection.execute(
            delete(states).where(self._of(states), states.c.pane_us <= upto - self._width_us)
        )
        await self._connection.execute(update(steps).where(self._of(steps)).values(horizon_us=upto))
        return int(gone.rowcount)

    async def drop_results(self, before_us: int) -> int:
        """Drop windows whose states are gone and whose results last changed before this instant, with their
        results.
        """
        windows, steps, results = schema.windows, schema.steps, schema.results
        horizon = select(steps.c.horizon_us).where(self._of(steps)).scalar_subquery()
        old = (
            select(windows.c.start_us, windows.c["keys"])
            .where(self._of(windows), windows.c.end_us <= horizon, windows.c.changed_us < before_us)
            .order_by(windows.c.start_us)
        )
        starts = await self._helping(old)
        for table in (results, windows) if starts else ():
            await self._connection.execute(delete(table).where(self._of(table), table.c.start_us.in_(starts)))
        return len(starts)

    async def _helping(self, query: Select[int, int]) -> list[int]:
        """The first column of as many windows as one transaction takes; the second says how many keys each has."""
        rows = (await self._connection.execute(query.limit(MAX_WINDOWS))).all()
        totals = accumulate(keys for _, keys in rows)
        return [
            value
            for at, ((value, _), total) in enumerate(zip(rows, totals, strict=True))
            if not at or total <= MAX_KEYS
        ]

    def _of(self, table: Table) -> ColumnElement[bool]:
        return and_(*(table.c[name] == value for name, value in self._name.items()))
