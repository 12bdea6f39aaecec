"""Window queries: keys and one TUMBLE, aggregates, and expressions over both."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from sqlglot import exp

from fogline.engine.expression import InvalidExpression
from fogline.engine.state import READINGS
from fogline.model.clock import DAY, HOUR, MILLISECOND, MINUTE, SECOND
from fogline.model.faults import shown
from fogline.model.plan import Column, Named, WindowQuery
from fogline.sql.aggregates import States
from fogline.sql.columns import Source, Typed
from fogline.sql.expression import KIND_NAMES, Translator, arguments_of, constant_of, typed
from fogline.sql.outputs import OutputNames
from fogline.sql.rows import RowTranslator
from fogline.sql.text import SqlText

NESTED: Final = "aggregates cannot be nested: make the inner one a step of its own"
IN_WHERE: Final = "WHERE looks at single readings; filter windows when reading"
IN_GROUP: Final = "GROUP BY looks at single readings"
TUMBLE: Final = "write TUMBLE({time}, INTERVAL '10 seconds')"

UNITS: Final = {
    "MILLISECOND": MILLISECOND,
    "SECOND": SECOND,
    "MINUTE": MINUTE,
    "HOUR": HOUR,
    "DAY": DAY,
}
LEAST_WIDTH_US: Final = 100 * MILLISECOND
MOST_WIDTH_US: Final = 366 * DAY
LENGTH: Final = re.compile(r"\s*(-?[0-9]{1,12}(?:\.[0-9]{1,6})?)\s*([A-Za-z]*)\s*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    node: exp.Expr
    value: Typed


class ResultTranslator(Translator):
    """Expressions over keys and aggregates: what a window's SELECT may hold."""

    def __init__(
        self, text: SqlText, source: Source, keys: Sequence[_Key], names: Sequence[str], states: States
    ) -> None:
        super().__init__(text)
        self._source = source
        self._keys = keys
        self._names = names
        self._states = states
        self._arguments = RowTranslator(text, source, NESTED)

    def whole(self, node: exp.Expr) -> Typed | None:
        """A grouping key, as it is written in GROUP BY."""
        for key, name in zip(self._keys, self._names, strict=True):
            if key.node == node:
                return typed(Column(name), "text")
        return None

    def column(self, node: exp.Column) -> Typed | None:
        """A column outside of every aggregate that is no key: a mistake."""
        name = node.name
        if name == self._source.time_name:
            self.text.blame(
                node,
                f"{shown(name)} is different in every reading of a window",
                "leave it out: each result carries its window's start and end",
            )
        elif self._arguments.column(node) is not None:
            self.text.blame(
                node,
                f"{shown(name)} is neither a key nor inside an aggregate",
                f"add it to GROUP BY, or write avg({name}), max({name}) ...",
            )
        return None

    def aggregate(self, node: exp.Expr, name: str) -> Typed | None:
        """The finished value of an aggregate over its states."""
        if name == "count" and isinstance(node.this, exp.Star):
            return typed(self._states.readings(), "int")
        arguments = arguments_of(node)
        if arguments and isinstance(arguments[0], exp.Distinct):
            hint = (
                "write approx_distinct(x)"
                if name == "count"
                else "filter repeats with the stream's `identity:`"
            )
            self.text.blame(node, f"{name}(DISTINCT ...) is not available", hint)
            return None
        wanted = 2 if name == "quantile" else 1
        if len(arguments) != wanted:
            form = "quantile(x, 0.99)" if name == "quantile" else f"{name}(x)"
            hint = (
                "write CASE WHEN a < b THEN a ELSE b END, or least(a, b)"
                if name in ("min", "max")
                else f"write {form}"
            )
            self.text.blame(
                node, f"{name} takes {wanted} argument{'s'[: wanted - 1]}, not {len(arguments)}", hint
            )
            return None
        argument = self._arguments.translate(arguments[0])
        if argument is None:
            return None
        return self._finished(node, name, argument, arguments[1:])

    def _finished(self, node: exp.Expr, name: str, argument: Typed, rest: Sequence[exp.Expr]) -> Typed | None:
        try:
            if name == "quantile":
                return self._quantile(rest[0], argument)
            return self._states.finished(name, argument)
        except InvalidExpression:
            kind = KIND_NAMES[argument.column.type]
            hint = (
                "CAST(x AS FLOAT) makes a text a number"
                if argument.column.type == "text"
                else "count conditions: sum(CASE WHEN condition THEN 1 ELSE 0 END)"
            )
            self.text.blame(node, f"{name} takes a number, not {kind}", hint)
            return None

    def _quantile(self, node: exp.Expr, argument: Typed) -> Typed | None:
        share = constant_of(node)
        if not isinstance(share, float) or not 0 <= share <= 1:
            self.text.blame(node, "a quantile is a constant from 0 to 1", "write quantile(x, 0.99)")
            return None
        return self._states.quantile(argument, share)


