"""State tables and reading counts on the wire. The layout of each kind is told in ``types.proto``."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fogline.engine.state import (
    DENSE_KINDS,
    EXTREMES,
    NULL_CODE,
    READINGS,
    SPARSE_KINDS,
    DenseState,
    KeyColumn,
    OpaqueState,
    ReadingTerm,
    SparseState,
    State,
    StateTable,
    Term,
)
from fogline.model.errors import MalformedPart
from fogline.v1 import types_pb2

_I64: Final = np.dtype("<i8")
_F64: Final = np.dtype("<f8")
_U32: Final = np.dtype("<u4")
_I32: Final = np.dtype("<i4")
_U8: Final = np.dtype("u1")

_TERM_TO_WIRE: Final[Mapping[Term, types_pb2.ReadingCount.Term]] = {
    "decoded": types_pb2.ReadingCount.TERM_DECODED,
    "counted": types_pb2.ReadingCount.TERM_COUNTED,
    "filtered": types_pb2.ReadingCount.TERM_FILTERED,
    "dead": types_pb2.ReadingCount.TERM_DEAD,
    "too_late": types_pb2.ReadingCount.TERM_TOO_LATE,
}
_TERM_FROM_WIRE: Final = {number: term for term, number in _TERM_TO_WIRE.items()}

PartCounts = Mapping[ReadingTerm, int]


def table_to_wire(table: StateTable) -> types_pb2.StateTable:
    """Encode a table."""
    return types_pb2.StateTable(
        step=table.step,
        pane_width_us=table.pane_width_us,
        rows=table.rows,
        pane_start_us=_bytes(table.pane_start, _I64),
        keys=[
            types_pb2.KeyColumn(name=key.name, dictionary=key.dictionary, codes=_bytes(key.codes, _U32))
            for key in table.keys
        ],
        states=[_state_to_wire(state) for state in table.states],
    )


def table_from_wire(message: types_pb2.StateTable) -> StateTable:
    """Decode a table, or raise :class:`MalformedPart` with the step and column."""
    place = f"table {message.step!r}"
    if not message.step:
        raise MalformedPart("a table without the name of its step")
    if message.pane_width_us <= 0:
        raise MalformedPart(f"{place}: a pane's width is above 0, not {message.pane_width_us}")
    rows = message.rows
    keys = tuple(_key_from_wire(key, rows, place) for key in message.keys)
    states = tuple(_state_from_wire(state, rows, place) for state in message.states)
    _check_distinct([key.name for key in keys], f"{place}: two keys")
    _check_distinct([state.name for state in states], f"{place}: two states")
    _check_readings(states, place)
    return StateTable(
        step=message.step,
        pane_width_us=message.pane_width_us,
        pane_start=_array(message.pane_start_us, _I64, rows, f"{place}: pane_start_us"),
        keys=keys,
        states=states,
    )


def counts_to_wire(counts: PartCounts) -> list[types_pb2.ReadingCount]:
    """Encode what became of the readings."""
    return [
        types_pb2.ReadingCount(
            stream=term.stream,
            step=term.step,
            term=_TERM_TO_WIRE[term.term],
            reason=term.reason,
            readings=readings,
        )
        for term, readings in counts.items()
    ]


def counts_from_wire(messages: Iterable[types_pb2.ReadingCount]) -> dict[ReadingTerm, int]:
    """Decode what became of the readings, or raise :class:`MalformedPart`."""
    counts: dict[ReadingTerm, int] = {}
    for message in messages:
        term = _TERM_FROM_WIRE.get(message.term)
        if term is None:
            raise MalformedPart(f"count of stream {message.stream!r}: there is no term {message.term}")
        if message.readings < 0:
            raise MalformedPart(f"count of stream {message.stream!r}: {message.readings} readings")
        key = ReadingTerm(message.stream, message.step, term, message.reason)
        if key in counts:
            raise MalformedPart(f"count of stream {message.stream!r}: {term} {message.reason!r} stands twice")
        counts[key] = message.readings
    return counts


def _state_to_wire(state: State) -> types_pb2.StateColumn:
    column = types_pb2.StateColumn(name=state.name, kind=state.kind, parameters=state.parameters)
    match state:
        case DenseState():
            column.values = _bytes(state.values, _I64 if state.kind == "sum_i64" else _F64)
        case SparseState():
            column.values = _bytes(state.values, _I64 if state.kind == "map_add" else _U8)
            column.lengths = _bytes(state.lengths, _U32)
            column.indexes = _bytes(state.indexes, _I32)
        case OpaqueState():
            column.values = state.values
            column.lengths = state.lengths
            column.indexes = state.indexes
    return column


def _state_from_wire(message: types_pb2.StateColumn, rows: int, table: str) -> State:
    place = f"{table}, state {message.name!r}"
    if not message.name or not message.kind:
        raise MalformedPart(f"{place}: a state needs a name and a kind")
    parameters = dict(message.parameters)
    if message.kind in DENSE_KINDS:
        if message.lengths or message.indexes:
            raise MalformedPart(f"{place}: {message.kind} has neither lengths nor indexes")
        dtype = _I64 if message.kind == "sum_i64" else _F64
        values = _array(message.values, dtype, rows, place)
        if message.kind in EXTREMES and np.isnan(values).any():
            raise MalformedPart(f"{place}: a {message.kind} is never NaN")
        return DenseState(name=message.name, kind=message.kind, values=values, parameters=parameters)
    if message.kind in SPARSE_KINDS:
        return _sparse_from_wire(message, rows, place, parameters)
    return OpaqueState(
        name=message.name,
        kind=message.kind,
        values=message.values,
        lengths=message.lengths,
        indexes=message.indexes,
        parameters=parameters,
    )


def _sparse_from_wire(
    message: types_pb2.StateColumn, rows: int, place: str, parameters: dict[str, float]
) -> SparseState:
    lengths = _array(message.lengths, _U32, rows, f"{place}, lengths")
    entries = int(lengths.sum(dtype=np.uint64))
    indexes = _array(message.indexes, _I32, entries, f"{place}, indexes")
    values = _array(message.values, _I64 if message.kind == "map_add" else _U8, entries, f"{place}, values")
    if entries > 1:
        # Entries ascend within a row; where a row begins the index may fall.
        falls = indexes[1:] <= indexes[:-1]
        begins = np.cumsum(lengths[:-1], dtype=np.int64)
        inner = begins[(begins > 0) & (begins < entries)] - 1
        falls[inner] = False
        if falls.any():
            raise MalformedPart(f"{place}: the indexes of a row do not ascend")
    return SparseState(
        name=message.name,
        kind=message.kind,
        lengths=lengths,
        indexes=indexes,
        values=values,
        parameters=parameters,
    )


def _key_from_wire(message: types_pb2.KeyColumn, rows: int, table: str) -> KeyColumn:
    place = f"{table}, key {message.name!r}"
    dictionary = tuple(message.dictionary)
    _check_distinct(dictionary, f"{place}: two dictionary entries")
    codes = _array(message.codes, _U32, rows, place)
    if ((codes >= len(dictionary)) & (codes != NULL_CODE)).any():
        raise MalformedPart(f"{place}: a code beyond the dictionary's {len(dictionary)} entries")
    return KeyColumn(name=message.name, dictionary=dictionary, codes=codes)


def _check_readings(states: tuple[State, ...], place: str) -> None:
    first = states[0] if states else None
    if not isinstance(first, DenseState) or (first.name, first.kind) != (READINGS, "sum_i64"):
        raise MalformedPart(f"{place}: the first state is {READINGS!r} of kind sum_i64")
    if (first.values < 0).any():
        raise MalformedPart(f"{place}: a row that stands for fewer than 0 readings")


def _check_distinct(names: Iterable[str], what: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise MalformedPart(f"{what} are called {name[:80]!r}")
        seen.add(name)


def _bytes(values: NDArray[Any], dtype: np.dtype[Any]) -> bytes:
    return np.ascontiguousarray(values, dtype=dtype).tobytes()


def _array(raw: bytes, dtype: np.dtype[Any], count: int, place: str) -> NDArray[Any]:
    if len(raw) != count * dtype.itemsize:
        raise MalformedPart(f"{place}: {len(raw)} bytes, where {count} values need {count * dtype.itemsize}")
    return np.frombuffer(raw, dtype=dtype)
