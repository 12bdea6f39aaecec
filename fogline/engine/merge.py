"""Merging of states: commutative and associative, with the empty part state as identity.

Merged tables are canonical: rows in ascending order of pane and keys (null last), dictionaries sorted and
without unused texts. So whatever the tree and the order, the same readings give the same table, bit for bit
but for float sums (docs/engine.md).
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fogline.engine.groups import (
    Groups,
    added_maps,
    float_sums,
    greatest_maps,
    group,
    integer_sums,
    maxima,
    minima,
)
from fogline.engine.keys import are_other, joined_key, key_column, others, within_limit
from fogline.engine.state import (
    DENSE_KINDS,
    SPARSE_KINDS,
    DenseState,
    KeyColumn,
    PartState,
    ReadingTerm,
    SparseState,
    State,
    StateTable,
)
from fogline.model.errors import InvalidInput


class NotMergeable(InvalidInput):
    """States of different layouts, or of a kind that this program does not know."""

    code = "not_mergeable"


def mergeable(a: PartState, b: PartState) -> bool:
    """Whether the two can be merged: every step in both has one layout, and only kinds that are known."""
    ours, theirs = by_step(a), by_step(b)
    if ours is None or theirs is None:
        return False
    return all(alike(ours[step], table) for step, table in theirs.items() if step in ours)


def by_step(state: PartState) -> dict[str, StateTable] | None:
    """The table of each step; None if one of them can never be merged."""
    found = {table.step: table for table in state.tables}
    return found if len(found) == len(state.tables) and all(map(is_known, state.tables)) else None


def alike(a: StateTable, b: StateTable) -> bool:
    """Whether two tables have one layout: pane width, keys, and the states' names, kinds and parameters."""
    return (
        a.pane_width_us == b.pane_width_us
        and len(a.keys) == len(b.keys)
        and len(a.states) == len(b.states)
        and all(map(_named_alike, a.keys, b.keys))
        and all(map(_kept_alike, a.states, b.states))
    )


def _named_alike(a: KeyColumn, b: KeyColumn) -> bool:
    return a.name == b.name


def _kept_alike(a: State, b: State) -> bool:
    return a.name == b.name and a.kind == b.kind and a.parameters == b.parameters


def merge(a: PartState, b: PartState) -> PartState:
    """Merge two states, as if the readings of both had come to one place.

    Raises :class:`NotMergeable` where :func:`mergeable` says so.
    """
    return merge_all((a, b))


def merge_all(parts: Sequence[PartState]) -> PartState:
    """Merge any number of states at once: cheaper than one after another.

    Raises :class:`NotMergeable` if two of them are not :func:`mergeable`.
    """
    tables: dict[str, list[StateTable]] = {}
    for part in parts:
        for table in part.tables:
            tables.setdefault(table.step, []).append(table)
    return PartState(
        tables=tuple(merge_tables(tables[step]) for step in sorted(tables)),
        counts=add_counts(part.counts for part in parts),
    )


def add_counts(counts: Iterable[Mapping[ReadingTerm, int]]) -> Mapping[ReadingTerm, int]:
    """Add up the ledger's terms."""
    total: dict[ReadingTerm, int] = {}
    for one in counts:
        for term, readings in one.items():
            total[term] = total.get(term, 0) + readings
    return total


def merge_tables(tables: Sequence[StateTable]) -> StateTable:
    """Merge tables of one step; at least one is needed.

    Raises :class:`NotMergeable` if their layouts differ or a state is of a kind that is not known.
    """
    first = tables[0]
    if not is_known(first) or not all(alike(first, table) for table in tables[1:]):
        raise NotMergeable(f"the states of step {first.step!r} have different layouts or unknown kinds")
    if _same_rows(first, tables[1:]) and _is_canonical(first):
        groups = Groups(of_row=np.tile(np.arange(first.rows), len(tables)), count=first.rows)
        return _merged(tables, groups, first.pane_start, first.keys)
    keys = [joined_key([table.keys[place] for table in tables]) for place in range(len(first.keys))]
    panes, pane_codes = np.unique(np.concatenate([t.pane_start for t in tables]), return_inverse=True)
    columns = [(pane_codes.astype(np.int64), len(panes)), *((c, len(texts) + 1) for c, texts in keys)]
    groups = group(len(pane_codes), columns)
    rows = groups.any_row()
    key_columns = tuple(
        key_column(key.name, codes, rows) for key, codes in zip(first.keys, keys, strict=True)
    )
    return _merged(tables, groups, panes[pane_codes[rows]], key_columns)


def _merged(
    tables: Sequence[StateTable], groups: Groups, pane_start: NDArray[np.int64], keys: tuple[KeyColumn, ...]
) -> StateTable:
    first = tables[0]
    states = [
        _reduced([table.states[place] for table in tables], groups) for place in range(len(first.states))
    ]
    return StateTable(
        step=first.step,
        pane_width_us=first.pane_width_us,
        pane_start=pane_start,
        keys=keys,
        states=tuple(states),
    )


def _reduced(states: Sequence[State], groups: Groups) -> State:
    dense = [state for state in states if isinstance(state, DenseState)]
    if dense:
        return _reduced_dense(dense, groups)
    return _reduced_sparse([state for state in states if isinstance(state, SparseState)], groups)


