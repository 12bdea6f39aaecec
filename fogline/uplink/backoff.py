"""How long to wait before trying again, as a pure function."""

from dataclasses import dataclass
from random import Random

from fogline.service.units import Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Doubling with full jitter."""

    base: Seconds = 0.1
    """Longest wait before the first try again."""
    cap: Seconds = 15.0
    """Longest wait at all."""

    def ceiling(self, attempt: int) -> float:
        """The longest wait before this attempt, counted from 0."""
        return min(self.cap, self.base * float(1 << min(attempt, 30)))

    def delay(self, attempt: int, rng: Random) -> float:
        """Anywhere from nothing to the ceiling, so that a thousand children do not come back at once."""
        return self.ceiling(attempt) * rng.random()
