"""What a commit does to a step's states: which rows stay apart, which fall into ``(other)``, which come too
late.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from cloud.store.rows import Layout, key_columns, key_text, row_keys
from fogline.engine.state import OTHER, DenseState, PartState, ReadingTerm, StateTable

STATE_GONE: Final = "state_gone"
"""Why readings of a window whose state was retired are too late (C7)."""


class Row(NamedTuple):
    """Names a row of states within its step."""

    pane_us: int
    key: str
    """As :func:`cloud.store.rows.key_text` writes it."""


def drop_retired(state: PartState, layouts: Mapping[str, Layout], horizons: Mapping[str, int]) -> PartState:
    """Take out the rows whose window's state is gone, and move their readings from counted to too late."""
    counts = dict(state.counts)
    tables = []
    for table in state.tables:
        gone = table.pane_start + table.pane_width_us <= horizons[table.step]
        if not gone.any():
            tables.append(table)
            continue
        readings = table.state("readings")
        assert isinstance(readings, DenseState)
        late = int(readings.values[gone].sum())
        stream = layouts[table.step].stream
        counted = ReadingTerm(stream, table.step, "counted")
        too_late = ReadingTerm(stream, table.step, "too_late", STATE_GONE)
        counts[counted] = counts.get(counted, 0) - late
        counts[too_late] = counts.get(too_late, 0) + late
        if not gone.all():
            tables.append(table.take(np.flatnonzero(~gone)))
    return PartState(tables=tuple(tables), counts=counts)


def table_rows(table: StateTable) -> list[Row]:
    """The names of a table's rows."""
    texts = [key_text(key) for key in row_keys(table)]
    return [Row(pane, text) for pane, text in zip(table.pane_start.tolist(), texts, strict=True)]


def overflowing(
    rows: Iterable[Row], stored: set[Row], keys: Mapping[int, int], max_keys: int, width: int
) -> set[Row]:
    """Which new rows find their window full: beyond ``max_keys`` keys a window gets no further ones.

    ``keys`` says how many each pane has. Which keys come first may depend on how parts were cut; within one
    commit it is their order.
    """
    if not width:
        return set()
    other = other_key(width)
    free: dict[int, int] = {}
    over: set[Row] = set()
    for row in sorted(set(rows) - stored):
        if row.key == other:
            continue
        left = free.setdefault(row.pane_us, max_keys - keys.get(row.pane_us, 0))
        if left > 0:
            free[row.pane_us] = left - 1
        else:
            over.add(row)
    return over


def other_key(width: int) -> str:
    """The key of the row that holds what went over ``max_keys``, of so many columns."""
    return key_text((OTHER,) * width)


def rekeyed(table: StateTable, rows: Sequence[Row], over: set[Row]) -> StateTable:
    """The table with the overflowing rows' keys replaced; several rows may then have one key."""
    if not over:
        return table
    other = (OTHER,) * len(table.keys)
    keys = [other if row in over else key for row, key in zip(rows, row_keys(table), strict=True)]
    return replace(table, keys=key_columns([column.name for column in table.keys], keys))
