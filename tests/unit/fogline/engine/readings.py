"""Readings, batches of them, and a window query that keeps every kind of state."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from fogline.engine.batch import Batch, NumberColumn, text_column
from fogline.engine.function import state_layout
from fogline.engine.operation import ValueType
from fogline.engine.state import DenseState, SparseState, StateTable
from fogline.model.plan import Call, Column, Constant, Expression, Named, StateSpec, StepSpec, WindowQuery

WIDTH_US = 1_000_000


class Reading(NamedTuple):
    time_us: int
    zone: str | None
    device: str | None
    temp: float | None
    level: int | None
    flow: float | None


TIMES = st.integers(-2 * WIDTH_US, 2 * WIDTH_US) | st.sampled_from([10**18, -(10**17)])


def reading(times: st.SearchStrategy[int] = TIMES) -> st.SearchStrategy[Reading]:
    hundredths = st.integers(-5000, 9999).map(lambda steps: steps / 100)
    return st.builds(
        Reading,
        time_us=times,
        zone=st.none() | st.sampled_from(["b", "a", "", "é"]),
        device=st.none() | st.sampled_from([f"d{number}" for number in range(9)]),
        temp=st.none() | hundredths,
        level=st.none() | st.integers(-(2**40), 2**40),
        flow=st.none() | st.floats(-1e12, 1e12) | st.sampled_from([0.0, -0.0, 5e-324, 1e300, -1e-300]),
    )


READINGS = st.lists(reading(), max_size=40)


def numbers(values: Sequence[float | None], resolution: float | None = None) -> NumberColumn:
    known = np.array([value is not None for value in values], dtype=np.bool_)
    filled = np.array([0.0 if value is None else value for value in values], dtype=np.float64)
    return NumberColumn(values=filled, valid=known, resolution=resolution)


def integers(values: Sequence[int | None]) -> NumberColumn:
    known = np.array([value is not None for value in values], dtype=np.bool_)
    return NumberColumn(values=np.array([value or 0 for value in values], dtype=np.int64), valid=known)


def batch_of(readings: Sequence[Reading]) -> Batch:
    return Batch(
        rows=len(readings),
        time_us=np.array([one.time_us for one in readings], dtype=np.int64),
        columns={
            "zone": text_column([one.zone for one in readings]),
            "device": text_column([one.device for one in readings]),
            "temp": numbers([one.temp for one in readings], 0.01),
            "level": integers([one.level for one in readings]),
            "flow": numbers([one.flow for one in readings]),
        },
    )


def state(
    name: str, function: str, argument: str, kind: ValueType = "float", resolution: float | None = None
) -> StateSpec:
    layout, parameters = state_layout(function, kind, resolution)
    return StateSpec(
        name=name, kind=layout, function=function, argument=Column(argument), parameters=parameters
    )


STATES = (
    StateSpec(name="all", kind="sum_i64", function="count"),
    state("temps", "count", "temp"),
    state("temp_sum", "sum", "temp", "float", 0.01),
    state("temp_min", "min", "temp"),
    state("temp_max", "max", "temp"),
    state("temp_buckets", "log_buckets", "temp"),
    state("levels_known", "count", "level", "int"),
    state("level_sum", "sum", "level", "int"),
    state("flow_sum", "sum", "flow"),
    state("flow_min", "min", "flow"),
    state("flow_max", "max", "flow"),
    state("flow_buckets", "log_buckets", "flow"),
    state("devices", "registers", "device", "text"),
    state("levels", "registers", "level", "int"),
    state("flows", "registers", "flow"),
)


def call(operation: str, *arguments: Expression) -> Call:
    return Call(operation, arguments)


OUTPUTS = (
    Named(name="zone", expression=Column("zone")),
    Named(name="n", expression=Column("temps")),
    Named(name="avg", expression=call("/", Column("temp_sum"), Column("temps"))),
    Named(name="low", expression=Column("temp_min")),
    Named(name="high", expression=Column("temp_max")),
    Named(
        name="median",
        expression=call("round", call("quantile_of", Column("flow_buckets"), Constant(0.5)), Constant(3)),
    ),
    Named(name="devices", expression=call("distinct_of", Column("devices"))),
    Named(name="total", expression=Column("level_sum")),
)


def window_step(
    keys: Sequence[str] = ("zone",),
    where: Expression | None = None,
    states: Sequence[StateSpec] = STATES,
    outputs: Sequence[Named] = OUTPUTS,
) -> StepSpec:
    query = WindowQuery(
        keys=tuple(Named(name=key, expression=Column(key)) for key in keys),
        width_us=WIDTH_US,
        states=tuple(states),
        outputs=tuple(outputs),
    )
    return StepSpec(name="by_zone", source="air", stream="air", where=where, query=query)


def dense(table: StateTable, name: str) -> list[float]:
    found = table.state(name)
    assert isinstance(found, DenseState)
    values: list[float] = found.values.tolist()
    return values


def maps(table: StateTable, name: str) -> list[dict[int, int]]:
    """The map of every row."""
    found = table.state(name)
    assert isinstance(found, SparseState)
    result: list[dict[int, int]] = [{} for _ in range(table.rows)]
    for row, index, value in zip(
        found.entry_rows().tolist(), found.indexes.tolist(), found.values.tolist(), strict=True
    ):
        result[row][index] = value
    return result


def exact_content(table: StateTable) -> list[tuple[object, ...]]:
    """Everything in a table whose kind is exact, to the bit."""
    content: list[tuple[object, ...]] = [
        ("panes", table.step, table.pane_width_us, table.pane_start.tobytes())
    ]
    content += [(key.name, key.dictionary, key.codes.tobytes()) for key in table.keys]
    for found in table.states:
        if isinstance(found, SparseState):
            arrays = (found.lengths, found.indexes, found.values)
            content.append((found.name, found.kind, *(array.tobytes() for array in arrays)))
        elif isinstance(found, DenseState) and found.kind != "sum_f64":
            content.append((found.name, found.kind, found.values.dtype, found.values.tobytes()))
    return content
