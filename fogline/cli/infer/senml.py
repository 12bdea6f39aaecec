"""SenML packs (RFC 8428, and the object of older drafts) by the rules that a node decodes by."""

import math
from dataclasses import dataclass, field
from typing import Any, Final

from fogline.model.plan import Scalar

ABSOLUTE_FROM: Final = 2**28
"""Times from here on are seconds since 1970, smaller ones relative to now (RFC 8428)."""
MILLISECONDS_FROM: Final = 1e11
"""Older devices send milliseconds."""
_MEMBERS: Final = frozenset(
    {"bn", "bt", "bu", "bv", "bs", "bver", "n", "u", "v", "vs", "sv", "vb", "vd", "s", "t", "ut"}
)
_VALUES: Final = frozenset({"v", "vs", "sv", "vb", "vd", "s", "bv"})
_DRAFT: Final = frozenset({"e", "bn", "bt", "bu", "bv", "ver"})


@dataclass(slots=True, kw_only=True)
class Instant:
    """A pack's values of one instant."""

    time_s: float | None
    """As the pack says it; None: the arrival."""
    values: dict[str, Scalar] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    """Under which a node finds them: one that comes twice begins another reading."""


def is_pack(content: Any) -> bool:
    """Whether this reads like a pack: nothing but SenML's members, with a name and a value."""
    records = content
    if isinstance(content, dict):
        records = content.get("e") if content.keys() <= _DRAFT else None
    if not isinstance(records, list) or not all(
        isinstance(r, dict) and r.keys() <= _MEMBERS for r in records
    ):
        return False
    named = any(r.keys() & {"n", "bn"} for r in records)
    return named and any(r.keys() & _VALUES for r in records)


def read_pack(content: Any) -> list[Instant] | None:
    """Gather a pack's values by instant, base fields applied; None for a pack that a node would refuse."""
    draft = isinstance(content, dict)
    records = _of_draft(content) if draft else content
    try:
        return _instants(records, draft=draft)
    except (ValueError, OverflowError):
        return None


def _of_draft(pack: dict[str, Any]) -> list[dict[str, Any]]:
    first, *others = pack["e"]
    return [{**{name: pack[name] for name in ("bn", "bt", "bv") if name in pack}, **first}, *others]


def _instants(records: list[dict[str, Any]], *, draft: bool) -> list[Instant]:
    base_name, base_time, base_value = "", 0.0, 0.0
    now: dict[float | None, Instant] = {}
    done: list[Instant] = []
    for record in records:
        base_name = _text(record.get("bn", base_name))
        base_time = _seconds(record.get("bt", base_time), draft=draft)
        if not isinstance(record.get("bv"), bool):
            base_value = _number(record.get("bv", base_value), draft=draft)
        name = _text(record.get("n", ""))
        value = _value(record, base_value, draft=draft)
        time = (base_time + _seconds(record.get("t", 0.0), draft=draft)) or None
        row = now.setdefault(time, Instant(time_s=time))
        if name in row.names:
            done.append(row)
            row = now[time] = Instant(time_s=time)
        row.names |= {"bn", name, base_name + name}
        row.values |= {"bn": base_name or None, name or base_name: value}
    return [*done, *now.values()]


def _value(record: dict[str, Any], base: float, *, draft: bool) -> Scalar:
    if "v" in record:
        return _finite(_number(record["v"], draft=draft) + base)
    for text in ("vs", "sv"):
        if text in record:
            return _text(record[text])
    flag = record.get("vb", record.get("bv") if draft else None)
    return int(flag) if isinstance(flag, bool) else None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("no text")  # noqa: TRY004 -- one kind of error for a pack that cannot be read
    return value


def _number(value: Any, *, draft: bool) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | (str if draft else float)):
        raise ValueError("no number")  # noqa: TRY004 -- as above
    return _finite(float(value))


def _seconds(value: Any, *, draft: bool) -> float:
    seconds = _number(value, draft=draft)
    return seconds / 1000 if abs(seconds) >= MILLISECONDS_FROM else seconds


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("not finite")
    return value
