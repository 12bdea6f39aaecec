"""States that wait to be merged in one go: merging many at once costs a tenth of merging them one by one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fogline.engine.merge import alike, encoded_size, is_known, merge_all
from fogline.engine.state import PartState, StateTable

MOST_PIECES: Final = 256
"""So many states are merged whatever their size: each costs memory that its encoded size does not show."""
NEARLY_FULL: Final = 3 / 4
"""Share of a part at which merging may show that there is room for more."""
WORTH_IT: Final = 1 / 8
"""Share of a part that must have come in since the last merging."""


@dataclass(slots=True, kw_only=True, eq=False)
class Gathered:
    """The state of several parts. As a value it never changes; only how much of it is merged already does."""

    pieces: tuple[PartState, ...]
    size: int
    """Bytes when encoded, from above; too many as long as pieces that share keys are not merged."""
    loose: int
    """Bytes of ``size`` that came since something was merged."""
    layouts: Mapping[str, StateTable] | None
    """A table of each step; None if there are two of one."""
    known: bool | None = None
    """Whether all kinds are known; None: nobody has looked yet."""
    pane_us: int
    """Width of the narrowest pane in microseconds; 0 if there is none."""

    @classmethod
    def of(cls, state: PartState) -> "Gathered":
        """One part's state."""
        tables = {table.step: table for table in state.tables}
        return cls(
            pieces=(state,),
            size=encoded_size(state),
            loose=0,
            layouts=tables if len(tables) == len(state.tables) else None,
            pane_us=min((table.pane_width_us for table in state.tables), default=0),
        )

    def merged(self) -> PartState:
        """All of it as one state."""
        if len(self.pieces) > 1:
            state = merge_all(self.pieces)
            self.pieces, self.size, self.loose = (state,), encoded_size(state), 0
        return self.pieces[0]


class GatheredMerger:
    """Merging as the core takes it, put off until a part is nearly full or goes up."""

    def __init__(self, part_bytes: int) -> None:
        """``part_bytes``: how large a merged part may become."""
        self._nearly_full: Final = int(part_bytes * NEARLY_FULL)
        self._worth_it: Final = int(part_bytes * WORTH_IT)

    def merge(self, a: Gathered, b: Gathered) -> Gathered:
        """The state of both."""
        assert a.layouts is not None
        assert b.layouts is not None
        both = Gathered(
            pieces=a.pieces + b.pieces,
            size=a.size + b.size,
            loose=a.loose + b.size,
            layouts=a.layouts if b.layouts.keys() <= a.layouts.keys() else {**b.layouts, **a.layouts},
            pane_us=min(a.pane_us, b.pane_us) or max(a.pane_us, b.pane_us),
            known=True,
        )
        full = both.size > self._nearly_full and both.loose >= self._worth_it
        if full or len(both.pieces) >= MOST_PIECES:
            both.merged()
        return both

    def mergeable(self, a: Gathered, b: Gathered) -> bool:
        """Whether every step in both has one layout, and only kinds that are known."""
        ours, theirs = a.layouts, b.layouts
        if ours is None or theirs is None:
            return False
        if a.known is None:
            a.known = all(map(is_known, ours.values()))
        # What is like a table of known kinds has known kinds.
        return a.known and all(
            alike(ours[step], table) if step in ours else is_known(table) for step, table in theirs.items()
        )

    def size(self, state: Gathered) -> int:
        """Bytes when encoded, from above."""
        return state.size

    def pane_us(self, state: Gathered) -> int:
        """Width of the narrowest pane in microseconds; 0 if there is none."""
        return state.pane_us