def is_window_query(select: exp.Select) -> bool:
    """Whether it groups or aggregates."""
    if select.args.get("group"):
        return True
    return any(
        found.find_ancestor(exp.Window) is None
        for item in select.expressions
        for found in item.find_all(exp.AggFunc)
    )


def window_query(text: SqlText, select: exp.Select, source: Source) -> WindowQuery | None:
    """The query, or ``None`` after a mistake."""
    found = _grouping(text, select, source)
    names = OutputNames(text)
    key_names = _key_names(text, select, found.keys, names)
    states = States()
    translator = ResultTranslator(text, source, found.keys, key_names, states)
    outputs = _outputs(text, select, translator, found.keys, names)
    if found.width_us is None or outputs is None:
        return None
    keys = [
        Named(name=name, expression=key.value.expression)
        for name, key in zip(key_names, found.keys, strict=True)
    ]
    return WindowQuery(
        keys=tuple(keys), width_us=found.width_us, states=states.specs(), outputs=tuple(outputs)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grouping:
    keys: tuple[_Key, ...]
    width_us: int | None


def _grouping(text: SqlText, select: exp.Select, source: Source) -> _Grouping:
    """Keys and the window of GROUP BY."""
    group = select.args.get("group")
    wanted = TUMBLE.format(time=source.time_example)
    if group is None:
        first = select.expressions[0]
        text.blame(
            first, "an aggregate needs a window", f"add GROUP BY keys, {wanted.removeprefix('write ')}"
        )
        return _Grouping(keys=(), width_us=None)
    for name in ("grouping_sets", "cube", "rollup", "totals", "all"):
        if group.args.get(name):
            text.fault(
                text.word("GROUP"),
                f"{name.replace('_', ' ').upper()} is not available",
                "write a step for each grouping",
            )
    translator = RowTranslator(text, source, IN_GROUP)
    keys: list[_Key] = []
    widths: list[int | None] = []
    for node in group.expressions:
        if _is_window(node):
            if widths:
                text.blame(node, "a second window", "keep one TUMBLE; write a step for each width")
            widths.append(_width(text, node, source))
        else:
            key = _key(text, select, node, translator)
            if key is not None:
                keys.append(key)
    if not widths:
        text.fault(text.word("GROUP"), "GROUP BY has no window", f"add {wanted.removeprefix('write ')} to it")
    return _Grouping(keys=tuple(keys), width_us=widths[0] if widths else None)


def _is_window(node: exp.Expr) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.casefold() in ("tumble", "hop", "session")


def _key(text: SqlText, select: exp.Select, node: exp.Expr, translator: RowTranslator) -> _Key | None:
    if isinstance(node, exp.Literal):
        text.blame(node, "a key is a column, not a number or a constant", "write the column's name")
        return None
    meant = _aliased(select, node, translator)
    value = translator.translate(meant)
    if value is None:
        return None
    if value.column.type != "text":
        kind = KIND_NAMES[value.column.type]
        hint = f"keys are labels and texts: GROUP BY CAST({meant.sql()} AS TEXT) makes one of it"
        text.blame(node, f"{shown(meant.sql())} is {kind} and cannot be a key", hint)
        return None
    return _Key(node=meant, value=value)


def _aliased(select: exp.Select, node: exp.Expr, translator: RowTranslator) -> exp.Expr:
    """What a key stands for: a column goes before an alias of SELECT."""
    if isinstance(node, exp.Column) and not translator.knows(node.name):
        for item in select.expressions:
            if isinstance(item, exp.Alias) and item.alias == node.name:
                meant: exp.Expr = item.this.unnest()
                return meant
    return node.unnest()


def _width(text: SqlText, node: exp.Expr, source: Source) -> int | None:
    """The width of TUMBLE(time, INTERVAL ...) in microseconds, or ``None`` after a mistake."""
    wanted = TUMBLE.format(time=source.time_example)
    name = node.name.casefold()
    if name != "tumble":
        text.blame(node, f"{name.upper()} is not available in this release", wanted)
        return None
    if len(node.expressions) != 2:
        text.blame(node, f"TUMBLE takes 2 arguments, not {len(node.expressions)}", wanted)
        return None
    time, width = node.expressions
    if source.time_name is not None and not _names(time, source.time_name):
        text.blame(time, f"windows are formed by the event time, {shown(source.time_name)}", wanted)
        return None
    if not isinstance(width, exp.Interval):
        text.blame(width, "the width is a constant INTERVAL", wanted)
        return None
    return _length(text, node, wanted)


def _names(node: exp.Expr, name: str) -> bool:
    return isinstance(node, exp.Column) and node.name == name and not node.args.get("table")


def _length(text: SqlText, node: exp.Expr, wanted: str) -> int | None:
    """Read the interval from its words: the parser forgets what it does not understand of it."""
    number = text.token_number(text.start(node), "INTERVAL")
    index = text.tokens[number].start
    written = text.tokens[number + 1].text
    found = LENGTH.fullmatch(written)
    after = text.tokens[number + 2].text if number + 2 < len(text.tokens) else ""
    unit = ((found[2] if found else "") or after).upper()
    if found is None or (unit not in UNITS and unit.removesuffix("S") not in UNITS):
        text.fault(
            index,
            f"{shown(written)} is not an interval",
            "write INTERVAL '10 seconds'; units: milliseconds, seconds, minutes, hours, days",
        )
        return None
    value = Decimal(found[1]) * UNITS.get(unit, 0) or Decimal(found[1]) * UNITS[unit.removesuffix("S")]
    if not LEAST_WIDTH_US <= value <= MOST_WIDTH_US or value != value.to_integral_value():
        text.fault(index, "a window is at least 100 milliseconds and at most 366 days wide", wanted)
        return None
    return int(value)


def _key_names(text: SqlText, select: exp.Select, keys: Sequence[_Key], names: OutputNames) -> list[str]:
    """A key is called as SELECT calls it, else by its column."""
    found = []
    for key in keys:
        item = next((i for i in select.expressions if i.unalias().unnest() == key.node), None)
        if item is not None:
            name = names.take(item)
        elif isinstance(key.node, exp.Column):
            name = names.take_name(key.node.name, text.start(key.node))
        else:
            text.blame(key.node, "this key needs a name", f"select it: SELECT {key.node.sql()} AS name, ...")
            name = None
        if name == READINGS:
            text.blame(key.node, f"{shown(name)} cannot name a key", "select it under another name with AS")
        found.append(name or "")
    return found


def _outputs(
    text: SqlText, select: exp.Select, translator: ResultTranslator, keys: Sequence[_Key], names: OutputNames
) -> list[Named] | None:
    """Everything that SELECT computes beside the keys."""
    unnamed = [key.node for key in keys]
    outputs = []
    sound = True
    for item in select.expressions:
        inner = item.unalias().unnest()
        if isinstance(inner, exp.Star):
            text.blame(inner, "SELECT * is for row queries", "name the keys and aggregates that are wanted")
            sound = False
            continue
        if inner in unnamed:
            unnamed.remove(inner)
            continue
        value = translator.translate(inner)
        name = names.take(item)
        if value is None or name is None:
            sound = False
        else:
            outputs.append(Named(name=name, expression=value.expression))
    return outputs if sound else None
