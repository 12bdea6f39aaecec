"""Sizes and durations as people write them."""

import re
from dataclasses import dataclass
from typing import Annotated, Final, Literal


@dataclass(frozen=True, slots=True)
class Unit:
    """Marks a number in the settings that may be written with a unit."""

    kind: Literal["bytes", "microseconds", "seconds"]


Size = Annotated[int, Unit("bytes")]
"""Bytes; may be written as ``"256MiB"``."""
Duration = Annotated[int, Unit("microseconds")]
"""Microseconds; written as ``"500ms"``, ``"2s"``, ``"1h"``."""

Seconds = Annotated[float, Unit("seconds")]
"""Seconds; may be written as ``"500ms"``, ``"2s"``, ``"1h"``."""

_SIZES: Final = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
_DURATIONS: Final = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
}
_AMOUNT: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*")


def parse_size(text: str) -> int:
    """Bytes of ``"256MiB"``, ``"1.5 GB"`` or ``"4096"``. Raises :class:`ValueError`."""
    return _parse(text, _SIZES, default="B", example="256MiB")


def parse_duration(text: str) -> int:
    """Microseconds of ``"500ms"``, ``"2s"``, ``"1.5h"``. Raises :class:`ValueError`, also without a unit."""
    return _parse(text, _DURATIONS, default=None, example="500ms")


def parse_seconds(text: str) -> float:
    """Seconds of ``"500ms"``, ``"2s"`` or ``"1.5"``. Raises :class:`ValueError`."""
    try:
        seconds = float(text)
    except ValueError:
        return parse_duration(text) / 1_000_000
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"{text!r} is no span of time; write for example '500ms'")
    return seconds


def _parse(text: str, units: dict[str, int], *, default: str | None, example: str) -> int:
    match = _AMOUNT.fullmatch(text)
    unit = (match[2] or default) if match else None
    if match is None or unit not in units:
        raise ValueError(
            f"{text!r} is not understood; write for example {example!r} (units: {', '.join(units)})"
        )
    return round(float(match[1]) * units[unit])
