"""How long something takes, counted in buckets: one search in a short tuple for each observation."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final, NamedTuple

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds for what shall take milliseconds and may take seconds."""


class Buckets(NamedTuple):
    """A moment of a histogram."""

    bounds: tuple[float, ...]
    """Upper bounds, inclusive, ascending; what is above all of them is in one more bucket."""
    counts: tuple[int, ...]
    """Observations in each bucket, not cumulated; one more than bounds."""
    total: float
    """Sum of everything observed."""


class Histogram:
    """Counts only up. One thread observes; any other may take a snapshot."""

    __slots__ = ("_bounds", "_counts", "_total")

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self._total = 0.0

    def observe(self, value: float) -> None:
        """Count one value, usually seconds."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._total += value

    def snapshot(self) -> Buckets:
        """Everything observed so far."""
        return Buckets(self._bounds, tuple(self._counts), self._total)
