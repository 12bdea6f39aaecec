"""The commit: parts' states and offsets in one transaction (docs/protocol.md, C1 to C7)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.store import schema
from cloud.store.backend import Backend
from cloud.store.merging import Row, drop_retired, other_key, overflowing, rekeyed, table_rows
from cloud.store.origins import Origins
from cloud.store.rows import Layout, key_from_text, key_hash, rows_from_bytes, rows_to_bytes
from cloud.store.settlement import BatchOutcome, Position, Progress, Submission, progresses, settle_all
from fogline.engine.merge import merge_all, merge_tables
from fogline.engine.state import PartState, StateTable
from fogline.intake.marks import Mark
from fogline.model.errors import NotFound
from fogline.model.part import Origin

T = TypeVar("T")

NEW_WINDOW: Final = {
    "finished": 0,
    "dirty": 1,
    "status": "open",
    "settled": 0,
    "have": 0,
    "expected": 0,
    "missing": "[]",
    "revision": 0,
    "readings": 0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLayout:
    """What the commit needs to know of a plan."""

    tenant: str
    plan: str
    max_keys: int
    steps: Mapping[str, Layout]


Layouts = Mapping[tuple[str, str], PlanLayout]


class Commit:
    """One batch of parts inside one writing transaction."""

    def __init__(self, connection: AsyncConnection, backend: Backend, origins: Origins, now_us: int) -> None:
        self._connection = connection
        self._backend = backend
        self._origins = origins
        self._now_us = now_us

    async def run(self, submissions: Sequence[Submission], layouts: Layouts) -> BatchOutcome:
        """Judge, merge and write; the caller commits. Raises :class:`NotFound` for an unknown plan."""
        for submission in submissions:
            if (submission.tenant, submission.plan) not in layouts:
                raise NotFound(f"there is no plan {submission.plan}")
        wanted = progresses(submissions)
        numbers = await self._origins.numbers(self._connection, (at.origin for at in wanted))
        outcome = settle_all(submissions, await self._positions(wanted, numbers))
        for plan, state in _merged(outcome.fresh).items():
            await self._write_state(layouts[plan], state)
        if outcome.positions:
            await self._write_positions(outcome, numbers)
        return outcome

    async def _positions(
        self, wanted: Iterable[Progress], numbers: Mapping[Origin, int]
    ) -> dict[Progress, Position]:
        """The stored rows of offsets. SQLite needs no row locks: the transaction holds the only one."""
        table = schema.offsets
        plans: dict[tuple[str, str], dict[int, Progress]] = {}
        for at in wanted:
            plans.setdefault((at.tenant, at.plan), {})[numbers[at.origin]] = at
        found: dict[Progress, Position] = {}
        for (tenant, plan), names in sorted(plans.items()):
            for chunk in _chunks(sorted(names), self._backend.chunk):
                query = select(table).where(
                    table.c.tenant == tenant, table.c.plan == plan, table.c.origin.in_(chunk)
                )
                for row in await self._connection.execute(query):
                    found[names[row.origin]] = Position(
                        start=row.start,
                        offset=row.position,
                        messages=row.messages,
                        mark=Mark(watermark=row.watermark, closed=bool(row.closed)),
                    )
        return found

    async def _write_positions(self, outcome: BatchOutcome, numbers: Mapping[Origin, int]) -> None:
        rows = [
            {
                "tenant": at.tenant,
                "plan": at.plan,
                "origin": numbers[at.origin],
                "start": position.start,
                "position": position.offset,
                "messages": position.messages,
                "watermark": position.mark.watermark,
                "closed": int(position.mark.closed),
                "gone": 0,
                "touched_us": self._now_us,
            }
            for at, position in outcome.positions.items()
        ]
        rows.sort(key=lambda row: (row["tenant"], row["plan"], row["origin"]))
        changed = ("position", "messages", "watermark", "closed", "gone", "touched_us")
        await self._connection.execute(self._backend.upsert(schema.offsets, overwrite=changed), rows)
        gaps = [
            {
                "tenant": at.tenant,
                "plan": at.plan,
                "origin": numbers[at.origin],
                "reason": reason,
                "messages": messages,
            }
            for (at, reason), messages in outcome.gaps.items()
        ]
        if gaps:
            await self._connection.execute(self._backend.upsert(schema.gaps, add=("messages",)), gaps)

    async def _write_state(self, plan: PlanLayout, state: PartState) -> None:
        if state.tables:
            state = drop_retired(state, plan.steps, await self._horizons(plan))
        for table in sorted(state.tables, key=lambda table: table.step):
            layout = plan.steps[table.step]
            await StepCommit(self._connection, self._backend, plan, layout, self._now_us).run(table)
        counts = [
            {
                "tenant": plan.tenant,
                "plan": plan.plan,
                "stream": of.stream,
                "step": of.step,
                "term": of.term,
                "reason": of.reason,
                "readings": readings,
            }
            for of, readings in sorted(state.counts.items())
            if readings
        ]
        if counts:
            await self._connection.execute(self._backend.upsert(schema.counters, add=("readings",)), counts)

    async def _horizons(self, plan: PlanLayout) -> dict[str, int]:
        table = schema.steps
        query = select(table.c.step, table.c.horizon_us).where(
            table.c.tenant == plan.tenant, table.c.plan == plan.plan
        )
        return {row.step: row.horizon_us for row in await self._connection.execute(query)}


class StepCommit:
    """One step's table: merged with the rows that are there, the affected rows written."""

    def __init__(
        self, connection: AsyncConnection, backend: Backend, plan: PlanLayout, layout: Layout, now_us: int
    ) -> None:
        self._connection = connection
        self._backend = backend
        self._plan = plan
        self._layout = layout
        self._now_us = now_us
        self._name = {"tenant": plan.tenant, "plan": plan.plan, "step": layout.step}

    async def run(self, table: StateTable) -> None:
        """Merge the table in."""
        rows = table_rows(table)
        windows = await self._windows({row.pane_us for row in rows})
        stored = await self._states(set(rows))
        width = len(self._layout.keys)
        keys = {pane: window[0] for pane, window in windows.items()}
        over = overflowing(rows, set(stored), keys, self._plan.max_keys, width)
        if over:
            others = {Row(row.pane_us, other_key(width)) for row in over}
            stored |= await self._states(others - stored.keys())
            table = rekeyed(table, rows, over)
        new = {row for row in rows if row not in over and row not in stored and row.key != other_key(width)}
        merged = self._merged(table, stored)
        written = table_rows(merged)
        counted = _tally(row.pane_us for row in new)
        touched = {
            pane: (keys.get(pane, 0) + counted.get(pane, 0), windows.get(pane, (0, 0))[1] + 1)
            for pane in {row.pane_us for row in written}
        }
        await self._put_states(written, rows_to_bytes(self._layout, merged), touched)
        await self._put_windows(touched)

    def _merged(self, table: StateTable, stored: Mapping[Row, bytes]) -> StateTable:
        if not stored:
            return merge_tables((table,))
        before = rows_from_bytes(
            self._layout,
            [row.pane_us for row in stored],
            [key_from_text(row.key) for row in stored],
            list(stored.values()),
        )
        return merge_tables((before, table))

    async def _windows(self, panes: set[int]) -> dict[int, tuple[int, int]]:
        """(keys, touched) of the windows that are there."""
        table = schema.windows
        found = {}
        for chunk in _chunks(sorted(panes), self._backend.chunk):
            query = select(table.c.start_us, table.c["keys"].label("held"), table.c.touched).where(
                *(table.c[name] == value for name, value in self._name.items()), table.c.start_us.in_(chunk)
            )
            for row in await self._connection.execute(query):
                found[row.start_us] = (row.held, row.touched)
        return found

    async def _states(self, wanted: set[Row]) -> dict[Row, bytes]:
        table = schema.states
        found = {}
        for chunk in _chunks(sorted(wanted), self._backend.chunk // 2):
            names = [(row.pane_us, key_hash(row.key)) for row in chunk]
            query = select(table.c.pane_us, table.c.key, table.c.state).where(
                *(table.c[name] == value for name, value in self._name.items()),
                tuple_(table.c.pane_us, table.c.key_hash).in_(names),
            )
            for row in await self._connection.execute(query):
                found[Row(row.pane_us, row.key)] = row.state
        return found

    async def _put_states(
        self, rows: Sequence[Row], states: Sequence[bytes], touched: Mapping[int, tuple[int, int]]
    ) -> None:
        values = [
            self._name
            | {
                "pane_us": row.pane_us,
                "key_hash": key_hash(row.key),
                "key": row.key,
                "state": state,
                "touched": touched[row.pane_us][1],
            }
            for row, state in zip(rows, states, strict=True)
        ]
        values.sort(key=lambda value: (value["pane_us"], value["key_hash"]))
        await self._connection.execute(
            self._backend.upsert(schema.states, overwrite=("state", "touched")), values
        )

    async def _put_windows(self, touched: Mapping[int, tuple[int, int]]) -> None:
        values = [
            self._name
            | NEW_WINDOW
            | {
                "start_us": pane,
                "end_us": pane + self._layout.width_us,
                "keys": keys,
                "touched": times,
                "opened_us": self._now_us,
                "changed_us": self._now_us,
            }
            for pane, (keys, times) in sorted(touched.items())
        ]
        await self._connection.execute(
            self._backend.upsert(schema.windows, overwrite=("keys", "touched", "dirty")), values
        )


def _merged(fresh: Iterable[Submission]) -> dict[tuple[str, str], PartState]:
    """The fresh states of each plan, as one."""
    states: dict[tuple[str, str], list[PartState]] = {}
    for submission in fresh:
        states.setdefault((submission.tenant, submission.plan), []).append(submission.part.state)
    return {plan: merge_all(states[plan]) for plan in sorted(states)}


def _tally(panes: Iterable[int]) -> dict[int, int]:
    tally: dict[int, int] = {}
    for pane in panes:
        tally[pane] = tally.get(pane, 0) + 1
    return tally


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for at in range(0, len(items), size):
        yield items[at : at + size]
