"""Instants and spans as people write them: RFC 3339, how long ago, how long."""

import re
from datetime import datetime, timedelta
from typing import Final

import typer

from fogline.model.clock import SystemClock, to_datetime

_AGO: Final = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d)")
_POSSIBLE: Final = "2026-01-31T12:00:00Z, now, or how long ago: 30s, 15m, 2h, 1d"
_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def parse_instant(text: str, now_us: int) -> datetime:
    """Read ``2026-01-31T12:00:00Z``, ``now``, or how long ago: ``30s``, ``15m``, ``2h``, ``1d``.

    Raises :class:`ValueError` that says what is possible.
    """
    if text == "now":
        return to_datetime(now_us)
    try:
        if ago := _AGO.fullmatch(text):
            return to_datetime(now_us) - timedelta(seconds=_seconds(ago))
        instant = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
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


def parse_span(text: str, *, days: int = 1) -> float:
    """Read how long: ``10s``, ``2m``, ``1h``, ``1d``, or a number of seconds; at most so many days.

    Raises :class:`ValueError`.
    """
    if (span := _AGO.fullmatch(text)) is None:
        span = _AGO.fullmatch(f"{text}s")
    seconds = 0.0 if span is None else _seconds(span)
    if not 0.0 < seconds <= days * _UNITS["d"]:
        most = "a day" if days == 1 else f"{days} days"
        raise ValueError(f"{text!r} is no span; write 10s, 2m, 1h, 1d, or seconds, up to {most}")
    return seconds


def span_option(name: str, text: str, *, days: int = 1) -> float:
    """Read an option's span in seconds, or end with wrong usage."""
    try:
        return parse_span(text, days=days)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=name) from None


def _seconds(span: re.Match[str]) -> float:
    return float(span[1]) * _UNITS[span[2]]
