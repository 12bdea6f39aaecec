"""From a row to an MQTT message: a topic from a template, a JSON object of the cells."""

import json
import re
import zlib
from collections.abc import Sequence
from typing import Final

from fogline.cli.replay.table import Row, Table
from fogline.model.errors import InvalidInput

# What JSON calls a number, to the letter: "007" is a name, not seven, and "NaN" is none at all.
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_FIELD: Final = re.compile(r"\{([^{}]*)\}")


class Topic:
    """A topic with ``{column}`` for the cells of a row."""

    def __init__(self, template: str, table: Table) -> None:
        # Odd parts are columns' names.
        parts = _FIELD.split(template)
        self._fixed: Final = parts[::2]
        self._columns: Final = [table.index(name, of="--topic") for name in parts[1::2]]
        self._table: Final = table
        if any(c in text for text in self._fixed for c in "{}+#\0") or not template:
            raise InvalidInput(
                f"{template!r} is no topic to publish to", hint="write for example 'site/{node}/reading'"
            )

    def of(self, row: Row) -> str:
        """Fill in a row's cells. Raises :class:`InvalidInput` if they make no topic."""
        cells = [row.cells[c] for c in self._columns]
        if any(not cell or any(c in cell for c in "/+#\0") for cell in cells):
            raise InvalidInput(
                f"{self._table.path}:{row.line}: {cells!r} cannot stand in a topic",
                hint="a level of a topic is not empty and has none of / + #",
            )
        return "".join(text + cell for text, cell in zip(self._fixed, [*cells, ""], strict=True))


class Payload:
    """JSON objects with a member for each column: a number where the cell is one, null where it is empty."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._names: Final = [json.dumps(name, ensure_ascii=False) for name in columns]

    def of(self, cells: Sequence[str]) -> bytes:
        """Make the object of one row. Numbers keep every digit that they have in the file."""
        members = (f"{name}:{_value(cell)}" for name, cell in zip(self._names, cells, strict=True))
        return f"{{{','.join(members)}}}".encode()


class Split:
    """Which target a row goes to: by a hash of one column, so that equal cells go to the same one."""

    def __init__(self, column: str | None, targets: int, table: Table) -> None:
        if targets > 1 and column is None:
            raise InvalidInput("rows go to several nodes", hint="--split COLUMN says by which column's hash")
        self._column: Final = None if column is None else table.index(column, of="--split")
        self._targets: Final = targets

    def of(self, row: Row) -> int:
        """Choose the target of a row; the same in every run."""
        if self._column is None:
            return 0
        return zlib.crc32(row.cells[self._column].encode()) % self._targets


def _value(cell: str) -> str:
    if not cell:
        return "null"
    return cell if _NUMBER.fullmatch(cell) else json.dumps(cell, ensure_ascii=False)
