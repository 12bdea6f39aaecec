"""What a query reads: named columns with their types."""

from collections.abc import Mapping
from dataclasses import dataclass

from fogline.engine.expression import ValueType
from fogline.model.plan import Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnType:
    """Type of a column, and for a field its sensor's grid."""

    type: ValueType
    resolution: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A stream, or the rows of a row query."""

    name: str
    stream: str
    """Name of the stream at the end of its sources."""
    columns: Mapping[str, ColumnType]
    time_name: str | None
    """Name of the event time in SQL, which passes through row queries; ``None`` if mistakes hide it."""
    sound: bool
    """Whether all its columns are known; if not, an unknown name is not a mistake of the query."""

    @property
    def names(self) -> list[str]:
        """Every name that a query can use."""
        return [*self.columns, *filter(None, [self.time_name])]

    @property
    def time_example(self) -> str:
        """The event time as it stands in hints."""
        return self.time_name or "time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """An expression that was checked."""

    expression: Expression
    column: ColumnType
