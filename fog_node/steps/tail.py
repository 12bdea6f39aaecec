"""One plan on one origin: the states of messages that are read and not cut into a part yet.

A tail never decides about offsets (the lane's cursor does): it is told where to begin, and forgets on a
rewind.
"""

from collections import deque
from dataclasses import dataclass, replace
from typing import Final

from fog_node.steps.watermark import Watermark, crossed, next_end
from fogline.engine.merge import encoded_size, merge_all
from fogline.engine.state import EMPTY, PartState
from fogline.model.clock import NEVER
from fogline.model.part import Origin

PART_BYTES: Final = 256 * 1024
"""A part is cut before it would grow beyond this; one block alone may yield more."""

MERGED_TOGETHER: Final = 32
"""States that wait to be merged in one go: a merge costs much the same for two states and for many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """When a tail is cut, from the plan."""

    disorder_us: int
    emit_every_us: int
    idle_every_us: int
    """An idle origin says no more often than this that it is still there."""
    widths_us: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What became of one block."""

    end: int
    state: PartState
    latest_us: int
    """The greatest event time among its readings, or NEVER."""
    arrived_us: tuple[int, int]
    """When its first and its last message arrived."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The content of a part: the state of messages [first, end), and the watermark there."""

    first: int
    end: int
    state: PartState
    watermark_us: int

    @staticmethod
    def empty(first: int, end: int, watermark_us: int) -> "Cut":
        """Messages that have no state, because they were dropped."""
        return Cut(first=first, end=end, state=EMPTY, watermark_us=watermark_us)


class Tail:
    """Reads forward: messages [unsent, first) are ready, [first, position) are in the open state.

    Times are wall clock, microseconds.
    """

    def __init__(self, origin: Origin, first: int, pace: Pace, now_us: int) -> None:
        self.origin: Final = origin
        self.first = first
        self.position = first
        self.ready: deque[Cut] = deque()
        """Full ones, to be sent before anything else."""
        self._pace: Final = pace
        self._open: list[PartState] = []
        self._bytes = 0
        """Of the open states, if nothing of them merges."""
        self._mark = Watermark(disorder_us=pace.disorder_us, heard_us=now_us)
        self._told_us = NEVER
        self._latest_us = NEVER
        self._cut_at_us = now_us
        self._read_at_us = now_us
        self.rest_until = float("-inf")
        """Few messages are not worth reading before; seconds of the monotonic clock."""

    @property
    def unsent(self) -> int:
        """Where the next part of this tail begins."""
        return self.ready[0].first if self.ready else self.first

    @property
    def is_ahead(self) -> bool:
        """Whether something is read that was not given out."""
        return bool(self.ready) or self.position > self.first

    @property
    def ahead_bytes(self) -> int:
        """About how much memory that takes."""
        return len(self.ready) * PART_BYTES + self._bytes

    @property
    def watermark_us(self) -> int:
        """What is believed at ``position``."""
        return self._mark.us

    def rewind(self, first: int, now_us: int) -> None:
        """Forget what is not cut, and begin again at an offset.

        The watermark is forgotten too: it would promise readings that are no longer ahead of it in the cloud.
        """
        self.first = self.position = first
        self.ready.clear()
        self._open.clear()
        self._bytes = 0
        self._mark = Watermark(disorder_us=self._pace.disorder_us, heard_us=now_us)
        self._told_us = self._latest_us = NEVER
        self._cut_at_us = now_us
        self.rest_until = float("-inf")

    def tell_again(self) -> None:
        """What was said of the watermark may not have arrived."""
        self._told_us = NEVER

    def take(self, read: Read, now_us: int) -> None:
        """Add the block at ``position``; what was open before becomes ready if both do not fit into one part."""
        self._bytes += encoded_size(read.state)
        if self._bytes > PART_BYTES or len(self._open) == MERGED_TOGETHER:
            together = merge_all([*self._open, read.state])
            self._bytes = encoded_size(together)
            if self._bytes > PART_BYTES and self._open:
                self.ready.append(self.cut(now_us))
                self._bytes = encoded_size(read.state)
            else:
                self._open.clear()
                read = replace(read, state=together)
        self._open.append(read.state)
        self._mark = self._mark.saw(read.latest_us, read.arrived_us[1])
        self._latest_us = max(self._latest_us, read.latest_us)
        self._read_at_us = now_us
        self.position = read.end

    def idle(self, now_us: int) -> None:
        """Everything journaled is read: let the clock move the watermark if the stream is silent."""
        self._mark = self._mark.idle(now_us)

    def closes_in_us(self) -> int:
        """How much event time is missing until the watermark passes the end of a pane with readings.

        For a live stream that is about how long the reading that closes it is still away.
        """
        if NEVER in (self._latest_us, self._mark.us):
            return 0
        return min(
            (next_end(self._mark.us, width) - self._mark.us for width in self._pace.widths_us), default=0
        )

    def is_due(self, now_us: int) -> bool:
        """Whether what is open shall be cut now."""
        return now_us >= self.due_at(now_us)

    def due_at(self, now_us: int) -> int:
        """When a part is to be cut if nothing more comes."""
        if self._closes_a_pane():
            return now_us
        idle = self._cut_at_us + self._pace.idle_every_us
        if self.position > self.first:
            return min(self._emit_at(), self._pane_ends_at(idle))
        return self._pane_ends_at(idle)

    def cut(self, now_us: int) -> Cut:
        """Everything that is open; empty if nothing is."""
        state = merge_all(self._open)
        cut = Cut(first=self.first, end=self.position, state=state, watermark_us=self._mark.us)
        self.first = self.position
        self._open.clear()
        self._bytes = 0
        self._told_us = self._mark.us
        self._cut_at_us = now_us
        return cut

    def skip(self, end: int) -> None:
        """Go on behind a gap; nothing may be open."""
        self.first = self.position = end

    def _emit_at(self) -> int:
        """When readings of open windows are due. A pane that is about to close takes them with it: one part, not
        two in short succession.
        """
        every_us = self._pace.emit_every_us
        due = self._cut_at_us + every_us
        closes_at = self._read_at_us + self.closes_in_us()
        return due + every_us // 2 if due <= closes_at < due + every_us // 2 else due

    def _closes_a_pane(self) -> bool:
        """Whether the watermark passed the end of a pane in which this origin has readings."""
        return any(
            crossed(self._told_us, self._mark.us, width) and self._told_us < next_end(self._latest_us, width)
            for width in self._pace.widths_us
            if self._latest_us != NEVER
        )

    def _pane_ends_at(self, otherwise_us: int) -> int:
        """When the clock alone would carry the watermark over the end of a pane with readings."""
        if NEVER in (self._latest_us, self._mark.us):
            return otherwise_us
        ends = [
            next_end(self._mark.us, width)
            for width in self._pace.widths_us
            if self._mark.us < next_end(self._latest_us, width)
        ]
        silent_from = self._mark.heard_us + self._mark.idle_after_us
        return min([otherwise_us, *(max(end + self._pace.disorder_us, silent_from) for end in ends)])
