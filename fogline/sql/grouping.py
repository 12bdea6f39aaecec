"""GROUP BY of a window query: its keys and its one window."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from sqlglot import exp

from fogline.model.clock import DAY, HOUR, MILLISECOND, MINUTE, SECOND
from fogline.model.faults import shown
from fogline.sql.columns import Source, Typed
from fogline.sql.rows import RowTranslator
from fogline.sql.text import SqlText
from fogline.sql.vocabulary import KIND_NAMES

EACH: Final = "write a step for each grouping"
IN_GROUP: Final = "GROUP BY looks at single readings"
WINDOWS: Final = ("tumble", "hop", "session")

UNITS: Final = {
    "MILLISECOND": MILLISECOND,
    "SECOND": SECOND,
    "MINUTE": MINUTE,
    "HOUR": HOUR,
    "DAY": DAY,
}
"""Units of an INTERVAL, in microseconds; each may have an S behind it."""

LEAST_WIDTH_US: Final = 100 * MILLISECOND
MOST_WIDTH_US: Final = 366 * DAY
LENGTH: Final = re.compile(r"\s*(-?[0-9]{1,12}(?:\.[0-9]{1,6})?)\s*([A-Za-z]*)\s*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A grouping key."""

    node: exp.Expr
    """As it stands in GROUP BY, or what the alias there stands for."""
    value: Typed | None
    """``None`` after a mistake in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """What GROUP BY says, as far as it could be read."""

    keys: tuple[Key, ...]
    width_us: int | None
    """Width of the windows; ``None`` after a mistake."""
    written: bool
    """Whether there is a GROUP BY at all."""


def read_grouping(text: SqlText, select: exp.Select, source: Source) -> Grouping:
    """Keys and window of a query that groups or aggregates; mistakes become faults."""
    group = select.args.get("group")
    tumble = f"TUMBLE({source.time_example}, INTERVAL '10 seconds')"
    if group is None:
        first = next(select.find_all(exp.AggFunc), select)
        text.blame(first, "an aggregate needs a window", f"add GROUP BY keys, {tumble}")
        return Grouping(keys=(), width_us=None, written=False)
    for index, word in _rollups(text, group):
        text.fault(index, f"{word} is not available", EACH)
    translator = RowTranslator(text, source, IN_GROUP)
    keys: list[Key] = []
    widths: list[int | None] = []
    for node in group.expressions:
        if isinstance(node, exp.Anonymous) and node.name.casefold() in WINDOWS:
            if widths:
                text.blame(node, "a second window", "keep one TUMBLE; write a step for each width")
            widths.append(_width(text, node, source.time_name, f"write {tumble}"))
        elif not isinstance(node, (exp.Rollup, exp.Cube, exp.GroupingSets)):
            keys.append(_key(text, select, node, translator))
    if not widths:
        text.fault(text.word("GROUP"), "GROUP BY has no window", f"add {tumble} to it")
    return Grouping(keys=tuple(keys), width_us=widths[0] if widths else None, written=True)


def _rollups(text: SqlText, group: exp.Group) -> Iterator[tuple[int, str]]:
    """Whatever GROUP BY may have in other databases beside a list of keys."""
    kinds = {exp.Rollup: "ROLLUP", exp.Cube: "CUBE", exp.GroupingSets: "GROUPING SETS"}
    for kind, word in kinds.items():
        for node in group.find_all(kind):
            yield text.nearest(text.start(node), word), word
    if group.args.get("all") is not None:
        yield text.nearest(text.word("GROUP"), "ALL", "DISTINCT"), "GROUP BY ALL"
    if group.args.get("totals"):
        yield text.nearest(text.word("GROUP"), "TOTALS"), "TOTALS"


def _key(text: SqlText, select: exp.Select, node: exp.Expr, translator: RowTranslator) -> Key:
    if isinstance(node, exp.Literal):
        text.blame(node, "a key is a column, not a number or a constant", "write the column's name")
        return Key(node=node, value=None)
    meant = _meant(select, node, translator)
    value = translator.translate(meant)
    if value is not None and value.column.type != "text":
        kind = KIND_NAMES[value.column.type]
        hint = f"keys are labels and texts: GROUP BY CAST({meant.sql()} AS TEXT) makes one of it"
        text.blame(node, f"{shown(meant.sql())} is {kind} and cannot be a key", hint)
        value = None
    return Key(node=meant, value=value)


def _meant(select: exp.Select, node: exp.Expr, translator: RowTranslator) -> exp.Expr:
    """What a key stands for: a column goes before an alias of SELECT."""
    if isinstance(node, exp.Column) and not translator.knows(node.name):
        for item in select.expressions:
            if isinstance(item, exp.Alias) and item.alias == node.name:
                meant: exp.Expr = item.this.unnest()
                return meant
    return node.unnest()


def _width(text: SqlText, node: exp.Anonymous, time_name: str | None, wanted: str) -> int | None:
    """The width of TUMBLE(time, INTERVAL ...) in microseconds, or ``None`` after a mistake."""
    name = node.name.upper()
    if name != "TUMBLE":
        text.blame(node, f"{name} is not available in this release", wanted)
        return None
    if len(node.expressions) != 2:
        text.blame(node, f"TUMBLE takes 2 arguments, not {len(node.expressions)}", wanted)
        return None
    time, width = node.expressions
    if time_name is not None and not _is_column(time, time_name):
        text.blame(time, f"windows are formed by the event time, {shown(time_name)}", wanted)
        return None
    if not isinstance(width, exp.Interval):
        text.blame(width, "the width is a constant INTERVAL", wanted)
        return None
    return _length(text, text.token_number(text.start(node), "INTERVAL"), wanted)


def _is_column(node: exp.Expr, name: str) -> bool:
    return isinstance(node, exp.Column) and node.name == name and not node.args.get("table")


def _length(text: SqlText, number: int, wanted: str) -> int | None:
    """Read the interval from its words: the parser drops what it does not understand of it."""
    index, written = text.tokens[number].start, text.tokens[number + 1].text
    found = LENGTH.fullmatch(written)
    unit = (found[2] if found and found[2] else text.tokens[number + 2].text).upper()
    length = UNITS.get(unit.removesuffix("S"))
    if found is None or length is None:
        hint = "write INTERVAL '10 seconds'; units: milliseconds, seconds, minutes, hours, days"
        text.fault(index, f"{shown(written)} is not an interval", hint)
        return None
    value = Decimal(found[1]) * length
    if not LEAST_WIDTH_US <= value <= MOST_WIDTH_US or value != value.to_integral_value():
        text.fault(index, "a window is at least 100 milliseconds and at most 366 days wide", wanted)
        return None
    return int(value)
