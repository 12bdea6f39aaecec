"""Event times: from what devices send to microseconds since 1970-01-01 UTC.

A text is ISO 8601; without an offset it is taken as UTC, since nothing on the node knows better. With unit
``auto`` the magnitude of a number tells its unit: the ranges below do not overlap for any instant from 1973
to 5138.
"""

from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fog_node.decode.rows import BAD_TIME, NO_TIME, Verdicts, verdict
from fogline.model.clock import from_datetime
from fogline.model.plan import TimeUnit

MICROSECONDS_PER: Final = {"s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3}
AUTO_FROM: Final = (("ns", 1e17), ("us", 1e14), ("ms", 1e11), ("s", 0.0))
LATEST: Final = 2**62
"""Microseconds; far enough from the int64's end that widths and allowances can be added."""


def read_times(values: list[Any], unit: TimeUnit) -> tuple[NDArray[np.int64], Verdicts]:
    """Instants in microseconds, and for each value a verdict."""
    verdicts = np.zeros(len(values), dtype=np.uint8)
    try:
        plain = np.array(values)
    except (OverflowError, ValueError):
        plain = np.array([], dtype=np.object_)
    if plain.dtype.kind in "if":
        return _from_numbers(plain, unit, verdicts)
    times = np.zeros(len(values), dtype=np.int64)
    for index, value in enumerate(values):
        instant = _from_value(value, unit)
        if isinstance(instant, str):
            verdicts[index] = verdict(instant)
        else:
            times[index] = instant
    return times, verdicts


def _from_numbers(
    values: NDArray[Any], unit: TimeUnit, verdicts: Verdicts
) -> tuple[NDArray[np.int64], Verdicts]:
    if unit == "iso":
        verdicts[:] = verdict(BAD_TIME)
        return np.zeros(len(values), dtype=np.int64), verdicts
    magnitude = np.abs(values.astype(np.float64))
    if unit != "auto":
        times, bad = _scaled(values, unit)
    else:
        times, bad = np.zeros(len(values), dtype=np.int64), np.zeros(len(values), dtype=np.bool_)
        left = np.ones(len(values), dtype=np.bool_)
        for name, least in AUTO_FROM:
            mine = left & (magnitude >= least)
            if mine.any():
                times[mine], bad[mine] = _scaled(values[mine], name)
            left &= ~mine
        bad |= left  # NaN compares with nothing
    verdicts[bad] = verdict(BAD_TIME)
    return times, verdicts


def _scaled(values: NDArray[Any], unit: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Values of one unit in microseconds; integers stay integers, so that no digit is lost."""
    per = MICROSECONDS_PER[unit]
    bad: NDArray[np.bool_] = ~(np.abs(values.astype(np.float64)) * per < LATEST)
    kept = np.where(bad, np.zeros(1, dtype=values.dtype), values)
    if values.dtype == np.int64:
        return (kept // 1000 if unit == "ns" else kept * int(per)), bad
    return np.rint(kept * per).astype(np.int64), bad


def _from_value(value: Any, unit: TimeUnit) -> int | str:
    """One value's instant, or the reason why there is none."""
    if value is None:
        return NO_TIME
    if isinstance(value, str):
        return _from_text(value) if unit in ("iso", "auto") else BAD_TIME
    if isinstance(value, bool) or abs(value) >= 2**63:
        return BAD_TIME
    times, verdicts = _from_numbers(np.array([value]), unit, np.zeros(1, dtype=np.uint8))
    return BAD_TIME if verdicts[0] else int(times[0])


def _from_text(text: str) -> int | str:
    try:
        instant = datetime.fromisoformat(text)
        return from_datetime(
            instant if instant.tzinfo else instant.fromisoformat(f"{instant.isoformat()}+00:00")
        )
    except (ValueError, OverflowError):
        return BAD_TIME
