"""A row of a state table as bytes, and back: what the column ``states.state`` holds.

Little-endian: every dense state's 8 bytes, then every sparse state's number of entries (uint32), then for
each sparse state its indexes (int32) and values (int64 or uint8). The order is the layout's; the plan never
changes, so neither does the layout, and no row has to repeat it.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fogline.engine.state import (
    DENSE_KINDS,
    NULL_CODE,
    READINGS,
    SPARSE_KINDS,
    DenseState,
    KeyColumn,
    SparseState,
    State,
    StateTable,
)
from fogline.model.errors import DataLoss
from fogline.model.plan import Plan, StateSpec, WindowQuery

Key = tuple[str | None, ...]

HASH_BYTES: Final = 16
MAX_INSTANT: Final = 2**62
_encode: Final = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode
_FLOAT: Final = np.dtype("<f8")
_INTEGER: Final = np.dtype("<i8")
_COUNT: Final = np.dtype("<u4")
_INDEX: Final = np.dtype("<i4")
_RANK: Final = np.dtype("u1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a step's state tables look like, by its plan."""

    step: str
    stream: str
    width_us: int
    keys: tuple[str, ...]
    dense: tuple[StateSpec, ...]
    sparse: tuple[StateSpec, ...]
    order: tuple[str, ...]
    """Names of all states in the table's order."""


def layout_of(step: str, stream: str, query: WindowQuery) -> Layout:
    """The layout that a window step gives to its tables: ``readings`` first, then the plan's states."""
    states = (StateSpec(name=READINGS, kind="sum_i64", function="count"), *query.states)
    return Layout(
        step=step,
        stream=stream,
        width_us=query.width_us,
        keys=tuple(key.name for key in query.keys),
        dense=tuple(s for s in states if s.kind in DENSE_KINDS),
        sparse=tuple(s for s in states if s.kind in SPARSE_KINDS),
        order=tuple(s.name for s in states),
    )


def layouts_of(plan: Plan) -> dict[str, Layout]:
    """The layout of each window step of a plan."""
    return {
        step.name: layout_of(step.name, step.stream, step.query)
        for step in plan.steps
        if isinstance(step.query, WindowQuery)
    }


def difference(layout: Layout, table: StateTable) -> str:
    """Say in what a table contradicts its layout; empty if in nothing."""
    said = (
        ("panes of µs", table.pane_width_us, layout.width_us),
        ("keys", tuple(key.name for key in table.keys), layout.keys),
        ("states", tuple(state.name for state in table.states), layout.order),
        *(
            (f"state {state.name}", (state.kind, dict(state.parameters)), (spec.kind, dict(spec.parameters)))
            for spec in (*layout.dense, *layout.sparse)
            for state in table.states
            if state.name == spec.name
        ),
    )
    for what, is_, should in said:
        if is_ != should:
            return f"{what} {is_}, the plan says {should}"
    if bool(np.any(table.pane_start % layout.width_us != 0)):
        return "a pane that does not start at a multiple of its width"
    if bool(np.any((table.pane_start > MAX_INSTANT) | (table.pane_start < -MAX_INSTANT))):
        return "a pane that starts outside of what a calendar has"
    return ""


def key_text(key: Key) -> str:
    """A key as the text that the store keeps: a JSON array."""
    return _encode(key)


def key_from_text(text: str) -> Key:
    """The key of a text that :func:`key_text` wrote."""
    return tuple(json.loads(text))


def key_hash(text: str) -> bytes:
    """What stands for a key in the store's indexes, which cannot hold texts of any length."""
    return blake2b(text.encode(), digest_size=HASH_BYTES).digest()


def row_keys(table: StateTable) -> list[Key]:
    """The key of every row."""
    if not table.keys:
        return [()] * table.rows
    return list(zip(*(column.texts() for column in table.keys), strict=True))


def rows_to_bytes(layout: Layout, table: StateTable) -> list[bytes]:
    """Every row of a table that has this layout."""
    if not table.rows:
        return []
    dense = np.stack([_dense(table, spec.name) for spec in layout.dense], axis=1)
    sparse = [_sparse(table, spec.name) for spec in layout.sparse]
    width = dense.shape[1] * 8
    heads = dense.tobytes()
    if not sparse:
        return [heads[at : at + width] for at in range(0, len(heads), width)]
    counts = np.stack([state.lengths for state in sparse], axis=1).astype(_COUNT).tobytes()
    count_width = 4 * len(sparse)
    columns = [column for state in sparse for column in _entries(state)]
    rows = zip(*columns, strict=True)
    return [
        b"".join((heads[i * width : (i + 1) * width], counts[i * count_width : (i + 1) * count_width], *row))
        for i, row in enumerate(rows)
    ]


