"""Gaps: messages that were dropped by decision, and where they stand."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

CLOUD_ROLLBACK: Final = "cloud_rollback"
"""The cloud's store was restored to before what the node had already let go."""
EXPIRED: Final = "expired"
"""The stream's journal was full and its policy is `expire`."""
DETACHED: Final = "detached"
"""The plan lagged beyond its budget."""
OPERATOR_FAILED: Final = "operator_failed"
"""An operator of the plan failed on the block's batch, again and again."""


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Gap:
    """Messages [first, end) of one origin that will never be sent as data, for one plan."""

    first: int
    end: int
    reason: str


def past_gaps(offset: int, gaps: Iterable[Gap]) -> int:
    """The first offset at or after ``offset`` that no gap covers."""
    for gap in sorted(gaps):
        if gap.first <= offset < gap.end:
            offset = gap.end
    return offset


def gap_at(offset: int, gaps: Iterable[Gap]) -> Gap | None:
    """The gap that covers ``offset``, the longest if there are several; None if its message is data."""
    return max((g for g in gaps if g.first <= offset < g.end), key=lambda g: g.end, default=None)


def uncovered(first: int, end: int, gaps: Iterable[Gap]) -> tuple[tuple[int, int], ...]:
    """The ranges of [first, end) that no gap covers, ascending."""
    holes: list[tuple[int, int]] = []
    for gap in sorted(gaps):
        if first < min(gap.first, end):
            holes.append((first, min(gap.first, end)))
        first = max(first, gap.end)
    if first < end:
        holes.append((first, end))
    return tuple(holes)
