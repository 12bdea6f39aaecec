"""All steps of a pipeline: who reads whom, in which order, and what each does."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final

from sqlglot import exp

from fogline.model.faults import Faults, Place, did_you_mean, shown
from fogline.model.plan import Expression, OperatorQuery, RowQuery, StepSpec, WindowQuery
from fogline.sql.columns import Source
from fogline.sql.operators import OperatorStep, operator_query
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

    @property
    def name(self) -> str:
        return self.step.name

    def blame_source(self, _faults: Faults, message: str, hint: str) -> None:
        """Note what is wrong with what FROM names."""
        self.text.fault(self.source_index, message, hint)


_Waiting = _Parsed | OperatorStep


def plan_steps(
    steps: Sequence[SqlStep | OperatorStep],
    streams: Mapping[str, Source],
    broken: AbstractSet[str],
    faults: Faults,
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

    def plan(self, steps: Sequence[SqlStep | OperatorStep]) -> tuple[StepSpec, ...]:
        before = len(self._faults.found)
        waiting: dict[str, _Waiting] = {}
        for step in steps:
            parsed = step if isinstance(step, OperatorStep) else self._parse(step)
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

    def _plan_one(self, waiting: _Waiting, names: AbstractSet[str]) -> None:
        source = self._source_of(waiting, names)
        if source is None:
            self._broken.add(waiting.name)
        elif isinstance(waiting, OperatorStep):
            query, output = operator_query(waiting, source, self._faults)
            self._sources[waiting.name] = output
            self._add(waiting, source, query)
        else:
            self._plan_sql(waiting, source)

    def _source_of(self, waiting: _Waiting, names: AbstractSet[str]) -> Source | None:
        name = waiting.source
        if name in self._windows:
            hint = "windows of windows come with a later release: read the stream, or a row query"
            if isinstance(waiting, OperatorStep):
                hint = "an operator reads a stream, a row query or another operator"
            waiting.blame_source(self._faults, f"{shown(name)} is a window query", hint)
        elif name not in self._sources and name not in self._broken:
            hint = did_you_mean(name, names - {waiting.name})
            waiting.blame_source(self._faults, f"there is no stream or step {shown(name)}", hint)
        return self._sources.get(name)

    def _plan_sql(self, parsed: _Parsed, source: Source) -> None:
        text, select = parsed.text, parsed.select
        where = None
        if select.args.get("where"):
            translator = RowTranslator(text, source, IN_WHERE)
            where = translator.condition(select.args["where"].this)
        if is_window_query(select):
            self._windows.add(parsed.name)
            windows = window_query(text, select, source)
            if windows is not None:
                self._add(parsed, source, windows, where)
        else:
            rows, output = row_query(text, select, source)
            self._sources[parsed.name] = replace(output, name=parsed.name)
            self._add(parsed, source, rows, where)

    def _add(
        self,
        step: _Waiting,
        source: Source,
        query: RowQuery | WindowQuery | OperatorQuery,
        where: Expression | None = None,
    ) -> None:
        self._planned.append(
            StepSpec(name=step.name, source=step.source, stream=source.stream, where=where, query=query)
        )

    def _blame_cycles(self, waiting: Mapping[str, _Waiting]) -> None:
        for step in waiting.values():
            if step.source == step.name:
                step.blame_source(self._faults, "this step reads itself", "read a stream, or another step")
            elif _reaches(step.name, step.source, waiting):
                message = f"{shown(step.name)} and {shown(step.source)} read each other in a circle"
                step.blame_source(self._faults, message, "let one of them read a stream")

    def _blame_unread(self, steps: Sequence[SqlStep | OperatorStep]) -> None:
        read = {step.source for step in self._planned}
        for step in steps:
            if step.name not in read and step.name not in self._windows:
                message = f"nothing reads the rows of {shown(step.name)}"
                hint = f"add a window query FROM {step.name}; rows alone have no results in this release"
                self._faults.add(step.name_place, step.path.removesuffix(".sql"), message, hint)


def _reaches(name: str, source: str, waiting: Mapping[str, _Waiting]) -> bool:
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
