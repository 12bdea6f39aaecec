"""Where time and waiting come from: handed in, so that a day of outage is a millisecond of test.

Instants are integers: microseconds since 1970-01-01 UTC. They are compared, subtracted and stored by the
million, and an integer has no zone to get wrong; :func:`to_datetime` and :func:`from_datetime` are the border to
people.
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

MILLISECOND: Final = 1_000
SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

NEVER: Final = -(2**63)
"""The watermark of a node that has seen nothing yet."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Where time comes from. Tests pass one they can turn (:class:`fogline.testing.clock.ManualClock`)."""

    def now_us(self) -> int:
        """Wall clock, microseconds since 1970-01-01 UTC. May jump when the machine's clock is set."""
        ...

    def monotonic(self) -> float:
        """Seconds since some instant; never goes back. For durations."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after this many seconds of this clock."""
        ...


class SystemClock:
    """The machine's clock; the only place that reads it."""

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def to_datetime(instant_us: int) -> datetime:
    """The aware UTC datetime of an instant in microseconds."""
    return EPOCH + timedelta(microseconds=instant_us)


def from_datetime(instant: datetime) -> int:
    """Microseconds since 1970-01-01 UTC of an aware datetime.

    Raises :class:`ValueError` for a naive one: it names no instant.
    """
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no time zone; add one, for example +00:00")
    return (instant - EPOCH) // timedelta(microseconds=1)


def to_rfc3339(instant_us: int) -> str:
    """An instant as RFC 3339 in UTC, for example ``2026-01-31T12:00:00Z``; microseconds only if there are any."""
    return to_datetime(instant_us).isoformat().replace("+00:00", "Z")
