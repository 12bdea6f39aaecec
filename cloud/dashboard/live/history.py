"""Bounded memory of how figures went."""

from collections import deque
from collections.abc import Hashable
from typing import Final

POINTS: Final = 120
"""Points kept of each series: two minutes at a look a second."""
SERIES: Final = 400
"""Series kept at most; the one that was written longest ago goes first."""


class History:
    """The newest points of many series."""

    def __init__(self, *, points: int = POINTS, series: int = SERIES) -> None:
        self._points: Final = points
        self._most: Final = series
        self._series: dict[Hashable, deque[float | None]] = {}

    def add(self, series: Hashable, value: float | None) -> None:
        """Add the newest point; None where nothing is known."""
        points = self._series.pop(series, None)
        if points is None:
            points = deque(maxlen=self._points)
            if len(self._series) >= self._most:
                del self._series[next(iter(self._series))]
        points.append(value)
        self._series[series] = points  # last: written newest

    def of(self, series: Hashable) -> tuple[float | None, ...]:
        """The points of a series, oldest first; empty for one that is not known."""
        return tuple(self._series.get(series, ()))

    def __len__(self) -> int:
        return len(self._series)
