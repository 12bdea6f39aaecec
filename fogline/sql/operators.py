"""Operator steps as SQL sees them: which columns their rows have."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from fogline.engine.expression import ValueType
from fogline.model.faults import Faults, Place, shown
from fogline.model.plan import OperatorQuery, OutputColumn, OutputType
from fogline.sql.columns import ColumnType, Source

_OUTPUTS: Final[Mapping[ValueType, OutputType]] = {
    "text": "text",
    "float": "float",
    "int": "int",
    "truth": "bool",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorStep:
    """An operator step as it is written."""

    name: str
    path: str
    """Its place in the spec, for example ``steps.clean``."""
    name_place: Place
    source: str
    source_place: Place
    labels: tuple[OutputColumn, ...] | None = None
    """None: the texts of its source."""
    fields: tuple[OutputColumn, ...] | None = None
    """None: everything else of its source."""
    places: Mapping[str, Place] = field(default_factory=dict)
    """Where each of the written columns stands."""

    def blame_source(self, faults: Faults, message: str, hint: str) -> None:
        """Note what is wrong with what it reads."""
        faults.add(self.source_place, f"{self.path}.from", message, hint)


def operator_query(step: OperatorStep, source: Source, faults: Faults) -> tuple[OperatorQuery, Source]:
    """The query, and what a step that reads it sees; mistakes become faults."""
    labels = _of_source(step, source, faults, texts=True) if step.labels is None else step.labels
    fields = _of_source(step, source, faults, texts=False) if step.fields is None else step.fields
    columns: dict[str, OutputColumn] = {}
    for column in (*labels, *fields):
        place = step.places.get(column.name, step.name_place)
        if column.name == source.time_name:
            message = f"{shown(column.name)} is the name of the event time"
            hint = "each row has its input row's time; give the column another name"
            faults.add(place, step.path, message, hint)
        elif column.name in columns:
            hint = "name all of `labels` and `fields`, each name once"
            faults.add(place, step.path, f"two columns are called {shown(column.name)}", hint)
        columns[column.name] = column
    if not columns and source.sound:
        faults.add(step.name_place, step.path, "the operator's rows have no column", "name some in `fields`")
    return OperatorQuery(columns=tuple(columns.values())), Source(
        name=step.name,
        stream=source.stream,
        columns={name: _type(column) for name, column in columns.items()},
        time_name=source.time_name,
        sound=source.sound or None not in (step.labels, step.fields),
    )


def _of_source(
    step: OperatorStep, source: Source, faults: Faults, *, texts: bool
) -> tuple[OutputColumn, ...]:
    found = []
    for name, column in source.columns.items():
        if (column.type == "text") is not texts:
            continue
        output = _OUTPUTS.get(column.type)
        if output is None:
            message = f"the column {shown(name)} of {shown(source.name)} has no type"
            faults.add(step.source_place, f"{step.path}.from", message, "name the operator's `fields`")
        else:
            grid = column.resolution if output == "float" else None
            found.append(OutputColumn(name=name, type=output, resolution=grid))
    return tuple(found)


def _type(column: OutputColumn) -> ColumnType:
    return ColumnType(type="truth" if column.type == "bool" else column.type, resolution=column.resolution)
