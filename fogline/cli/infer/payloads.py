"""What a payload is, by the rules that a node decodes by: JSON, SenML, a bare number, or nothing that can be read."""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

import msgspec

from fogline.model.plan import Scalar

LONGEST_NUMBER: Final = 64
"""Bytes of a bare number; a node reads no longer one."""
DEEPEST: Final = 16
"""Names in a path."""
ABSOLUTE_FROM: Final = 2**28
"""SenML's times from here on are seconds since 1970, smaller ones relative to now (RFC 8428)."""
_UNREADABLE: Final = frozenset('"\\')
"""Characters that a node's JSON decoder takes in no member's name that it shall read."""
_SENML: Final = frozenset(
    ["bn", "bt", "bu", "bv", "bs", "bver", "n", "u", "v", "vs", "vb", "vd", "s", "t", "ut"]
)
_SENML_VALUES: Final = frozenset(["v", "vs", "vb", "vd", "s"])

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
    rows = content if isinstance(content, list) else [content]
    if not rows or not all(isinstance(row, dict) for row in rows):
        return NOTHING
    if isinstance(content, list) and _is_senml(rows):
        return _senml(rows)
    return Payload(kind=Kind.JSON, readings=tuple(_reading(row) for row in rows))


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


def _is_senml(records: list[dict[str, Any]]) -> bool:
    return (
        all(record.keys() <= _SENML for record in records)
        and any(record.keys() & {"n", "bn"} for record in records)
        and any(record.keys() & _SENML_VALUES for record in records)
    )


def _senml(records: list[dict[str, Any]]) -> Payload:
    """Gather a pack's values by instant, base fields applied; a pack that a node would refuse is nothing."""
    base_name, base_time, base_value = "", 0.0, 0.0
    now: dict[float | None, _Instant] = {}
    done: list[_Instant] = []
    for record in records:
        texts = [record.get(key, "") for key in ("bn", "n", "vs")]
        numbers = [record.get(key, 0) for key in ("bt", "t", "v", "bv")]
        if not all(isinstance(text, str) for text in texts) or not all(_is_number(n) for n in numbers):
            return NOTHING
        base_name = record.get("bn", base_name)
        base_time = float(record.get("bt", base_time))
        base_value = float(record.get("bv", base_value))
        time = (base_time + float(record.get("t", 0.0))) or None
        row = now.setdefault(time, _Instant(time_s=time))
        name = record.get("n", "")
        if name in row.names:
            done.append(row)
            row = now[time] = _Instant(time_s=time)
        row.names |= {"bn", name, base_name + name}
        row.values |= {("bn",): base_name or None, (name or base_name,): _senml_value(record, base_value)}
    rows = [*done, *now.values()]
    return Payload(kind=Kind.SENML, readings=tuple(Reading(values=r.values, time_s=r.time_s) for r in rows))


@dataclass(slots=True, kw_only=True)
class _Instant:
    """A pack's values of one instant."""

    time_s: float | None
    values: dict[Path, Scalar] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    """Under which a node finds them: one that comes twice begins another reading."""


def _senml_value(record: dict[str, Any], base: float) -> Scalar:
    if "v" in record:
        return float(record["v"]) + base
    if "vs" in record:
        return str(record["vs"])
    flag = record.get("vb")
    return int(flag) if isinstance(flag, bool) else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
