"""Mistakes in a spec: each with its place, all told at once."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from fogline.model.errors import Fault, InvalidSpec

SHOWN_CHARACTERS: Final = 60


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column of a character, both 1-based."""

    line: int
    column: int


class Faults:
    """Collects the mistakes of one spec while reading goes on."""

    def __init__(self) -> None:
        self.found: Final[list[Fault]] = []

    def add(self, place: Place, path: str, message: str, hint: str = "") -> None:
        """Note one mistake."""
        self.found.append(Fault(line=place.line, column=place.column, path=path, message=message, hint=hint))


class SpecErrors(InvalidSpec):
    """A spec that cannot be run, with every mistake that was found, in the order of their places."""

    def __init__(self, file: str, faults: Iterable[Fault]) -> None:
        self.file: Final = file
        self.faults: Final = tuple(sorted(set(faults)))
        count = "one mistake" if len(self.faults) == 1 else f"{len(self.faults)} mistakes"
        super().__init__(f"{file} has {count}", places=(replace(fault, file=file) for fault in self.faults))

    def __str__(self) -> str:
        return "\n".join((self.message, *(f"{self.file}:{fault}" for fault in self.faults)))


def shown(text: str) -> str:
    """A text of the spec as it stands in a message: quoted, on one line, not longer than a line."""
    flat = "".join(c if c.isprintable() else " " for c in text)
    return f"`{flat}`" if len(flat) <= SHOWN_CHARACTERS else f"`{flat[:SHOWN_CHARACTERS]}...`"


def did_you_mean(name: str, known: Iterable[str], *, prefix: str = "") -> str:
    """A hint that names the likeliest of the known names, or all of them if none is near.

    ``prefix``: what all of them begin with, which makes none of them likelier.
    """
    names = sorted(set(known))
    if not names:
        return ""
    folded = {known_name.removeprefix(prefix).casefold(): known_name for known_name in names}
    near = difflib.get_close_matches(name.removeprefix(prefix)[:64].casefold(), folded, n=1, cutoff=0.66)
    if near:
        return f"did you mean `{folded[near[0]]}`?"
    listed = ", ".join(f"`{known_name}`" for known_name in names[:12])
    return f"known here: {listed}" + (" ..." if len(names) > 12 else "")
