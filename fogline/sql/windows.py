"""Window queries: keys and one TUMBLE, aggregates, and expressions over both."""

from collections.abc import Sequence
from typing import Final

from sqlglot import exp

from fogline.engine.expression import InvalidExpression
from fogline.engine.state import READINGS
from fogline.model.faults import shown
from fogline.model.plan import Column, Named, WindowQuery
from fogline.sql.aggregates import States
from fogline.sql.calls import typed
from fogline.sql.columns import Source, Typed
from fogline.sql.expression import Translator, arguments_of, constant_of
from fogline.sql.grouping import Grouping, Key, read_grouping
from fogline.sql.outputs import OutputNames
from fogline.sql.rows import RowTranslator
from fogline.sql.text import SqlText
from fogline.sql.vocabulary import KIND_NAMES

NESTED: Final = "aggregates cannot be nested: make the inner one a step of its own"
CONDITIONS: Final = "count conditions with sum(CASE WHEN condition THEN 1 ELSE 0 END)"


class ResultTranslator(Translator):
    """Expressions over keys and aggregates: what a window's SELECT may hold."""

    def __init__(
        self, text: SqlText, source: Source, grouping: Grouping, names: Sequence[str], states: States
    ) -> None:
        super().__init__(text)
        self._source = source
        self._grouping = grouping
        self._names = names
        self._states = states
        self._arguments = RowTranslator(text, source, NESTED)

    def whole(self, node: exp.Expr) -> Typed | None:
        """A grouping key, as it is written in GROUP BY."""
        for key, name in zip(self._grouping.keys, self._names, strict=True):
            if key.node == node:
                return typed(Column(name), "text")
        return None

    def column(self, node: exp.Column) -> Typed | None:
        """A column outside of every aggregate that is no key: a mistake."""
        name = node.name
        if name == self._source.time_name:
            hint = "leave it out: each result carries its window's start and end"
            self.text.blame(node, f"{shown(name)} is different in every reading of a window", hint)
            return None
        found = self._arguments.column(node)
        # Without any GROUP BY its lack is the mistake, not each column.
        if found is not None and self._grouping.written:
            inside = f"approx_distinct({name})" if found.column.type == "text" else f"avg({name})"
            hint = f"add it to GROUP BY, or aggregate it, for example {inside}"
            self.text.blame(node, f"{shown(name)} is neither a key nor inside an aggregate", hint)
        return None

    def aggregate(self, node: exp.Expr, name: str) -> Typed | None:
        """The finished value of an aggregate over its states."""
        if name == "count" and isinstance(node.this, exp.Star):
            return typed(self._states.readings(), "int")
        arguments = arguments_of(node)
        wanted = 2 if name == "quantile" else 1
        if arguments and isinstance(arguments[0], exp.Distinct):
            hint = (
                "write approx_distinct(x)"
                if name == "count"
                else "drop repeats with the stream's `identity:`"
            )
            self.text.blame(node, f"{name}(DISTINCT ...) is not available", hint)
        elif len(arguments) != wanted:
            two = {"min": "least(a, b)", "max": "greatest(a, b)", "quantile": "quantile(x, 0.99)"}
            message = f"{name} takes {wanted} argument{'s'[: wanted - 1]}, not {len(arguments)}"
            self.text.blame(node, message, f"write {two.get(name, f'{name}(x)')}")
        else:
            argument = self._arguments.translate(arguments[0])
            return None if argument is None else self._finished(node, name, argument, arguments)
        return None

    def _finished(
        self, node: exp.Expr, name: str, argument: Typed, arguments: Sequence[exp.Expr]
    ) -> Typed | None:
        try:
            if name == "quantile":
                return self._quantile(arguments[1], argument)
            return self._states.finished(name, argument)
        except InvalidExpression:
            kind = KIND_NAMES[argument.column.type]
            hint = "CAST(x AS FLOAT) makes a text a number" if argument.column.type == "text" else CONDITIONS
            self.text.blame(node, f"{name} takes a number, not {kind}", hint)
            return None

    def _quantile(self, node: exp.Expr, argument: Typed) -> Typed | None:
        share = constant_of(node)
        if share is None or not 0 <= share <= 1:
            self.text.blame(node, "a quantile is a constant from 0 to 1", "write quantile(x, 0.99)")
            return None
        return self._states.quantile(argument, share)


def is_window_query(select: exp.Select) -> bool:
    """Whether it groups or aggregates."""
    if select.args.get("group"):
        return True
    found = (one for item in select.expressions for one in item.find_all(exp.AggFunc))
    return any(one.find_ancestor(exp.Window) is None for one in found)


def window_query(text: SqlText, select: exp.Select, source: Source) -> WindowQuery | None:
    """The query, or ``None`` after a mistake."""
    grouping = read_grouping(text, select, source)
    names = OutputNames(text)
    key_names = _key_names(text, select, grouping.keys, names)
    states = States()
    translator = ResultTranslator(text, source, grouping, key_names, states)
    outputs = _outputs(text, select, translator, grouping.keys, names)
    keys = [
        Named(name=name, expression=key.value.expression)
        for name, key in zip(key_names, grouping.keys, strict=True)
        if key.value is not None
    ]
    if grouping.width_us is None or len(keys) < len(key_names):
        return None
    return WindowQuery(
        keys=tuple(keys), width_us=grouping.width_us, states=states.specs(), outputs=tuple(outputs)
    )


def _key_names(text: SqlText, select: exp.Select, keys: Sequence[Key], names: OutputNames) -> list[str]:
    """A key is called as SELECT calls it, else by its column."""
    found = []
    for key in keys:
        item = next((i for i in select.expressions if i.unalias().unnest() == key.node), None)
        name: str | None = None
        if item is not None:
            name = names.take(item)
        elif isinstance(key.node, exp.Column):
            name = names.take_name(key.node.name, text.start(key.node))
        elif key.value is not None:
            hint = f"select it: SELECT {key.node.sql()} AS name, ..."
            text.blame(key.node, "this key needs a name", hint)
        if name == READINGS:
            text.blame(key.node, f"{shown(name)} cannot name a key", "select it under another name with AS")
        found.append(name or "")
    return found


def _outputs(
    text: SqlText,
    select: exp.Select,
    translator: ResultTranslator,
    keys: Sequence[Key],
    names: OutputNames,
) -> list[Named]:
    """Everything that SELECT computes beside the keys."""
    unnamed = [key.node for key in keys]
    outputs = []
    for item in select.expressions:
        inner = item.unalias().unnest()
        if isinstance(inner, exp.Star):
            hint = "name the keys and aggregates that are wanted"
            text.blame(inner, "SELECT * is for row queries", hint)
        elif inner in unnamed:
            unnamed.remove(inner)
        else:
            value = translator.translate(inner)
            name = names.take(item)
            if value is not None and name is not None:
                outputs.append(Named(name=name, expression=value.expression))
    return outputs
