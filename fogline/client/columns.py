"""Results as columns: the one table behind pandas, polars and Arrow.

Columns come in this order: ``window_start``, ``window_end``, ``step``, the keys, the outputs, ``status``, ``have``,
``expected``, ``readings``, ``revision``. These names are always theirs: a key of such a name is called ``key.NAME``,
an output ``value.NAME``, and so is an output that is named as a key. Several steps share a table: what a step
does not have is null.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

from fogline.client.values import Result
from fogline.model.plan import Scalar


class Kind(Enum):
    """What a column holds; every kind but the times may have nulls."""

    INSTANT = auto()
    """UTC, to the microsecond."""
    INTEGER = auto()
    NUMBER = auto()
    TEXT = auto()
    TRUTH = auto()
    LABEL = auto()
    """One of few texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column, a value for each result."""

    name: str
    kind: Kind
    values: Sequence[Any]


_FIRST: Final[Mapping[str, tuple[Kind, Callable[[Result], Any]]]] = {
    "window_start": (Kind.INSTANT, lambda r: r.window_start),
    "window_end": (Kind.INSTANT, lambda r: r.window_end),
    "step": (Kind.LABEL, lambda r: r.step),
}
_LAST: Final[Mapping[str, tuple[Kind, Callable[[Result], Any]]]] = {
    "status": (Kind.LABEL, lambda r: r.status.value),
    "have": (Kind.INTEGER, lambda r: r.have),
    "expected": (Kind.INTEGER, lambda r: r.expected),
    "readings": (Kind.INTEGER, lambda r: r.readings),
    "revision": (Kind.INTEGER, lambda r: r.revision),
}


def to_columns(results: Iterable[Result]) -> tuple[Column, ...]:
    """Turn results into columns; without any there are those that every table has."""
    rows = list(results)
    # Dictionaries as ordered sets: names in the order in which they first come.
    keys = dict.fromkeys(name for row in rows for name in row.key)
    outputs = dict.fromkeys(name for row in rows for name in row.values)
    taken = {*_FIRST, *_LAST}
    columns = [Column(name=n, kind=k, values=[of(r) for r in rows]) for n, (k, of) in _FIRST.items()]
    columns += [
        Column(name=_free(key, "key", taken), kind=Kind.LABEL, values=[row.key.get(key) for row in rows])
        for key in keys
    ]
    columns += [
        _output(_free(output, "value", taken), [row.values.get(output) for row in rows]) for output in outputs
    ]
    columns += [Column(name=n, kind=k, values=[of(r) for r in rows]) for n, (k, of) in _LAST.items()]
    return tuple(columns)


def _free(name: str, prefix: str, taken: set[str]) -> str:
    while name in taken:
        name = f"{prefix}.{name}"
    taken.add(name)
    return name


def _output(name: str, values: list[Scalar]) -> Column:
    """Find the kind that holds every value: a plan that follows another may give an output another type."""
    types = {type(value) for value in values if value is not None}
    if types == {bool}:
        return Column(name=name, kind=Kind.TRUTH, values=values)
    if types == {int}:
        return Column(name=name, kind=Kind.INTEGER, values=values)
    if types <= {int, float}:
        return Column(
            name=name, kind=Kind.NUMBER, values=[None if value is None else float(value) for value in values]
        )
    return Column(
        name=name, kind=Kind.TEXT, values=[None if value is None else _text(value) for value in values]
    )


def _text(value: Scalar) -> str:
    return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
