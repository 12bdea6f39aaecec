"""Rates from counters that only grow."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

KEPT_US = 600_000_000
"""A counter that was not seen for so long is forgotten."""
WINDOW_US = 5_000_000
"""A rate is taken over at least so long: reports come each second, commits in bursts."""


@dataclass(slots=True)
class _Track:
    older: tuple[int, int]
    newer: tuple[int, int]


class Rates:
    """Remembers two values of every counter and says how fast it grows."""

    def __init__(self) -> None:
        self._tracks: dict[Hashable, _Track] = {}

    def per_second(self, counter: Hashable, value: int, at_us: int) -> float | None:
        """Growth a second; None for a counter seen for the first time or begun anew."""
        track = self._tracks.get(counter)
        if track is None or value < track.newer[1] or at_us < track.newer[0]:
            self._tracks[counter] = _Track(older=(at_us, value), newer=(at_us, value))
            return None
        if at_us - track.newer[0] >= WINDOW_US:
            track.older, track.newer = track.newer, (at_us, value)
        span = at_us - track.older[0]
        return (value - track.older[1]) * 1e6 / span if span else None

    def forget(self, now_us: int) -> None:
        """Drop counters that are not seen any more."""
        self._tracks = {c: t for c, t in self._tracks.items() if now_us - t.newer[0] < KEPT_US}


def total(rates: Iterable[float | None]) -> float | None:
    """The sum of the known ones; None if there is none."""
    known = [rate for rate in rates if rate is not None]
    return sum(known) if known else None
