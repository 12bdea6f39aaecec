"""What the cloud makes of a part, from its contributions and the stored offsets alone (rules C2 to C5).

The caller holds the rows of all contributions locked (C1), writes :attr:`Settlement.write` in the same
transaction as the merged state (C3), and answers after the commit returned (C6).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from fogline.model.frozen import FrozenMap
from fogline.model.part import Contribution, Origin


class Verdict(Enum):
    """What happens to a whole part; there is none for a piece of one: its state cannot be taken apart."""

    FRESH = "fresh"
    """Merge the state, advance the offsets, commit, acknowledge."""
    DONE = "done"
    """Everything in it was committed before: change nothing, acknowledge."""
    REFUSED = "refused"
    """Change nothing, refuse; the round of its lane has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """A verdict with what to write and what to tell."""

    verdict: Verdict
    write: FrozenMap[Origin, int]
    """Offsets to store together with the state; empty unless fresh."""
    told: FrozenMap[Origin, int]
    """Offsets of the ack or refusal: those of the store after the verdict, for every contribution."""


def judge(contributions: Iterable[Contribution], stored: Mapping[Origin, int]) -> Verdict:
    """Compare with the stored offsets; an origin without a row stands at its ``start``.

    An empty contribution at the stored offset is both new and old: it never decides against the others.
    """
    pairs = [(c, stored.get(c.origin, c.start)) for c in contributions]
    if all(c.first == offset for c, offset in pairs):
        return Verdict.FRESH
    if all(c.end <= offset for c, offset in pairs):
        return Verdict.DONE
    return Verdict.REFUSED


def offsets_after(contributions: Iterable[Contribution]) -> dict[Origin, int]:
    """What the store holds once these contributions are committed."""
    return {c.origin: c.end for c in contributions}


def settle(contributions: Iterable[Contribution], stored: Mapping[Origin, int]) -> Settlement:
    """Judge a part and say what the transaction writes and the answer tells."""
    contributions = tuple(contributions)
    verdict = judge(contributions, stored)
    before = {c.origin: stored.get(c.origin, c.start) for c in contributions}
    if verdict is not Verdict.FRESH:
        return Settlement(verdict=verdict, write=FrozenMap(), told=FrozenMap(before))
    after = FrozenMap(offsets_after(contributions))
    return Settlement(verdict=verdict, write=after, told=after)
