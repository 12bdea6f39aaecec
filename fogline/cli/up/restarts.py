"""When a process that died is started again: at once, unless it keeps dying."""

from dataclasses import dataclass, replace
from typing import Final

QUICK: Final = 5.0
"""A process that lived shorter than this many seconds died quickly."""
_FIRST_DELAY: Final = 0.1
_LONGEST_DELAY: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deaths:
    """How often in a row a process died quickly."""

    quick: int = 0

    @property
    def delay(self) -> float:
        """Seconds to wait before the next start; doubles with every quick death."""
        if self.quick < 2:
            return 0.0
        return min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** min(self.quick - 2, 16))


def after_death(deaths: Deaths, lived: float) -> Deaths:
    """Count a death after ``lived`` seconds of life; a long life forgives the quick deaths before it."""
    return replace(deaths, quick=deaths.quick + 1 if lived < QUICK else 0)
