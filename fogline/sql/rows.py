"""Row queries: SELECT columns and expressions, WHERE."""

from typing import Final

from sqlglot import exp

from fogline.engine.batch import TIME
from fogline.model.faults import did_you_mean, shown
from fogline.model.plan import Column, Named, RowQuery
from fogline.sql.calls import typed
from fogline.sql.columns import ColumnType, Source, Typed
from fogline.sql.expression import Translator
from fogline.sql.outputs import OutputNames
from fogline.sql.text import SqlText

GROUPING: Final = "write SELECT keys, aggregates FROM ... GROUP BY keys, TUMBLE(time, INTERVAL '10 seconds')"


class RowTranslator(Translator):
    """Expressions over the columns of a source."""

    def __init__(self, text: SqlText, source: Source, aggregates: str) -> None:
        super().__init__(text)
        self._source = source
        self._aggregates = aggregates

    def column(self, node: exp.Column) -> Typed | None:
        """A column of the source, or its event time."""
        name = node.name
        if name == self._source.time_name:
            return typed(Column(TIME), "int")
        found = self._source.columns.get(name)
        if found is not None:
            return Typed(expression=Column(name), column=found)
        if self._source.sound:
            message = f"{shown(self._source.name)} has no column {shown(name)}"
            self.text.blame(node, message, did_you_mean(name, self._source.names))
        return None

    def knows(self, name: str) -> bool:
        """Whether the source has a column of this name."""
        return name in self._source.names

    def aggregate(self, node: exp.Expr, name: str) -> Typed | None:
        """An aggregate where rows are looked at one by one: a mistake."""
        self.text.blame(node, f"the aggregate {name} cannot stand here", self._aggregates)
        return None


def row_query(text: SqlText, select: exp.Select, source: Source) -> tuple[RowQuery, Source]:
    """The query, and what a step that reads it sees."""
    translator = RowTranslator(text, source, GROUPING)
    names = OutputNames(text)
    columns: list[Named] = []
    types: dict[str, ColumnType] = {}
    time_name = source.time_name
    sound = source.sound
    renamed = False
    for node in select.expressions:
        if isinstance(node, exp.Star):
            columns += _every_column(text, node, source, names, types)
            continue
        found = translator.translate(node.unalias())
        name = names.take(node)
        if found is None or name is None:
            sound = False
        elif found.expression == Column(TIME):
            if renamed:
                text.blame(node, "the event time is selected twice", "keep one of them")
            time_name, renamed = name, True
        else:
            columns.append(Named(name=name, expression=found.expression))
            types[name] = found.column
    if time_name is not None and time_name in types:
        place = next((n for n in select.expressions if n.alias_or_name == time_name), select)
        text.blame(
            place, f"{shown(time_name)} is the name of the event time", "give the column another name with AS"
        )
    query = RowQuery(columns=tuple(columns))
    return query, Source(name="", stream=source.stream, columns=types, time_name=time_name, sound=sound)


def _every_column(
    text: SqlText, node: exp.Star, source: Source, names: OutputNames, types: dict[str, ColumnType]
) -> list[Named]:
    for extra in ("except_", "replace", "rename"):
        if node.args.get(extra):
            text.blame(node, "* takes nothing behind it", "name the columns that are wanted")
    columns = []
    for name, column in source.columns.items():
        if names.take_name(name, text.start(node)):
            columns.append(Named(name=name, expression=Column(name)))
            types[name] = column
    return columns
