"""Which paths become labels and fields."""

from dataclasses import dataclass
from typing import Final

from fogline.cli.infer.facts import Fact, Facts
from fogline.cli.infer.names import Names, to_name
from fogline.cli.infer.payloads import Kind, Path, can_be_named
from fogline.model.plan import FieldType

MOST_FIELDS: Final = 24
MOST_LABELS: Final = 12
LONGEST_LABEL: Final = 64
"""Characters; a longer text is a message, no label."""
ENOUGH_TO_BE_WHOLE: Final = 20
"""Values without a fraction from which on a number is taken for an integer."""
ENOUGH_FOR_A_GRID: Final = 5
"""Values from which on their decimals are taken for the sensor's grid."""
MOST_DECIMALS: Final = 4
"""More are noise of a calculation, no grid."""
MOST_STEPS: Final = 2**38
"""A quarter of what a field with a resolution may hold."""
COUNTS: Final = frozenset(
    {"count", "counter", "heap", "number", "ram_free", "rssi", "seq", "uptime", "uptimesec"}
)
"""Names of what is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDraft:
    """A number to read."""

    name: str
    path: Path
    type: FieldType
    decimals: int | None
    """Digits behind the point of its grid; None: it has none that shows."""
    fact: Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelDraft:
    """A text to read."""

    name: str
    path: Path
    fact: Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What to read of a stream's payloads."""

    fields: tuple[FieldDraft, ...]
    labels: tuple[LabelDraft, ...]
    left_out: int
    """Paths that would have been too many."""


def choose_columns(facts: Facts, names: Names, *, kind: Kind, taken: Path | None, alone: str) -> Columns:
    """Make numbers fields and texts labels. ``taken``: the time's path; ``alone``: a bare number's name."""
    usable = [
        fact
        for fact in facts.readable
        if fact.path != taken and fact.valued and (kind is Kind.NUMBER or can_be_named(fact.path))
    ]
    numbers = [fact for fact in usable if fact.is_number]
    texts = [fact for fact in usable if fact.numbers < fact.valued and _is_label(fact)]
    return Columns(
        fields=tuple(_field(f, names, kind=kind, alone=alone) for f in numbers[:MOST_FIELDS]),
        labels=tuple(LabelDraft(name=_name(f, names), path=f.path, fact=f) for f in texts[:MOST_LABELS]),
        left_out=len(numbers[MOST_FIELDS:]) + len(texts[MOST_LABELS:]),
    )


def _is_label(fact: Fact) -> bool:
    return fact.longest <= LONGEST_LABEL


def _field(fact: Fact, names: Names, *, kind: Kind, alone: str) -> FieldDraft:
    name = names.give(to_name(alone, otherwise="value")) if kind is Kind.NUMBER else _name(fact, names)
    whole = fact.is_whole and (
        fact.numbers >= ENOUGH_TO_BE_WHOLE or name.lower() in COUNTS or fact.largest >= 2**53
    )
    return FieldDraft(
        name=name,
        path=fact.path,
        type="int" if whole and kind is not Kind.SENML else "float",
        decimals=None if whole else _grid(fact),
        fact=fact,
    )


def _grid(fact: Fact) -> int | None:
    """Tell the digits behind the point of a sensor's grid from its values."""
    fits = 0 < fact.decimals <= MOST_DECIMALS and fact.largest * 10**fact.decimals < MOST_STEPS
    return fact.decimals if fits and fact.numbers >= ENOUGH_FOR_A_GRID else None


def _name(fact: Fact, names: Names) -> str:
    """Name a column by the end of its path, with more of it where that is taken."""
    wishes = [
        to_name("_".join(fact.path[-length:]), otherwise="value") for length in range(1, len(fact.path) + 1)
    ]
    return names.give(*wishes)
