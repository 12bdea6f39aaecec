"""Instants as people write them: RFC 3339, or how long ago."""

import re
from datetime import datetime, timedelta
from typing import Final

import typer

from fogline.model.clock import SystemClock, to_datetime

_AGO: Final = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d)")
_POSSIBLE: Final = "2026-01-31T12:00:00Z, now, or how long ago: 30s, 15m, 2h, 1d"
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_instant(text: str, now_us: int) -> datetime:
    """Read ``2026-01-31T12:00:00Z``, ``now``, or how long ago: ``30s``, ``15m``, ``2h``, ``1d``.

    Raises :class:`ValueError` that says what is possible.
    """
    if text == "now":
        return to_datetime(now_us)
    if ago := _AGO.fullmatch(text):
        return to_datetime(now_us) - timedelta(**{_UNITS[ago[2]]: float(ago[1])})
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no instant; write {_POSSIBLE}") from None
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; add Z for UTC, or for example +01:00")
    return instant


def instant_option(name: str, text: str | None) -> datetime | None:
    """Read an option's instant, or end with wrong usage."""
    try:
        return parse_instant(text, SystemClock().now_us()) if text is not None else None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=name) from None
