"""Tables as the browser draws them: columns with a kind each, rows of plain values."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal[
    "text", "mono", "link", "exact", "number", "rate", "bytes", "span", "clock", "badge", "value", "list"
]
"""How a cell is written: ``link`` takes [text, address], ``badge`` [state, text], ``clock`` microseconds."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    label: str
    kind: Kind = "text"


def table(columns: Sequence[Column], rows: Sequence[Sequence[Any]], *, empty: str) -> dict[str, Any]:
    """A table; ``empty`` is said where there are no rows."""
    return {"columns": [asdict(column) for column in columns], "rows": rows, "empty": empty}


def counted(reasons: Sequence[tuple[str, int]]) -> list[str]:
    """Reasons with their counts, the greatest first."""
    return [f"{reason} {count:,}" for reason, count in sorted(reasons, key=lambda each: -each[1]) if count]