def _reduced_dense(states: Sequence[DenseState], groups: Groups) -> DenseState:
    first = states[0]
    values = np.concatenate([state.values for state in states])
    if first.kind == "sum_i64":
        reduced: NDArray[np.int64] | NDArray[np.float64] = integer_sums(
            groups, values.astype(np.int64, copy=False)
        )
    else:
        operation = {"sum_f64": float_sums, "min_f64": minima, "max_f64": maxima}[first.kind]
        reduced = operation(groups, values.astype(np.float64, copy=False))
    return DenseState(name=first.name, kind=first.kind, values=reduced, parameters=first.parameters)


def _reduced_sparse(states: Sequence[SparseState], groups: Groups) -> SparseState:
    first = states[0]
    of_entry = Groups(
        of_row=np.repeat(groups.of_row, np.concatenate([state.lengths for state in states])),
        count=groups.count,
    )
    indexes = np.concatenate([state.indexes for state in states])
    values = np.concatenate([state.values for state in states])
    if first.kind == "map_add":
        maps = added_maps(of_entry, indexes, values.astype(np.int64, copy=False))
        counts: NDArray[np.int64] | NDArray[np.uint8] = maps.values
    else:
        maps = greatest_maps(of_entry, indexes, values.astype(np.uint8, copy=False))
        counts = maps.values.astype(np.uint8)
    return SparseState(
        name=first.name,
        kind=first.kind,
        parameters=first.parameters,
        lengths=maps.lengths,
        indexes=maps.indexes,
        values=counts,
    )


def limit_keys(table: StateTable, max_keys: int) -> StateTable:
    """Move all but the ``max_keys`` largest keys of each pane into the key ``(other)``; totals stay exact.

    ``max_keys`` keys of their own may stand beside ``(other)``. A table without keys is left as it is.
    """
    if not table.keys or table.rows <= max_keys:
        return table
    readings = table.states[0]
    assert isinstance(readings, DenseState)
    # What is there under the key (other) counts for nobody's limit, so that limiting twice changes nothing.
    keeps = are_other(table.keys)
    own = np.flatnonzero(~keeps)
    counts = readings.values[own].astype(np.int64, copy=False)
    keeps[own] = within_limit(table.pane_start[own], counts, max_keys)
    return keep_keys(table, keeps)


def keep_keys(table: StateTable, keeps: NDArray[np.bool_]) -> StateTable:
    """Move the rows that are not to keep their keys into the key ``(other)`` of their pane."""
    if keeps.all():
        return table
    moved = StateTable(
        step=table.step,
        pane_width_us=table.pane_width_us,
        pane_start=table.pane_start,
        keys=others(table.keys, keeps),
        states=table.states,
    )
    return merge_tables((moved,))


def encoded_size(state: PartState) -> int:
    """Estimate the bytes that a state takes on the wire from above, by some tens of bytes a column."""
    return sum(map(_table_size, state.tables)) + sum(
        16 + len(term.stream) + len(term.step) + len(term.reason) for term in state.counts
    )


def _table_size(table: StateTable) -> int:
    size = 64 + len(table.step) + 8 * table.rows
    for key in table.keys:
        texts = "".join(key.dictionary)
        size += 16 + 4 * table.rows + len(texts) * (1 if texts.isascii() else 4)
        size += 3 * len(key.dictionary)  # each text has a tag and a length
    for state in table.states:
        size += 32 + len(state.name) + len(state.kind)
        if state.parameters:
            size += sum(16 + len(name) for name in state.parameters)
        if isinstance(state, DenseState):
            size += state.values.nbytes
        elif isinstance(state, SparseState):
            size += state.lengths.nbytes + state.indexes.nbytes + state.values.nbytes
        else:
            size += len(state.values) + len(state.lengths) + len(state.indexes)
    return size


def is_known(table: StateTable) -> bool:
    """Whether all of its states are of kinds that this program knows."""
    return all(map(_is_known_kind, table.states))


def _is_known_kind(state: State) -> bool:
    if isinstance(state, DenseState):
        return state.kind in DENSE_KINDS
    return isinstance(state, SparseState) and state.kind in SPARSE_KINDS


def _same_rows(first: StateTable, others: Sequence[StateTable]) -> bool:
    """Whether all tables have the rows of the first: compared as bytes, since most tables have few."""
    panes = first.pane_start.tobytes()
    keys = [(place, key.dictionary, key.codes.tobytes()) for place, key in enumerate(first.keys)]
    for table in others:
        if table.pane_start.tobytes() != panes:
            return False
        for place, dictionary, codes in keys:
            key = table.keys[place]
            if key.dictionary != dictionary or key.codes.tobytes() != codes:
                return False
    return True


def _is_canonical(table: StateTable) -> bool:
    """Whether the rows ascend, so that no two have the same pane and keys."""
    ahead = table.pane_start[1:] > table.pane_start[:-1]
    level = table.pane_start[1:] == table.pane_start[:-1]
    for key in table.keys:
        ahead |= level & (key.codes[1:] > key.codes[:-1])
        level &= key.codes[1:] == key.codes[:-1]
        if list(key.dictionary) != sorted(key.dictionary):
            return False
    return bool(ahead.all())
