"""Durations and sizes as people write them."""

import re
from decimal import Decimal
from typing import Final

from fogline.model.clock import DAY, HOUR, MILLISECOND, MINUTE, SECOND
from fogline.model.faults import shown
from fogline.model.plan import FOR_EVER
from fogline.spec.section import Section

UNITS: Final = {"ms": MILLISECOND, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
"""Units of a duration, in microseconds."""

SIZES: Final = {
    "": 1,
    "K": 1000,
    "M": 1000**2,
    "G": 1000**3,
    "T": 1000**4,
    "Ki": 1024,
    "Mi": 1024**2,
    "Gi": 1024**3,
    "Ti": 1024**4,
}
"""Units of a size, in bytes; each may have a ``B`` behind it."""

QUANTITY: Final = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) ?([A-Za-z]*)", re.ASCII)
MAX_DURATION: Final = 36_500 * DAY


def duration(
    section: Section,
    key: str,
    default_us: int,
    *,
    least_us: int = 0,
    most_us: int = MAX_DURATION,
    for_ever: bool = False,
) -> int:
    """A key's value in microseconds: ``500ms``, ``5s``, ``2m``, ``1d``; ``forever`` where allowed."""
    forms = "a number with ms, s, m, h or d, for example 5s or 2m" + (", or forever" if for_ever else "")
    text = section.text(key, forms)
    if text is None:
        return default_us
    if for_ever and text == "forever":
        return FOR_EVER
    found = QUANTITY.fullmatch(text)
    if found is None or found[2] not in UNITS:
        unitless = found is not None and not found[2]
        hint = f"did you mean `{text}s`? Write {forms}" if unitless else f"write {forms}"
        section.fault(key, f"{shown(text)} is not a duration", hint)
        return default_us
    value = Decimal(found[1]) * UNITS[found[2]]
    if value != value.to_integral_value():
        section.fault(key, f"{shown(text)} is finer than a microsecond", "write a coarser duration")
    elif not least_us <= value <= most_us:
        section.fault(
            key,
            f"{shown(text)} is too {'short' if value < least_us else 'long'}",
            f"at least {_spelt(least_us)}, at most {_spelt(most_us)}",
        )
    else:
        return int(value)
    return default_us


def _spelt(duration_us: int) -> str:
    """A duration in the largest unit that it is a multiple of."""
    unit = next(
        name for name, us in reversed(UNITS.items()) if duration_us % us == 0 and (duration_us or name == "s")
    )
    return f"{duration_us // UNITS[unit]}{unit}"


def size(section: Section, key: str, *, least: int, most: int = 2**63 - 1) -> int:
    """A key's value in bytes: ``64Mi``, ``2GiB``, ``500MB``; 0 if the key is not there or wrong."""
    forms = "a number with Ki, Mi, Gi or Ti, for example 64Mi or 2GiB"
    text = section.text(key, forms)
    if text is None:
        return 0
    found = QUANTITY.fullmatch(text)
    unit = None if found is None else found[2].removesuffix("B")
    if found is None or unit not in SIZES:
        section.fault(key, f"{shown(text)} is not a size", f"write {forms}")
        return 0
    value = int(Decimal(found[1]) * SIZES[unit])
    if not least <= value <= most:
        small = value < least
        bound = f"at least {least} bytes" if small or most == 2**63 - 1 else f"at most {most} bytes"
        section.fault(key, f"{shown(text)} is too {'small' if small else 'large'}", bound)
        return 0
    return value


def count(section: Section, key: str, default: int, *, least: int, most: int) -> int:
    """A key's value as a whole number within bounds."""
    forms = f"a whole number from {least} to {most}"
    text = section.text(key, forms)
    if text is None:
        return default
    digits = text.replace("_", "")
    if not re.fullmatch(r"[0-9]{1,15}", digits, re.ASCII) or not least <= int(digits) <= most:
        section.fault(key, f"{shown(text)} is not allowed here", f"write {forms}")
        return default
    return int(digits)
