"""Expressions of a query, checked and turned into operations of the engine."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Final

from sqlglot import exp

from fogline.model.faults import did_you_mean, shown
from fogline.model.plan import Call, Constant, Expression
from fogline.sql.calls import checked_call, literal, typed
from fogline.sql.columns import Typed
from fogline.sql.text import SqlText
from fogline.sql.vocabulary import (
    AGGREGATES,
    BINARY,
    CASTS,
    CHAINS,
    COMPARISONS,
    FUNCTIONS,
    FUNCTIONS_INSTEAD,
    INSTEAD,
    KEYWORDS,
    KIND_NAMES,
)

MAX_DEPTH: Final = 40


class Translator(ABC):
    """Turns parsed expressions into checked ones; a mistake is noted once and yields ``None``."""

    def __init__(self, text: SqlText) -> None:
        self.text: Final = text
        self._depth = 0

    def translate(self, node: exp.Expr) -> Typed | None:
        """The expression, or ``None`` if something in it is wrong."""
        self._depth += 1
        try:
            if self._depth > MAX_DEPTH:
                self.text.blame(
                    node, f"nested deeper than {MAX_DEPTH} operations", "split the query into steps"
                )
                return None
            return self._dispatch(node)
        finally:
            self._depth -= 1

    def condition(self, node: exp.Expr) -> Expression | None:
        """A WHERE: an expression that is true or false."""
        found = self.translate(node)
        if found is None:
            return None
        if found.column.type not in ("truth", "null"):
            kind = KIND_NAMES[found.column.type]
            self.text.blame(
                node, f"a condition is needed here, not {kind}", "compare with something: temp > 30"
            )
            return None
        return found.expression

    @abstractmethod
    def column(self, node: exp.Column) -> Typed | None:
        """A column's name; what it may be depends on where it stands."""

    @abstractmethod
    def aggregate(self, node: exp.Expr, name: str) -> Typed | None:
        """An aggregate; outside of a window's SELECT there is none."""

    def whole(self, node: exp.Expr) -> Typed | None:  # noqa: ARG002 - for subclasses
        """A chance to take an expression as a whole, before its pieces are looked at."""
        return None

    def _dispatch(self, node: exp.Expr) -> Typed | None:
        known = self.whole(node)
        if known is not None:
            return known
        kind = type(node)
        if kind in CHAINS:
            return self._call(node, CHAINS[exp_type(node)], list(node.flatten()))
        if kind in BINARY and not _is_function(node):
            return self._binary(node, BINARY[exp_type(node)])
        handler = self._handlers().get(kind)
        if handler is not None:
            return handler(node)
        if (isinstance(node, exp.Func) or kind in BINARY) and kind not in INSTEAD:
            return self._function(node)
        index = self.text.nearest(self.text.start(node), *KEYWORDS.get(kind, ()))
        word = shown(self.text.word_at(index).upper())
        self.text.fault(index, f"{word} is not available here", INSTEAD.get(kind, "see docs/pipelines.md"))
        return None

    def _handlers(self) -> "dict[type[exp.Expr], Callable[[exp.Expr], Typed | None]]":
        return {
            exp.Paren: lambda node: self.translate(node.this),
            exp.Column: self._column,
            exp.Literal: lambda node: literal(self.text, node),
            exp.Boolean: lambda node: typed(Constant(bool(node.this)), "truth"),
            exp.Null: lambda _: typed(Constant(None), "null"),
            exp.Neg: self._negative,
            exp.Not: lambda node: self._call(node, "not", [node.this]),
            exp.Is: self._is,
            exp.In: self._in,
            exp.Between: self._between,
            exp.Case: self._case,
            exp.Cast: self._cast,
            exp.TryCast: self._cast,
        }

    def _column(self, node: exp.Expr) -> Typed | None:
        if isinstance(node.this, exp.Star):
            self.text.blame(node, "`*` is not available here", INSTEAD[exp.Star])
            return None
        if isinstance(node, exp.Column) and node.args.get("table"):
            name = node.name
            self.text.blame(node, "a column is named without its source", f"write {shown(name)}")
            return None
        assert isinstance(node, exp.Column)
        return self.column(node)

    def _negative(self, node: exp.Expr) -> Typed | None:
        inner = self.translate(node.this)
        if inner is None:
            return None
        if isinstance(inner.expression, Constant) and isinstance(inner.expression.value, (int, float)):
            value = inner.expression.value
            if not isinstance(value, bool):
                return typed(Constant(-value), inner.column.type)
        return checked_call(self.text, node, "neg", [node.this], [inner])

    def _binary(self, node: exp.Expr, operation: str) -> Typed | None:
        pair = [node.this, node.args["expression"]]
        if operation in COMPARISONS:
            for side in pair:
                if isinstance(side, exp.Null):
                    self.text.blame(node, f"{operation} NULL is never true", "write IS NULL or IS NOT NULL")
                    return None
        return self._call(node, operation, pair)

    def _is(self, node: exp.Expr) -> Typed | None:
        other = node.args["expression"]
        if isinstance(other, exp.Null):
            return self._call(node, "is_null", [node.this])
        inner = self.translate(node.this)
        if inner is None:
            return None
        if not isinstance(other, exp.Boolean) or inner.column.type not in ("truth", "null"):
            self.text.blame(
                node, "IS takes NULL here, or TRUE and FALSE behind a condition", "write = for values"
            )
            return None
        wanted = inner.expression if other.this else Call("not", (inner.expression,))
        return typed(Call("coalesce", (wanted, Constant(False))), "truth")

    def _in(self, node: exp.Expr) -> Typed | None:
        choices = node.expressions
        if not choices:
            hint = INSTEAD[exp.Subquery] if node.args.get("query") else "write x IN ('a', 'b')"
            self.text.blame(node, "IN takes a list of values", hint)
            return None
        left = self.translate(node.this)
        rights = [self.translate(choice) for choice in choices]
        if left is None:
            return None
        tests: list[Expression] = []
        for choice, right in zip(choices, rights, strict=True):
            if right is None:
                continue
            test = checked_call(self.text, choice, "=", [node.this, choice], [left, right])
            if test is not None:
                tests.append(test.expression)
        if len(tests) < len(choices):
            return None
        return typed(tests[0] if len(tests) == 1 else Call("or", tuple(tests)), "truth")

    def _between(self, node: exp.Expr) -> Typed | None:
        low, high = node.args["low"], node.args["high"]
        values = [self.translate(one) for one in (node.this, low, high)]
        this, least, most = values
        if this is None or least is None or most is None:
            return None
        above = checked_call(self.text, node, ">=", [node.this, low], [this, least])
        below = checked_call(self.text, node, "<=", [node.this, high], [this, most]) if above else None
        if above is None or below is None:
            return None
        return typed(Call("and", (above.expression, below.expression)), "truth")

    def _case(self, node: exp.Expr) -> Typed | None:
        subject = self.translate(node.this) if node.this else None
        nodes: list[exp.Expr] = []
        values: list[Typed | None] = []
        for branch in node.args["ifs"]:
            test = self.translate(branch.this)
            if node.this and test and subject:
                test = checked_call(self.text, branch.this, "=", [node.this, branch.this], [subject, test])
            nodes += [branch.this, branch.args["true"]]
            values += [test, self.translate(branch.args["true"])]
        if node.args.get("default"):
            nodes.append(node.args["default"])
            values.append(self.translate(node.args["default"]))
        if node.this and subject is None:
            return None
        return checked_call(self.text, node, "case", nodes, values)

    def _cast(self, node: exp.Expr) -> Typed | None:
        target = str(node.args["to"].this.name) if isinstance(node.args["to"], exp.DataType) else ""
        plain = isinstance(node.args["to"], exp.DataType) and not node.args["to"].expressions
        if target not in CASTS or not plain or node.args.get("format"):
            self.text.blame(node, "this CAST is not available", f"cast to {', '.join(CASTS)}")
            return None
        return self._call(node, CASTS[target], [node.this])

    def _function(self, node: exp.Expr) -> Typed | None:
        name = self.text.word_at(self.text.start(node)).casefold()
        if name in AGGREGATES:
            return self.aggregate(node, name)
        if name == "tumble":
            self.text.blame(
                node, "TUMBLE stands in GROUP BY only", "each result carries its window's start and end"
            )
            return None
        if name not in FUNCTIONS:
            known = (*FUNCTIONS, *AGGREGATES)
            hint = FUNCTIONS_INSTEAD.get(name) or did_you_mean(name, known)
            what = "is not available" if name in FUNCTIONS_INSTEAD else "is no function here"
            self.text.blame(node, f"{shown(name)} {what}", hint)
            return None
        return self._call(node, FUNCTIONS[name], arguments_of(node))

    def _call(self, node: exp.Expr, operation: str, arguments: Sequence[exp.Expr]) -> Typed | None:
        return checked_call(self.text, node, operation, arguments, [self.translate(one) for one in arguments])


def exp_type(node: exp.Expr) -> type[exp.Expr]:
    """The node's class, as a key of the tables above."""
    return type(node)


def arguments_of(node: exp.Expr) -> list[exp.Expr]:
    """A function's arguments in the order of writing."""
    found = []
    for key in node.arg_types:
        value = node.args.get(key)
        if isinstance(value, exp.Expr):
            found.append(value)
        elif isinstance(value, list):
            found += [one for one in value if isinstance(one, exp.Expr)]
    return found


def constant_of(node: exp.Expr) -> float | None:
    """The value of a number that is written out, else ``None``."""
    inner = node.unnest()
    sign = -1 if isinstance(inner, exp.Neg) else 1
    inner = inner.this.unnest() if isinstance(inner, exp.Neg) else inner
    if isinstance(inner, exp.Literal) and not inner.is_string:
        return sign * float(inner.this)
    return None


def _is_function(node: exp.Expr) -> bool:
    """Whether an operation was written as a function: mod(a, b)."""
    return "start" in node.meta
