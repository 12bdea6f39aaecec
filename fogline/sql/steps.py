"""All SQL steps of a pipeline: who reads whom, in which order, and what each does."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final

from sqlglot import exp

from fogline.model.faults import Faults, Place, did_you_mean, shown
from fogline.model.plan import RowQuery, StepSpec, WindowQuery
from fogline.sql.columns import Source
from fogline.sql.parse import parse_select
from fogline.sql.rows import RowTranslator, row_query
from fogline.sql.text import SqlText
from fogline.sql.windows import is_window_query, window_query

IN_WHERE: Final = "WHERE looks at single readings; filter windows when reading"


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlStep:
    """A step as it is written."""

    name: str
    path: str
    """Place of its SQL in the spec, for example ``steps.by_zone.sql``."""
    name_place: Place
    text: str
    place: Callable[[int], Place]
    """Where in the file a character of the text stands."""
    declared_source: str | None = None
    """What ``from:`` says, if it is there."""
    declared_place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parsed:
    step: SqlStep
    text: SqlText
    select: exp.Select
    source: str
    source_index: int


def plan_steps(
    steps: Sequence[SqlStep], streams: Mapping[str, Source], broken: AbstractSet[str], faults: Faults
) -> tuple[StepSpec, ...]:
    """Plan the steps, each behind its source; mistakes become faults.

    ``broken`` are streams and steps that exist but could not be read: nobody is blamed for reading them.
    """
    return _Planner(streams, broken, faults).plan(steps)


class _Planner:
    """Plans the steps of one pipeline."""

    def __init__(self, streams: Mapping[str, Source], broken: AbstractSet[str], faults: Faults) -> None:
        self._faults: Final = faults
        self._sources: Final = dict(streams)
        self._broken: Final = set(broken)
        self._windows: Final[set[str]] = set()
        self._planned: Final[list[StepSpec]] = []

    def plan(self, steps: Sequence[SqlStep]) -> tuple[StepSpec, ...]:
        before = len(self._faults.found)
        waiting: dict[str, _Parsed] = {}
        for step in steps:
            parsed = self._parse(step)
            if parsed is None:
                self._broken.add(step.name)
            else:
                waiting[step.name] = parsed
        names = {*waiting, *self._sources, *self._broken}
        while waiting:
            ready = sorted(n for n, p in waiting.items() if p.source not in waiting)
            if not ready:
                self._blame_cycles(waiting)
                break
            for name in ready:
                self._plan_one(waiting.pop(name), names)
        if len(self._faults.found) == before and not self._broken:
            self._blame_unread(steps)
        return tuple(self._planned)

    def _parse(self, step: SqlStep) -> _Parsed | None:
        text = SqlText(step.text, step.place, step.path, self._faults)
        select = parse_select(text)
        if select is None:
            return None
        table = _table(text, select)
        if table is None:
            return None
        if step.declared_source is not None and step.declared_source != table.name:
            message = f"`from` says {shown(step.declared_source)}, the SQL says FROM {shown(table.name)}"
            path = step.path.removesuffix("sql") + "from"
            self._faults.add(
                step.declared_place or step.name_place, path, message, "remove `from`: SQL names its source"
            )
        return _Parsed(step=step, text=text, select=select, source=table.name, source_index=text.start(table))

    def _plan_one(self, parsed: _Parsed, names: AbstractSet[str]) -> None:
        text, select, name = parsed.text, parsed.select, parsed.step.name
        source = self._sources.get(parsed.source)
        if source is None:
            if parsed.source in self._windows:
                hint = "windows of windows come with a later release: read the stream, or a row query"
                text.fault(parsed.source_index, f"{shown(parsed.source)} is a window query", hint)
            elif parsed.source not in self._broken:
                hint = did_you_mean(parsed.source, names - {name})
                text.fault(parsed.source_index, f"there is no stream or step {shown(parsed.source)}", hint)
            self._broken.add(name)
            return
        where = None
        if select.args.get("where"):
            translator = RowTranslator(text, source, IN_WHERE)
            where = translator.condition(select.args["where"].this)
        query: RowQuery | WindowQuery | None
        if is_window_query(select):
            query = window_query(text, select, source)
            self._windows.add(name)
        else:
            query, output = row_query(text, select, source)
            self._sources[name] = replace(output, name=name)
        if query is not None:
            self._planned.append(
                StepSpec(name=name, source=parsed.source, stream=source.stream, where=where, query=query)
            )

    def _blame_cycles(self, waiting: Mapping[str, _Parsed]) -> None:
        for parsed in waiting.values():
            if parsed.source == parsed.step.name:
                parsed.text.fault(
                    parsed.source_index, "this step reads itself", "read a stream, or another step"
                )
            elif _reaches(parsed.step.name, parsed.source, waiting):
                message = f"{shown(parsed.step.name)} and {shown(parsed.source)} read each other in a circle"
                parsed.text.fault(parsed.source_index, message, "let one of them read a stream")

    def _blame_unread(self, steps: Sequence[SqlStep]) -> None:
        read = {step.source for step in self._planned}
        for step in steps:
            if step.name not in read and step.name not in self._windows:
                message = f"nothing reads the rows of {shown(step.name)}"
                hint = f"add a window query FROM {step.name}; rows alone have no results in this release"
                self._faults.add(step.name_place, step.path.removesuffix(".sql"), message, hint)


def _reaches(name: str, source: str, waiting: Mapping[str, _Parsed]) -> bool:
    seen: set[str] = set()
    while source in waiting and source not in seen:
        if source == name:
            return True
        seen.add(source)
        source = waiting[source].source
    return False


def _table(text: SqlText, select: exp.Select) -> exp.Table | None:
    """What FROM names, if it is one plain name."""
    clause = select.args.get("from_")
    if clause is None:
        text.fault(0, "FROM is missing", "write SELECT ... FROM a stream or step")
        return None
    table = clause.this
    index = text.word("FROM")
    if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier):
        text.fault(
            index,
            "FROM takes the name of a stream or step",
            "make an inner SELECT a step of its own and read it",
        )
        return None
    extras = [key for key, value in table.args.items() if value and key != "this"]
    if extras:
        what = "an alias" if extras == ["alias"] else "more than a name"
        text.fault(index, f"FROM takes a name without {what}", f"write FROM {table.name}")
        return None
    return table
