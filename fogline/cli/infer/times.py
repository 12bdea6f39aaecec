"""Which path holds the event time, and in which unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from fogline.cli.infer.facts import Facts
from fogline.cli.infer.payloads import Path, Reading, can_be_named, dotted
from fogline.cli.infer.senml import ABSOLUTE_FROM
from fogline.model.clock import DAY, HOUR, MINUTE, SECOND, from_datetime
from fogline.model.plan import Scalar, TimeUnit

NAMES: Final = (
    "ts", "time", "timestamp", "datetime", "date", "t", "at", "sent", "sent_at", "measured_at", "created_at", "created",
    "event_time", "eventtime", "unixtime", "epoch", "time_ms", "timestamp_ms", "ts_ms", "utc",
)  # fmt: skip
"""Names that a time usually has, the most usual first."""
_UNITS: Final[tuple[tuple[TimeUnit, float, int], ...]] = (
    ("ns", 1e17, 1_000), ("us", 1e14, 1), ("ms", 1e11, 1_000), ("s", 0.0, 1_000_000),
)  # fmt: skip
EARLIEST_US: Final = 1_000_000_000 * SECOND
"""September 2001: a smaller number is no time of a device with a clock."""
LATEST_US: Final = 4_102_444_800 * SECOND
"""The year 2100."""
AHEAD_US: Final = MINUTE
"""Every window would have to wait for a clock that is further ahead of the arrival."""

Arrived = tuple[int, Reading]
"""When a reading's message came, and the reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """An event time that every reading has."""

    path: Path
    unit: TimeUnit
    ahead_us: int
    """Furthest ahead of its arrival."""
    behind_us: int
    """Furthest behind its arrival."""
    zoneless: bool = False
    """Texts without an offset, which are read as UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """The event time that was found, and what else looked like one."""

    time: Time | None = None
    """None: the time of arrival."""
    notes: tuple[str, ...] = ()


def find_time(facts: Facts, arrived: Sequence[Arrived]) -> Search:
    """Find the path that holds a plausible time in every reading; by its name, then by being near the arrival."""
    found, notes = [], []
    for order, fact in enumerate(facts.readable):
        name = fact.path[-1].lower().replace("-", "_")
        if not can_be_named(fact.path):
            continue
        time = _as_time(fact.path, arrived) if fact.valued == facts.readings else None
        if time is None:
            if name in NAMES and fact.valued:
                notes.append(f"{dotted(fact.path)} is no time in every reading")
        elif time.ahead_us > AHEAD_US:
            zone = ": a local time without its zone?" if time.zoneless else ""
            notes.append(f"{dotted(fact.path)} is up to {spelt(time.ahead_us)} ahead of the arrival{zone}")
        elif name in NAMES or time.behind_us <= DAY:
            rank = NAMES.index(name) if name in NAMES else len(NAMES)
            found.append((time.behind_us > DAY, rank, len(fact.path), order, time))
    best = min(found, key=lambda f: f[:4])[4] if found else None
    return Search(time=best, notes=tuple(notes) if best is None else ())


def senml_time(arrived: Sequence[Arrived]) -> Time | None:
    """Say how far a pack's times are from the arrival; None if some are no times that can be waited for."""
    instants = []
    for arrival, reading in arrived:
        seconds = reading.time_s or 0.0
        instant = round(seconds * 1e6) + (arrival if abs(seconds) < ABSOLUTE_FROM else 0)
        if not 0 < instant < LATEST_US:
            return None
        instants.append(instant)
    time = _spread(("time",), "s", instants, arrived)
    return time if time.ahead_us <= AHEAD_US else None


def spelt(span_us: int) -> str:
    """Write a span for a person."""
    for unit, size in (("d", DAY), ("h", HOUR), ("min", MINUTE)):
        if span_us >= 2 * size:
            return f"{span_us / size:.1f} {unit}"
    return f"{span_us / SECOND:.1f} s"


def _as_time(path: Path, arrived: Sequence[Arrived]) -> Time | None:
    values = [reading.values[path] for _, reading in arrived]
    if all(isinstance(value, str) for value in values):
        moments = [_moment(value) for value in values]
        instants = [from_datetime(m.replace(tzinfo=m.tzinfo or UTC)) for m in moments if m is not None]
        unit: TimeUnit | None = "iso" if len(instants) == len(values) else None
        zoneless = any(m is not None and m.tzinfo is None for m in moments)
    else:
        unit, zoneless = _unit(values), False
        instants = [] if unit is None else [_scaled(value, unit) for value in values]
    if unit is None or not all(EARLIEST_US <= instant < LATEST_US for instant in instants):
        return None
    return _spread(path, unit, instants, arrived, zoneless=zoneless)


def _spread(
    path: Path, unit: TimeUnit, instants: Sequence[int], arrived: Sequence[Arrived], *, zoneless: bool = False
) -> Time:
    ahead = [instant - arrival for instant, (arrival, _) in zip(instants, arrived, strict=True)]
    return Time(
        path=path,
        unit=unit,
        ahead_us=max(0, *ahead),
        behind_us=max(0, *(-a for a in ahead)),
        zoneless=zoneless,
    )


def _unit(values: Sequence[Scalar]) -> TimeUnit | None:
    """Find the one unit that all numbers have by their size."""
    units: set[TimeUnit] = set()
    for value in values:
        if isinstance(value, bool | str) or value is None or not abs(value) < 2**62:
            return None
        units.add(next(unit for unit, least, _ in _UNITS if abs(value) >= least))
    return units.pop() if len(units) == 1 else None


def _scaled(value: Scalar, unit: TimeUnit) -> int:
    assert isinstance(value, int | float)
    factor = next(factor for name, _, factor in _UNITS if name == unit)
    return round(value / factor) if unit == "ns" else round(value * factor)


def _moment(value: Scalar) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        return None
