"""Calls of the engine's operations: put together if their arguments fit, else blamed."""

import math
from collections.abc import Sequence
from typing import Final

from sqlglot import exp

from fogline.engine.expression import OPERATIONS, InvalidExpression, ValueType, result_type
from fogline.model.faults import shown
from fogline.model.plan import Call, Constant, Expression
from fogline.sql.columns import ColumnType, Typed
from fogline.sql.text import SqlText
from fogline.sql.vocabulary import COMPARISONS, KIND_NAMES, SPELT

MOST_INTEGER: Final = 2**63 - 1
MOST_DIGITS: Final = 100


def typed(expression: Expression, kind: ValueType, resolution: float | None = None) -> Typed:
    """A checked expression of this type."""
    return Typed(expression=expression, column=ColumnType(type=kind, resolution=resolution))


def literal(text: SqlText, node: exp.Expr) -> Typed | None:
    """A number or a text as it is written."""
    written = str(node.this)
    if node.args.get("is_string"):
        return typed(Constant(written), "text")
    if written.isdecimal():
        # int() itself refuses texts of thousands of digits, in words of its own.
        if len(written) > MOST_DIGITS or int(written) > MOST_INTEGER:
            text.blame(node, f"{shown(written)} is not a 64-bit integer", "write it as a decimal: 1e20")
            return None
        return typed(Constant(int(written)), "int")
    value = float(written)
    if not math.isfinite(value):
        text.blame(node, f"{shown(written)} is larger than any number", "write a smaller one")
        return None
    return typed(Constant(value), "float")


def checked_call(
    text: SqlText,
    node: exp.Expr,
    operation: str,
    nodes: Sequence[exp.Expr],
    values: Sequence[Typed | None],
) -> Typed | None:
    """Put a call together if its arguments are sound and of types that fit."""
    sound = [value for value in values if value is not None]
    if len(sound) < len(values):
        return None
    try:
        kind = result_type(operation, [value.column.type for value in sound])
    except InvalidExpression:
        _blame_types(text, node, operation, nodes, sound)
        return None
    if operation != "round":
        return typed(Call(operation, tuple(value.expression for value in sound)), kind)
    return _round(text, node, sound, kind)


def _round(text: SqlText, node: exp.Expr, values: Sequence[Typed], kind: ValueType) -> Typed | None:
    digits = values[1].expression if len(values) > 1 else Constant(0)
    if not isinstance(digits, Constant) or not isinstance(digits.value, int) or not 0 <= digits.value <= 15:
        text.blame(node, "round takes a constant number of digits", "write round(x, 2); from 0 to 15")
        return None
    return typed(Call("round", tuple(value.expression for value in values)), kind)


def _blame_types(
    text: SqlText,
    node: exp.Expr,
    operation: str,
    nodes: Sequence[exp.Expr],
    values: Sequence[Typed],
) -> None:
    kinds = [KIND_NAMES[value.column.type] for value in values]
    if operation in COMPARISONS and len(kinds) == 2:
        left, right = (shown(one.sql()) for one in nodes)
        message = f"{left} is {kinds[0]} and {right} is {kinds[1]}: they cannot be compared"
        text.blame(nodes[0], message, "write texts in single quotes; CAST(x AS FLOAT) makes a text a number")
        return
    word = SPELT.get(operation, operation)
    takes = OPERATIONS[operation].takes
    told = ", ".join(f"{shown(one.sql())} is {kind}" for one, kind in zip(nodes, kinds, strict=True))
    text.blame(node, f"{shown(word)} takes {takes}", told)
