"""What a payload is, by the rules that a node decodes by: JSON, SenML, a bare number, or nothing that can be read."""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

import msgspec

from fogline.cli.infer import senml
from fogline.model.plan import Scalar

LONGEST_NUMBER: Final = 64
"""Bytes of a bare number; a node reads no longer one."""
DEEPEST: Final = 16
"""Names in a path."""
_UNREADABLE: Final = frozenset('"\\')
"""Characters that a node's JSON decoder takes in no member's name that it shall read."""

Path = tuple[str, ...]


class Kind(Enum):
    """Payload formats; what no format reads is OTHER."""

    JSON = "json"
    SENML = "senml"
    NUMBER = "number"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One row of a payload: its scalars by path, and which paths hold tables or lists."""

    values: Mapping[Path, Scalar]
    tables: frozenset[Path] = frozenset()
    lists: frozenset[Path] = frozenset()
    time_s: float | None = None
    """SenML only: as the pack says it; None: the arrival."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What a payload is, and its readings."""

    kind: Kind
    readings: tuple[Reading, ...] = field(default=())


NOTHING: Final = Payload(kind=Kind.OTHER)


def read_payload(payload: bytes) -> Payload:
    """Tell what a payload is."""
    if (number := _bare_number(payload)) is not None:
        return Payload(kind=Kind.NUMBER, readings=(Reading(values={(): number}),))
    try:
        content = msgspec.json.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return NOTHING
    if senml.is_pack(content):
        return _pack(content)
    rows = content if isinstance(content, list) else [content]
    if not rows or not all(isinstance(row, dict) for row in rows):
        return NOTHING
    return Payload(kind=Kind.JSON, readings=tuple(_reading(row) for row in rows))


def _pack(content: Any) -> Payload:
    rows = senml.read_pack(content)
    if rows is None:
        return NOTHING
    readings = (Reading(values={(n,): v for n, v in row.values.items()}, time_s=row.time_s) for row in rows)
    return Payload(kind=Kind.SENML, readings=tuple(readings))


def can_be_named(path: Path) -> bool:
    """Whether a spec can write this path down."""
    return len(path) <= DEEPEST and all(n and n.isprintable() and not set(n) & _UNREADABLE for n in path)


def dotted(path: Path) -> str:
    """Write a path for a person."""
    return ".".join(path)


def _bare_number(payload: bytes) -> int | float | None:
    if len(payload) > LONGEST_NUMBER or not payload.isascii() or b"_" in payload:
        return None
    text = payload.decode("ascii").strip()
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _reading(row: dict[str, Any]) -> Reading:
    values: dict[Path, Scalar] = {}
    tables: set[Path] = set()
    lists: set[Path] = set()
    waiting: deque[tuple[Path, dict[str, Any]]] = deque([((), row)])
    while waiting:
        above, table = waiting.popleft()
        for name, value in table.items():
            path = (*above, name)
            if isinstance(value, dict):
                tables.add(path)
                if len(path) < DEEPEST:
                    waiting.append((path, value))
            elif isinstance(value, list):
                lists.add(path)
            else:
                values[path] = value
    return Reading(values=values, tables=frozenset(tables), lists=frozenset(lists))
