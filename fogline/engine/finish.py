"""Finishing: from states to the values of results."""

import math
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from fogline.engine.batch import NULL_TEXT, Batch, BatchColumn, Floats, NumberColumn, TextColumn
from fogline.engine.buckets import quantiles
from fogline.engine.columns import InvalidExpression, settled, valid_of
from fogline.engine.expression import evaluate
from fogline.engine.operation import FINISHING
from fogline.engine.registers import distinct
from fogline.engine.state import (
    NULL_CODE,
    OVERFLOWED,
    READINGS,
    DenseState,
    KeyColumn,
    SparseState,
    StateTable,
)
from fogline.model.plan import Call, Column, Constant, Expression, Scalar, WindowQuery

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRow:
    """One key of one pane with its result."""

    pane_start: int
    """Microseconds since 1970-01-01 UTC."""
    key: tuple[str | None, ...]
    values: tuple[Scalar, ...]
    """In the order of the query's outputs. No NaN, no infinity."""
    readings: int
    """How many readings the row stands for."""


def finish(query: WindowQuery, table: StateTable) -> list[FinishedRow]:
    """Compute the outputs of every row, in the table's order.

    Outputs read keys and states by name: a sum is a number (null if it overflowed; with a resolution a
    float), a minimum or maximum of nothing is null; ``quantile_of`` and ``distinct_of`` read buckets and
    registers. Raises :class:`InvalidExpression` if the table has not the states that the query needs.
    """
    columns: dict[str, BatchColumn] = {key.name: _texts(key) for key in table.keys}
    columns |= {state.name: _numbers(state) for state in table.states if isinstance(state, DenseState)}
    batch = Batch(rows=table.rows, time_us=table.pane_start, columns=columns)
    outputs = [
        scalars(evaluate(_sketches_read(named.expression, table, columns), batch)) for named in query.outputs
    ]
    readings = table.state(READINGS)
    assert isinstance(readings, DenseState)
    keys = [key.texts() for key in table.keys]
    return [
        FinishedRow(pane_start=pane, key=key, values=values, readings=count)
        for pane, key, values, count in zip(
            table.pane_start.tolist(),
            _rows(keys, table.rows),
            _rows(outputs, table.rows),
            readings.values.tolist(),
            strict=True,
        )
    ]


def scalars(column: BatchColumn) -> list[Scalar]:
    """Turn a column into Python values: ``int``, ``float``, ``str``, ``bool``, ``None``."""
    if isinstance(column, TextColumn):
        texts = (*column.dictionary, None)  # the null code -1 finds the last
        return [texts[code] for code in column.codes.tolist()]
    valid = valid_of(column)
    values: list[Scalar] = column.values.tolist()
    if valid is None:
        return values
    return [value if known else None for value, known in zip(values, valid.tolist(), strict=True)]


def _rows(columns: Sequence[Sequence[T]], rows: int) -> list[tuple[T, ...]]:
    return list(zip(*columns, strict=True)) if columns else [()] * rows


def _texts(key: KeyColumn) -> TextColumn:
    codes = np.where(key.codes == NULL_CODE, NULL_TEXT, key.codes).astype(np.int32)
    return TextColumn(codes=codes, dictionary=key.dictionary)


def _numbers(state: DenseState) -> NumberColumn:
    if state.kind != "sum_i64":
        # The minimum of nothing is infinite, as is a sum of floats that left their range: both are null.
        return settled(state.values.astype(np.float64, copy=False), None)
    sums = state.values.astype(np.int64, copy=False)
    overflowed = sums == OVERFLOWED
    valid = ~overflowed if overflowed.any() else None
    resolution = state.parameters.get("resolution")
    if resolution is None:
        return NumberColumn(values=sums, valid=valid)
    return settled(_unsnapped(sums.astype(np.float64), resolution), valid)


def _unsnapped(steps: Floats, resolution: float) -> Floats:
    """Turn steps into values: 2115 hundredths as 2115 / 100, the float nearest to 21.15."""
    parts = round(1 / resolution)
    if parts and math.isclose(parts * resolution, 1, rel_tol=1e-12):
        return steps / parts
    return steps * resolution


def _sketches_read(
    expression: Expression, table: StateTable, columns: MutableMapping[str, BatchColumn]
) -> Expression:
    """Replace what reads a sketch by a column of what it reads."""
    if not isinstance(expression, Call):
        return expression
    if expression.operation not in FINISHING:
        arguments = tuple(_sketches_read(argument, table, columns) for argument in expression.arguments)
        return Call(expression.operation, arguments)
    name = repr(expression)
    if name not in columns:
        columns[name] = _sketch_read(expression, table)
    return Column(name)


def _sketch_read(call: Call, table: StateTable) -> NumberColumn:
    match call:
        case Call("quantile_of", (Column(name), Constant(float() | int() as quantile))) if 0 <= quantile <= 1:
            values, readings = quantiles(_sketch(table, name, "map_add"), float(quantile))
            return NumberColumn(values=values, valid=readings > 0)
        case Call("distinct_of", (Column(name),)):
            return NumberColumn(values=distinct(_sketch(table, name, "map_max")))
    raise InvalidExpression(f"{call.operation} takes {FINISHING[call.operation].takes}")


def _sketch(table: StateTable, name: str, kind: str) -> SparseState:
    for state in table.states:
        if state.name == name and isinstance(state, SparseState) and state.kind == kind:
            return state
    raise InvalidExpression(f"step {table.step!r} has no state {name!r} of kind {kind!r}")