def rows_from_bytes(
    layout: Layout, panes: Sequence[int], keys: Sequence[Key], rows: Sequence[bytes]
) -> StateTable:
    """The table that these rows are. Raises :class:`DataLoss` if a row is not what its layout says."""
    width = 8 * len(layout.dense)
    body = width + 4 * len(layout.sparse)
    if any(len(row) < body for row in rows):
        raise DataLoss(f"a state of step {layout.step} is shorter than its layout")
    numbers = np.frombuffer(b"".join(row[:width] for row in rows), _INTEGER).reshape(
        len(rows), len(layout.dense)
    )
    states: dict[str, State] = {}
    for column, spec in enumerate(layout.dense):
        values = np.ascontiguousarray(numbers[:, column])
        states[spec.name] = DenseState(
            name=spec.name,
            kind=spec.kind,
            values=values if spec.kind == "sum_i64" else values.view(_FLOAT),
            parameters=spec.parameters,
        )
    for state in _sparse_states(layout, rows, width, body):
        states[state.name] = state
    return StateTable(
        step=layout.step,
        pane_width_us=layout.width_us,
        pane_start=np.array(panes, dtype=np.int64),
        keys=key_columns(layout.keys, keys),
        states=tuple(states[name] for name in layout.order),
    )


def key_columns(names: Sequence[str], keys: Sequence[Key]) -> tuple[KeyColumn, ...]:
    """Key columns of rows with these keys."""
    return tuple(_key_column(name, [key[at] for key in keys]) for at, name in enumerate(names))


def _key_column(name: str, texts: Sequence[str | None]) -> KeyColumn:
    numbers: dict[str, int] = {}
    codes = [NULL_CODE if text is None else numbers.setdefault(text, len(numbers)) for text in texts]
    return KeyColumn(name=name, dictionary=tuple(numbers), codes=np.array(codes, dtype=np.uint32))


def _dense(table: StateTable, name: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    state = table.state(name)
    assert isinstance(state, DenseState)
    return np.ascontiguousarray(state.values).view(_INTEGER)


def _sparse(table: StateTable, name: str) -> SparseState:
    state = table.state(name)
    assert isinstance(state, SparseState)
    return state


def _entries(state: SparseState) -> tuple[list[bytes], list[bytes]]:
    """Every row's indexes and every row's values."""
    ends = np.cumsum(state.lengths, dtype=np.int64).tolist()
    value = _RANK if state.kind == "map_max" else _INTEGER
    return (
        _slices(state.indexes.astype(_INDEX, copy=False).tobytes(), ends, _INDEX.itemsize),
        _slices(state.values.astype(value, copy=False).tobytes(), ends, value.itemsize),
    )


def _slices(data: bytes, ends: Iterable[int], size: int) -> list[bytes]:
    slices, start = [], 0
    for end in ends:
        slices.append(data[start * size : end * size])
        start = end
    return slices


def _sparse_states(layout: Layout, rows: Sequence[bytes], width: int, body: int) -> list[SparseState]:
    if not layout.sparse:
        if any(len(row) != body for row in rows):
            raise DataLoss(f"a state of step {layout.step} is longer than its layout")
        return []
    counts = np.frombuffer(b"".join(row[width:body] for row in rows), _COUNT).reshape(
        len(rows), len(layout.sparse)
    )
    sizes = [_INDEX.itemsize + (_RANK if s.kind == "map_max" else _INTEGER).itemsize for s in layout.sparse]
    if any(
        len(row) != body + sum(n * size for n, size in zip(entries, sizes, strict=True))
        for row, entries in zip(rows, counts.tolist(), strict=True)
    ):
        raise DataLoss(f"a state of step {layout.step} is not as long as it says")
    starts = [
        list(accumulate((n * size for n, size in zip(entries, sizes, strict=True)), initial=body))
        for entries in counts.tolist()
    ]
    return [
        _sparse_state(spec, rows, [start[at] for start in starts], counts[:, at])
        for at, spec in enumerate(layout.sparse)
    ]


def _sparse_state(
    spec: StateSpec,
    rows: Sequence[bytes],
    starts: Sequence[int],
    lengths: np.ndarray[tuple[int], np.dtype[np.uint32]],
) -> SparseState:
    value = _RANK if spec.kind == "map_max" else _INTEGER
    counts = lengths.tolist()
    indexes = b"".join(
        row[at : at + n * _INDEX.itemsize] for row, at, n in zip(rows, starts, counts, strict=True)
    )
    values = b"".join(
        row[at + n * _INDEX.itemsize : at + n * (_INDEX.itemsize + value.itemsize)]
        for row, at, n in zip(rows, starts, counts, strict=True)
    )
    return SparseState(
        name=spec.name,
        kind=spec.kind,
        lengths=lengths.astype(np.uint32),
        indexes=np.frombuffer(indexes, _INDEX).astype(np.int32),
        values=_typed(values, spec.kind),
        parameters=spec.parameters,
    )


def _typed(values: bytes, kind: str) -> NDArray[np.int64] | NDArray[np.uint8]:
    return np.frombuffer(values, _RANK) if kind == "map_max" else np.frombuffer(values, _INTEGER)
