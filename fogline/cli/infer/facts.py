"""What all readings of a stream have in common at each path."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from fogline.cli.infer.payloads import Path, Reading
from fogline.model.plan import Scalar

SHOWN: Final = 4
"""Values of a path that are kept to be shown."""
DISTINCT: Final = 1_000
"""Values of a path that are told apart."""
INT64: Final = 2**63
LARGEST: Final = 1e300
"""Beyond it a number is no float that one could add up."""


@dataclass(slots=True, kw_only=True)
class Fact:
    """What was seen at one path."""

    path: Path
    present: int = 0
    """Readings in which it is, null or not."""
    nulls: int = 0
    texts: int = 0
    truths: int = 0
    whole: int = 0
    """Numbers that were written without a fraction and fit 64 bits."""
    numbers: int = 0
    decimals: int = 0
    """Most digits behind the point."""
    largest: float = 0.0
    longest: int = 0
    """Characters of the longest text."""
    values: dict[tuple[type, Scalar], None] = field(default_factory=dict)

    @property
    def valued(self) -> int:
        """Readings in which it has a value."""
        return self.present - self.nulls

    @property
    def is_number(self) -> bool:
        """Whether every value is a number."""
        return 0 < self.numbers == self.valued and self.largest < LARGEST

    @property
    def is_whole(self) -> bool:
        """Whether every value is an integer of 64 bits."""
        return self.is_number and self.whole == self.numbers

    def note(self, value: Scalar) -> None:
        """Take in one value."""
        self.present += 1
        match value:
            case None:
                self.nulls += 1
                return
            case bool():
                self.truths += 1
            case str():
                self.texts += 1
                self.longest = max(self.longest, len(value))
            case _:
                self.numbers += 1
                self._note_number(value)
        if len(self.values) < DISTINCT:
            self.values[(type(value), value)] = None

    def shown(self) -> tuple[Scalar, ...]:
        """The first values."""
        return tuple(value for _, value in list(self.values)[:SHOWN])

    def _note_number(self, value: float) -> None:
        self.largest = max(self.largest, abs(value))
        if isinstance(value, int):
            self.whole += -INT64 <= value < INT64
        elif math.isfinite(value):
            exponent = Decimal(repr(value)).normalize().as_tuple().exponent
            self.decimals = max(self.decimals, -exponent if isinstance(exponent, int) else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was seen of a stream."""

    readings: int
    readable: tuple[Fact, ...]
    """Paths that always hold a scalar or nothing, in the order in which they first came."""
    unreadable: tuple[Path, ...]
    """Paths that hold a list, or a table in one reading and a value in another."""


def gather(readings: Iterable[Reading]) -> Facts:
    """Look at every reading of a stream."""
    facts: dict[Path, Fact] = {}
    tables: set[Path] = set()
    lists: set[Path] = set()
    count = 0
    for reading in readings:
        count += 1
        tables |= reading.tables
        lists |= reading.lists
        for path, value in reading.values.items():
            facts.setdefault(path, Fact(path=path)).note(value)
    # A null where a table stands elsewhere is read as a table without anything in it.
    contradict = {path for path in tables if path in lists or (path in facts and facts[path].valued)}
    bad = lists | contradict
    readable = [
        fact
        for path, fact in facts.items()
        if path not in tables and path not in bad and not any(above in bad for above in _above(path))
    ]
    return Facts(readings=count, readable=tuple(readable), unreadable=tuple(sorted(bad)))


def _above(path: Path) -> Iterator[Path]:
    return (path[:length] for length in range(1, len(path)))
