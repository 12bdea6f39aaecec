"""Names for what was found: valid in a spec, and each once."""

import re
from typing import Final

LONGEST: Final = 63
QUANTITIES: Final = frozenset(
    # One word a line would be the longest file of all.
    "altitude angle battery brightness co2 concentration conductivity consumption count counter current dewpoint "  # noqa: SIM905
    "direction distance dust energy flow frequency heading heap height hum humidity illuminance irradiance lat "
    "latitude level light load lon longitude lqi lux moisture motion noise ph pm1 pm10 pm25 position power "
    "precipitation pressure radiation rain rpm rssi salinity signal snr soil sound speed strain temp temperature "
    "tilt torque turbidity uptime uv value vibration visibility voc volt voltage volume watt weight wind".split()
)
"""Words that say what is measured: a topic's level of such a name tells streams apart, and is no label."""


def is_quantity(level: str) -> bool:
    """Whether a level says what is measured."""
    return level.lower() in QUANTITIES


def looks_like_an_identifier(level: str) -> bool:
    """Whether a level names one of many, as far as one can tell from it alone: ``t1``, ``node-12``, a MAC."""
    if is_quantity(level) or re.fullmatch(r"v\d+", level):
        return False
    if re.fullmatch(r"\d+", level) or re.fullmatch(r"(0x)?[0-9A-Fa-f:-]{6,}", level):
        return any(c.isdigit() for c in level)
    return bool(re.fullmatch(r"[A-Za-z].*?([-_:.][0-9A-Fa-f]*\d[0-9A-Fa-f]*|\d+)", level))


def to_name(text: str, *, otherwise: str) -> str:
    """Make a name of any text."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")
    if not name:
        return otherwise
    return (f"_{name}" if name[0].isdigit() else name)[:LONGEST]


def singular(word: str) -> str | None:
    """Make the singular of a level that reads like a plural, else None."""
    lower = word.lower()
    if not re.fullmatch(r"[a-z]{3,}s", lower) or lower.endswith(("ss", "us", "is")):
        return None
    return f"{lower[:-3]}y" if lower.endswith("ies") else lower[:-1]


def many(count: int, what: str) -> str:
    """Write a count with its noun."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


class Names:
    """Gives each name once."""

    def __init__(self, *taken: str) -> None:
        self._taken: Final = set(taken)

    def give(self, *wishes: str) -> str:
        """Give the first wish that is free, else the first with a number."""
        for wish in wishes:
            if wish not in self._taken:
                self._taken.add(wish)
                return wish
        number = 2
        while (name := f"{wishes[0][: LONGEST - 6]}_{number}") in self._taken:
            number += 1
        self._taken.add(name)
        return name
