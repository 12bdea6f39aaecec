"""Hypothesis strategies for parts and their states."""

import numpy as np
from hypothesis import strategies as st

from fogline.engine.batch import Floats, Integers
from fogline.engine.state import (
    DENSE_KINDS,
    EXTREMES,
    NULL_CODE,
    READINGS,
    SPARSE_KINDS,
    DenseState,
    KeyColumn,
    OpaqueState,
    PartState,
    ReadingTerm,
    SparseState,
    State,
    StateTable,
)
from fogline.model.clock import NEVER
from fogline.model.part import Contribution, Origin, Part

names = st.text(min_size=1, max_size=8)
integers = st.integers(-(2**63), 2**63 - 1)
instants = st.integers(-(2**62), 2**62)

origins = st.builds(
    Origin, tenant=st.just("main"), node=names, stream=names, epoch=st.binary(min_size=16, max_size=16)
)


@st.composite
def contributions(draw: st.DrawFn, origin: Origin) -> Contribution:
    """A range of data of one origin."""
    start, ahead, length = (draw(st.integers(0, 2**40)) for _ in range(3))
    return Contribution(
        origin=origin,
        start=start,
        first=start + ahead,
        end=start + ahead + length,
        watermark=draw(st.one_of(st.just(NEVER), instants)),
        closed=draw(st.booleans()),
    )


@st.composite
def key_columns(draw: st.DrawFn, rows: int, name: str) -> KeyColumn:
    """A key of every row."""
    dictionary = tuple(draw(st.lists(st.text(max_size=5), unique=True, max_size=4)))
    codes = st.sampled_from([*range(len(dictionary)), NULL_CODE])
    return KeyColumn(
        name=name,
        dictionary=dictionary,
        codes=np.array(draw(st.lists(codes, min_size=rows, max_size=rows)), dtype=np.uint32),
    )


@st.composite
def states(draw: st.DrawFn, rows: int, name: str) -> State:
    """A state of any kind."""
    kind = draw(st.sampled_from([*DENSE_KINDS, *SPARSE_KINDS, "new_kind"]))
    parameters = draw(st.dictionaries(names, st.floats(allow_nan=False), max_size=2))
    if kind == "new_kind":
        raw, lengths, indexes = (draw(st.binary(max_size=9)) for _ in range(3))
        return OpaqueState(
            name=name, kind=kind, values=raw, lengths=lengths, indexes=indexes, parameters=parameters
        )
    if kind.startswith("map"):
        index = st.integers(-(2**31), 2**31 - 1)
        maps = [sorted(draw(st.sets(index, max_size=3))) for _ in range(rows)]
        indexes_ = np.array([i for row in maps for i in row], dtype=np.int32)
        value = st.integers(0, 255)
        chosen = draw(st.lists(value, min_size=len(indexes_), max_size=len(indexes_)))
        return SparseState(
            name=name,
            kind=kind,
            lengths=np.array([len(row) for row in maps], dtype=np.uint32),
            indexes=indexes_,
            values=np.array(chosen, np.int64) if kind == "map_add" else np.array(chosen, np.uint8),
            parameters=parameters,
        )
    values: Integers | Floats
    if kind == "sum_i64":
        values = np.array(draw(st.lists(integers, min_size=rows, max_size=rows)), dtype=np.int64)
    else:
        value_ = st.floats(allow_nan=kind not in EXTREMES)
        values = np.array(draw(st.lists(value_, min_size=rows, max_size=rows)), dtype=np.float64)
    return DenseState(name=name, kind=kind, values=values, parameters=parameters)


@st.composite
def tables(draw: st.DrawFn, step: str) -> StateTable:
    """A table with up to five rows."""
    rows = draw(st.integers(0, 5))
    readings = draw(st.lists(st.integers(0, 2**40), min_size=rows, max_size=rows))
    first = DenseState(name=READINGS, kind="sum_i64", values=np.array(readings, dtype=np.int64))
    more = [draw(states(rows, f"s{n}")) for n in range(draw(st.integers(0, 3)))]
    panes = draw(st.lists(instants, min_size=rows, max_size=rows))
    return StateTable(
        step=step,
        pane_width_us=draw(st.integers(1, 2**40)),
        pane_start=np.array(panes, dtype=np.int64),
        keys=tuple(draw(key_columns(rows, f"k{n}")) for n in range(draw(st.integers(0, 2)))),
        states=(first, *more),
    )


terms = st.builds(
    ReadingTerm, names, names, st.sampled_from(["decoded", "counted", "filtered", "dead", "too_late"]), names
)


@st.composite
def parts(draw: st.DrawFn) -> Part[PartState]:
    """Any part that the protocol allows."""
    of = draw(st.lists(origins, unique=True, min_size=1, max_size=4))
    ranges = tuple(draw(contributions(origin)) for origin in of)
    if all(c.messages == 0 for c in ranges):
        return Part(contributions=ranges, state=PartState())
    steps = draw(st.lists(names, unique=True, max_size=2))
    state = PartState(
        tables=tuple(draw(tables(step)) for step in steps),
        counts=draw(st.dictionaries(terms, st.integers(0, 2**40), max_size=3)),
    )
    return Part(contributions=ranges, state=state)
