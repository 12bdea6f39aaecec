"""Evaluation of a plan's expressions over whole columns, with SQL's nulls."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from fogline.engine.batch import TIME, Batch, BatchColumn, NumberColumn, TextColumn, Truths
from fogline.engine.columns import InvalidExpression, as_floats, compact, constant, is_float, settled
from fogline.engine.logic import is_true
from fogline.engine.operation import OPERATIONS, Operation, ValueType, common_type, result_type
from fogline.model.plan import Call, Column, Constant, Expression

__all__ = [
    "OPERATIONS",
    "Evaluation",
    "InvalidExpression",
    "Operation",
    "ValueType",
    "common_type",
    "evaluate",
    "expression_type",
    "result_type",
    "true_rows",
]


def evaluate(expression: Expression, batch: Batch) -> BatchColumn:
    """Compute an expression for every row of a batch.

    Raises :class:`InvalidExpression` for a column, operation or type that is not there; never for a value.
    """
    return Evaluation(batch).column(expression)


def true_rows(condition: Expression, batch: Batch) -> Truths:
    """Tell in which rows a condition is true: neither false nor null."""
    return Evaluation(batch).true_rows(condition)


class Evaluation:
    """Expressions over one batch; a column that occurs twice is read once."""

    def __init__(self, batch: Batch) -> None:
        self._batch: Final = batch
        # By name: as keys of a dictionary, expressions with the constants 1, 1.0 and TRUE would be one.
        self._read: Final[dict[str, BatchColumn]] = {}

    def column(self, expression: Expression) -> BatchColumn:
        """Compute an expression for every row; raises :class:`InvalidExpression`."""
        if isinstance(expression, Constant):
            return constant(expression.value, self._batch.rows)
        if isinstance(expression, Call):
            return self._called(expression)
        if expression.name not in self._read:
            self._read[expression.name] = self._clean(expression.name)
        return self._read[expression.name]

    def true_rows(self, condition: Expression) -> Truths:
        """Tell in which rows a condition is true: neither false nor null."""
        return is_true(self.column(condition))

    def _clean(self, name: str) -> BatchColumn:
        if name == TIME:
            return NumberColumn(values=self._batch.time_us)
        found = self._batch.columns.get(name)
        if found is None:
            raise InvalidExpression(f"there is no column {name!r}")
        if isinstance(found, NumberColumn) and is_float(found):
            # A NaN or an infinity that slipped in is null from here on; the resolution goes with the field.
            clean = settled(as_floats(found), found.valid)
            return NumberColumn(values=clean.values, valid=clean.valid, resolution=found.resolution)
        return compact(found) if isinstance(found, TextColumn) else found

    def _called(self, call: Call) -> BatchColumn:
        operation = OPERATIONS.get(call.operation)
        if operation is None or not operation.takes_count(len(call.arguments)):
            raise InvalidExpression(f"there is no {call.operation!r} of {len(call.arguments)} arguments")
        arguments = [self.column(argument) for argument in call.arguments]
        with np.errstate(all="ignore"):  # what goes wrong in a row is a null in that row
            return operation.run(arguments)


def expression_type(expression: Expression, columns: Mapping[str, ValueType]) -> ValueType:
    """Check an expression and tell its type, without any data.

    Raises :class:`InvalidExpression` for what :func:`evaluate` would refuse.
    """
    if isinstance(expression, Constant):
        return _constant_type(expression)
    if isinstance(expression, Column):
        if expression.name == TIME:
            return "int"
        if expression.name not in columns:
            raise InvalidExpression(f"there is no column {expression.name!r}")
        return columns[expression.name]
    return result_type(expression.operation, [expression_type(one, columns) for one in expression.arguments])


def _constant_type(value: Constant) -> ValueType:
    constant(value.value, 0)
    if value.value is None:
        return "null"
    if isinstance(value.value, bool):
        return "truth"
    if isinstance(value.value, int):
        return "int"
    return "float" if isinstance(value.value, float) else "text"
