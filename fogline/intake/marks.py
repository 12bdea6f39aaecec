"""Watermarks at the cloud: what may be believed about an origin, and about a window.

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

    def has_passed(self, instant: int) -> bool:
        """Whether everything of this origin before ``instant`` (microseconds) is in the store."""
        return self.closed or self.watermark >= instant


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


def origins_behind(instant: int, marks: Mapping[Origin, Mark]) -> frozenset[Origin]:
    """Origins that may still send something older than ``instant`` (microseconds)."""
    return frozenset(origin for origin, mark in marks.items() if not mark.has_passed(instant))


def state_is_gone(pane_end: int, retired_before: int) -> bool:
    """Rule C7: whether a pane's state was retired, so that its readings count as too_late{state_gone}.

    The verdict on the part does not ask: its offsets are committed all the same, or its node would be refused
    for ever. Both instants in microseconds; panes that end at or before ``retired_before`` are gone.
    """
    return pane_end <= retired_before
