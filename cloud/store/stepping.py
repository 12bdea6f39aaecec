"""One step's table in a commit: merged with the rows that are there, the affected rows written."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from cloud.store.backend import Backend
from cloud.store.bulk import Put
from cloud.store.merging import Row, other_key, overflowing, rekeyed, table_rows
from cloud.store.rows import Layout, key_from_text, key_hash, rows_from_bytes, rows_to_bytes
from fogline.engine.merge import merge_tables
from fogline.engine.state import StateTable

# Makes the windows or counts them up, and so locks them, in the order of their starts.
_TOUCH: Final = (
    "WITH given(start_us) AS ({given}) "
    'INSERT INTO windows (tenant, plan, step, start_us, end_us, "keys", touched, finished, dirty, status, '
    "settled, have, expected, missing, revision, readings, opened_us, changed_us) "
    "SELECT ?, ?, ?, start_us, start_us + ?, 0, 1, 0, 1, 'open', 0, 0, 0, '[]', 0, 0, ?, ? "
    "FROM given WHERE true ORDER BY start_us "
    "ON CONFLICT (tenant, plan, step, start_us) DO UPDATE SET touched = windows.touched + 1, dirty = 1 "
    'RETURNING start_us, "keys", touched'
)
_GROW: Final = (
    "WITH given(start_us, added) AS ({given}) "
    'UPDATE windows SET "keys" = windows."keys" + given.added FROM given '
    "WHERE windows.tenant = ? AND windows.plan = ? AND windows.step = ? "
    "AND windows.start_us = given.start_us RETURNING windows.start_us"
)
_STATES: Final = (
    "WITH given(pane_us, key_hash) AS ({given}) "
    'SELECT s.pane_us, s."key", s.state FROM given JOIN states s '
    "ON s.tenant = ? AND s.plan = ? AND s.step = ? AND s.pane_us = given.pane_us AND s.key_hash = given.key_hash"
)
# The same for PostgreSQL: a lookup by the whole key for each row, whatever it believes of a table that has just grown.
_STATES_LATERAL: Final = (
    "WITH given(pane_us, key_hash) AS ({given}) "
    'SELECT s.pane_us, s."key", s.state FROM given CROSS JOIN LATERAL (SELECT * FROM states WHERE tenant = ? '
    "AND plan = ? AND step = ? AND pane_us = given.pane_us AND key_hash = given.key_hash OFFSET 0) s"
)
_PUT_STATES: Final = Put(
    table="states",
    same=("tenant", "plan", "step"),
    columns=("pane_us", "key_hash", "key", "state", "touched"),
    kinds="ibtbi",
    conflict=(
        "ON CONFLICT (tenant, plan, step, pane_us, key_hash) "
        "DO UPDATE SET state = excluded.state, touched = excluded.touched"
    ),
)


class StepCommit:
    """Merges one table into a step's states."""

    def __init__(
        self,
        connection: Connection,
        backend: Backend,
        plan: tuple[str, str],
        layout: Layout,
        *,
        max_keys: int,
        now_us: int,
    ) -> None:
        self._connection = connection
        self._backend = backend
        self._layout = layout
        self._max_keys = max_keys
        self._now_us = now_us
        self._name = (*plan, layout.step)

    def run(self, table: StateTable) -> None:
        """Merge the table in."""
        rows = table_rows(table)
        held, touched = self._touch({row.pane_us for row in rows})
        stored = self._states(set(rows))
        width = len(self._layout.keys)
        over = overflowing(rows, set(stored), held, self._max_keys, width)
        if over:
            others = {Row(row.pane_us, other_key(width)) for row in over}
            stored |= self._states(others - stored.keys())
            table = rekeyed(table, rows, over)
        other = other_key(width)
        new = {row for row in rows if row not in over and row not in stored and row.key != other}
        merged = self._merged(table, stored)
        self._put(table_rows(merged), rows_to_bytes(self._layout, merged), touched)
        if new:
            added = sorted(_tally(row.pane_us for row in new).items())
            self._ask(_GROW, "ii", list(zip(*added, strict=True)), self._name)

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

    def _touch(self, panes: set[int]) -> tuple[dict[int, int], dict[int, int]]:
        """Keys of the windows, and how often each was committed into, this time included."""
        values = (*self._name, self._layout.width_us, self._now_us, self._now_us)
        found = self._ask(_TOUCH, "i", (sorted(panes),), values)
        return {start: keys for start, keys, _ in found}, {start: times for start, _, times in found}

    def _states(self, wanted: set[Row]) -> dict[Row, bytes]:
        if not wanted:
            return {}
        rows = sorted(wanted)
        columns = ([row.pane_us for row in rows], [key_hash(row.key) for row in rows])
        statement = _STATES_LATERAL if self._backend.shared else _STATES
        found = self._ask(statement, "ib", columns, self._name)
        return {Row(pane, key): state for pane, key, state in found}

    def _put(self, rows: Sequence[Row], states: Sequence[bytes], touched: Mapping[int, int]) -> None:
        values = sorted(
            (row.pane_us, key_hash(row.key), row.key, state, touched[row.pane_us])
            for row, state in zip(rows, states, strict=True)
        )
        self._backend.bulk.put(self._connection, _PUT_STATES, self._name, list(zip(*values, strict=True)))

    def _ask(
        self, statement: str, kinds: str, columns: Sequence[Sequence[Any]], values: Sequence[Any]
    ) -> Any:
        return self._backend.bulk.ask(self._connection, statement, kinds, columns, values)


def _tally(panes: Iterable[int]) -> dict[int, int]:
    tally: dict[int, int] = {}
    for pane in panes:
        tally[pane] = tally.get(pane, 0) + 1
    return tally
