"""The times in a column: read in their unit, moved by a span, written back in the same unit."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final, Literal

from fogline.model.clock import SECOND, from_datetime

Unit = Literal["s", "ms", "us", "ns", "iso"]

_PER_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
# From 1973 to 5138 the number of digits tells the unit.
_LIMITS: Final[tuple[tuple[float, Unit], ...]] = ((1e11, "s"), (1e14, "ms"), (1e17, "us"))
USUAL_COLUMNS: Final = (
    "ts",
    "time",
    "timestamp",
    "ts_ms",
    "time_ms",
    "ts_us",
    "datetime",
    "date_time",
    "date",
)


def detect_unit(cell: str) -> Unit:
    """Tell a time's unit from its look: a number's magnitude, else ISO 8601.

    Raises :class:`ValueError` if it is neither.
    """
    try:
        number = abs(float(cell))
    except ValueError:
        to_us(cell, "iso")
        return "iso"
    return next((unit for limit, unit in _LIMITS if number < limit), "ns")


def to_us(cell: str, unit: Unit) -> int:
    """Read a time as microseconds since 1970-01-01 UTC; ISO 8601 without a zone is taken for UTC.

    Raises :class:`ValueError`.
    """
    if unit == "iso":
        return from_datetime(_datetime(cell))
    return int(_number(cell, unit) * SECOND / _PER_SECOND[unit])


def shifted(cell: str, unit: Unit, by_us: int) -> str:
    """Move a time and write it in the unit that it had. Exact: no digit of it is rounded."""
    if unit == "iso":
        moved = _datetime(cell) + timedelta(microseconds=by_us)
        return moved.isoformat().replace("+00:00", "Z")
    return f"{_number(cell, unit) + Decimal(by_us) * _PER_SECOND[unit] / SECOND:f}"


def whole(span_us: int, unit: Unit) -> int:
    """Cut a span down to whole units, so that a column of integers stays one; milliseconds for ISO 8601."""
    return span_us - span_us % max(1, SECOND // _PER_SECOND["ms" if unit == "iso" else unit])


def _datetime(cell: str) -> datetime:
    instant = datetime.fromisoformat(cell.strip())
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


def _number(cell: str, unit: Unit) -> Decimal:
    try:
        number = Decimal(cell.strip())
    except InvalidOperation:
        raise ValueError(f"{cell!r} is no number of {unit}") from None
    if not number.is_finite():
        raise ValueError(f"{cell!r} is no instant")
    return number
