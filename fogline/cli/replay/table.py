"""A CSV file, plain or gzipped, read row by row."""

import csv
import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TextIO

from fogline.model.errors import InvalidInput

_GZIP = b"\x1f\x8b"


class Row(NamedTuple):
    """One row, with the line on which it ends."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A CSV file whose first line names the columns."""

    path: Path
    columns: tuple[str, ...]

    @classmethod
    def open(cls, path: Path) -> "Table":
        """Read the names of the columns. Raises :class:`InvalidInput` if the file is none of CSV."""
        with _reading(path) as text:
            columns = tuple(name.strip() for name in next(csv.reader(text), []))
        if not columns or not all(columns):
            raise InvalidInput(f"{path}:1: the first line must name every column", hint="add a header line")
        if len(set(columns)) < len(columns):
            raise InvalidInput(f"{path}:1: two columns have the same name", hint="rename one")
        return cls(path=path, columns=columns)

    def index(self, column: str, *, of: str) -> int:
        """Find a column. Raises :class:`InvalidInput` naming those there are; ``of`` says who asked."""
        if column not in self.columns:
            missing = f"{self.path} has no column {column!r}, which {of} names"
            raise InvalidInput(missing, hint=f"it has {', '.join(self.columns)}")
        return self.columns.index(column)

    def rows(self) -> Iterator[Row]:
        """Yield the rows; blank lines are no rows. Raises :class:`InvalidInput` at one of another length."""
        with _reading(self.path) as text:
            reader = csv.reader(text)
            next(reader)
            for cells in reader:
                if not cells:
                    continue
                if len(cells) != len(self.columns):
                    counts = f"{len(cells)} cells under {len(self.columns)} columns"
                    raise InvalidInput(
                        f"{self.path}:{reader.line_num}: {counts}",
                        hint="mend the line; nothing was sent",
                    )
                yield Row(reader.line_num, cells)


@contextmanager
def _reading(path: Path) -> Iterator[TextIO]:
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == _GZIP
            raw.seek(0)
            # gzip.open would close neither on an error half way through.
            with gzip.GzipFile(fileobj=raw) if zipped else raw as content:
                yield io.TextIOWrapper(content, encoding="utf-8-sig", newline="")
    except (OSError, EOFError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(f"{path} is no CSV file in UTF-8: {error}") from None
