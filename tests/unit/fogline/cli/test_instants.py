from datetime import UTC, datetime, timedelta

import pytest

from fogline.cli.instants import parse_instant, parse_span
from fogline.model.clock import from_datetime

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
NOW_US = from_datetime(NOW)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("now", NOW),
        ("30s", NOW - timedelta(seconds=30)),
        ("15m", NOW - timedelta(minutes=15)),
        ("1.5h", NOW - timedelta(minutes=90)),
        ("2d", NOW - timedelta(days=2)),
        ("2026-01-31T12:00:00Z", NOW),
        ("2026-01-31T13:00:00+01:00", NOW),
    ],
)
def test_an_instant_is_rfc_3339_or_how_long_ago(text: str, instant: datetime) -> None:
    assert parse_instant(text, NOW_US) == instant


@pytest.mark.parametrize("text", ["", "yesterday", "5x", "-5m", "12:00", "9999999d", f"{'9' * 400}s"])
def test_what_is_no_instant_is_refused_with_what_is_possible(text: str) -> None:
    with pytest.raises(ValueError, match=r"2026-01-31T12:00:00Z, now, or how long ago"):
        parse_instant(text, NOW_US)


def test_a_time_without_a_zone_names_no_instant() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        parse_instant("2026-01-31T12:00:00", NOW_US)


@pytest.mark.parametrize(
    ("text", "seconds"), [("10s", 10.0), ("2m", 120.0), ("1.5h", 5_400.0), ("0.2", 0.2), ("7", 7.0)]
)
def test_a_span_is_a_number_with_its_unit_or_of_seconds(text: str, seconds: float) -> None:
    assert parse_span(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "0s", "-1", "soon", "2d", "inf", "1e9", "99999999999999999999d"])
def test_what_is_no_span_is_refused_with_what_is_possible(text: str) -> None:
    with pytest.raises(ValueError, match="write 10s, 2m, 1h, 1d, or seconds"):
        parse_span(text)
