"""Names: what may be one, and what is taken."""

import re
from typing import Final

from fogline.model.faults import Faults, Place, shown

PIPELINE: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}", re.ASCII)
"""Names of pipelines: part of addresses and of names in the store."""

COLUMN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}", re.ASCII)
"""Names of streams, steps, labels, fields and output columns."""

RESERVED: Final = "__"
"""Names that begin so are Fogline's own."""

ARRIVAL: Final = "arrival"
"""Name of the event time of a stream without ``time:``."""

SENML_TIME: Final = "time"
"""Name of the event time of a SenML stream without ``time:``."""


MAX_NAMED: Final = 64
"""Streams of a pipeline, and steps of one."""


def check_name(name: str, what: str, place: Place, path: str, faults: Faults) -> bool:
    """Whether this may name a stream, step, label or field; if not, that is a fault."""
    if not COLUMN.fullmatch(name):
        message = f"{shown(name)} cannot name a {what}"
        faults.add(place, path, message, "letters, digits and _, not a digit first, at most 63 characters")
        return False
    if name.startswith(RESERVED):
        faults.add(
            place, path, f"{shown(name)} cannot name a {what}", "names that begin with __ are Fogline's own"
        )
        return False
    return True


class Taken:
    """Names within one stream: each belongs to one thing."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._owners: dict[str, str] = {}
        self.disputed: Final[set[str]] = set()
        """Names that more than one thing wanted."""

    def take(self, name: str, what: str, place: Place, path: str, hint: str = "") -> bool:
        """Give the name to this thing, or note the clash."""
        if name not in self._owners:
            self._owners[name] = what
            return True
        message = f"{shown(name)} is already the name of {self._owners[name]}"
        self._faults.add(place, path, message, hint or "take another name")
        self.disputed.add(name)
        return False
