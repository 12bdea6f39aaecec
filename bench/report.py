"""What every benchmark ends with: tables, the machine, and a JSON file in ``bench/out`` (which git ignores)."""

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.machine import this_machine

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

OUT: Final = Path("bench/out")


@dataclass(frozen=True, slots=True)
class Heading:
    """A column of a table: the row's attribute, its heading, how a number is written."""

    attribute: str
    title: str
    form: str = ",.1f"


def flags(name: str, about: str | None) -> argparse.ArgumentParser:
    """The flags that every benchmark has."""
    parser = argparse.ArgumentParser(description=(about or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT / f"{name}.json", help="where the figures go")
    return parser


class Report:
    """Tables as they are measured, and the file at the end.

    ``settings`` are the flags of the run.
    """

    def __init__(self, name: str, settings: argparse.Namespace) -> None:
        # What a benchmark started ends in its `finally`, also when it is told to stop.
        signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))
        self._settings: Final = {key: value for key, value in vars(settings).items() if key != "out"}
        self._out: Final[Path] = settings.out
        self._machine: Final = this_machine(Path())
        self._said: dict[str, Any] = {
            "bench": name,
            "began": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": asdict(self._machine),
            "settings": self._settings,
            "load_before": os.getloadavg()[0],
            "tables": {},
        }

    def table(self, title: str, rows: Sequence["DataclassInstance"], columns: Sequence[Heading]) -> None:
        """Print a table, and keep its rows for the file."""
        print("\n" + "\n".join(lines_of(title, rows, columns)), flush=True)
        self._said["tables"][title] = [asdict(row) for row in rows]

    def say(self, name: str, words: str) -> None:
        """Print a sentence, and keep it for the file."""
        print(f"{name}: {words}", flush=True)
        self.keep(name, words)

    def keep(self, name: str, value: object) -> None:
        """Only for the file."""
        self._said[name] = value

    def end(self) -> None:
        """Say what it ran on, and write the file."""
        before, load = self._said["load_before"], os.getloadavg()[0]
        print(f"\n{self._machine.words()}\nload of the machine: {before:.1f} before, {load:.1f} at the end")
        self._out.parent.mkdir(parents=True, exist_ok=True)
        self._out.write_text(json.dumps(self._said | {"load_after": load}, indent=1, default=str) + "\n")


def lines_of(title: str, rows: Sequence["DataclassInstance"], columns: Sequence[Heading]) -> list[str]:
    """A table: first column and texts to the left, numbers to the right; ``None`` is blank."""
    cells = [[_cell(getattr(row, column.attribute), column.form) for column in columns] for row in rows]
    titles = [column.title for column in columns]
    widths = [max(len(line[place]) for line in [titles, *cells]) for place in range(len(columns))]
    left = [
        place == 0 or any(isinstance(getattr(row, column.attribute), str) for row in rows)
        for place, column in enumerate(columns)
    ]
    lines = [
        "  ".join(
            cell.ljust(width) if to_left else cell.rjust(width)
            for cell, width, to_left in zip(line, widths, left, strict=True)
        ).rstrip()
        for line in [titles, *cells]
    ]
    return [title, "-" * len(title), *lines]


def _cell(value: object, form: str) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else format(value, form)
