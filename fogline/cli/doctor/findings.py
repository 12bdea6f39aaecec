"""What the doctor says."""

from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """How bad it is."""

    OK = "ok"
    NOTE = "note"
    """Good to know; nothing needs to be done."""
    WARNING = "warning"
    """Works, and may lose messages or time on a bad day."""
    PROBLEM = "problem"
    """Does not work, or breaks a promise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    area: str
    """``machine``, ``containers``, ``node``, ``broker``, ``mosquitto.conf``, ``server`` or ``store``."""
    level: Level
    said: str
    hint: str = ""
    """What to do."""


class Chart:
    """Collects the findings of one area."""

    def __init__(self, area: str) -> None:
        self._area = area
        self.findings: list[Finding] = []

    def ok(self, said: str) -> None:
        """This is well."""
        self._add(Level.OK, said)

    def note(self, said: str, hint: str = "") -> None:
        """This is good to know."""
        self._add(Level.NOTE, said, hint)

    def warning(self, said: str, hint: str) -> None:
        """This may cost something."""
        self._add(Level.WARNING, said, hint)

    def problem(self, said: str, hint: str) -> None:
        """This does not work."""
        self._add(Level.PROBLEM, said, hint)

    def _add(self, level: Level, said: str, hint: str = "") -> None:
        self.findings.append(Finding(area=self._area, level=level, said=said, hint=hint))
