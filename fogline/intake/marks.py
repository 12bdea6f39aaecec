"""Watermarks at the cloud: what may be believed about an origin.

A watermark travels in the contribution and is stored in the part's own transaction. It is true of the store
as soon as the store's offset has reached the contribution's ``end``, so it is taken from a part that was
done before as well: an idle origin's word is not lost because it shared a part with repeated data.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fogline.model.clock import NEVER
from fogline.model.part import Contribution, Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How far an origin believes it has come."""

    watermark: int = NEVER
    """Event time up to which it has seen everything; microseconds."""
    closed: bool = False
    """Nothing more will ever come from it."""


def marks_after(contributions: Iterable[Contribution], marks: Mapping[Origin, Mark]) -> dict[Origin, Mark]:
    """The marks that differ once a fresh or done part is settled. Call it for no refused part."""
    changed: dict[Origin, Mark] = {}
    for contribution in contributions:
        known = marks.get(contribution.origin, Mark())
        mark = Mark(
            watermark=max(known.watermark, contribution.watermark),
            closed=known.closed or contribution.closed,
        )
        if mark != known:
            changed[contribution.origin] = mark
    return changed
