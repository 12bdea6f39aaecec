"""What an origin believes about event time, as a value.

While readings come, the watermark follows the greatest event time seen, ``disorder`` behind it: so a replay
of last week closes its windows in its own time. Once the stream is idle the wall clock takes over. Both only
move forward.
"""

from dataclasses import dataclass, replace

from fogline.model.clock import NEVER, SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Watermark:
    """A belief: every reading up to ``us`` has been seen."""

    disorder_us: int
    us: int = NEVER
    heard_us: int = NEVER
    """When the last message arrived, or the journal was opened."""

    @property
    def idle_after_us(self) -> int:
        """How long a stream must be silent before the clock is trusted instead of its readings."""
        return max(self.disorder_us, SECOND)

    def saw(self, latest_us: int, arrival_us: int) -> "Watermark":
        """After readings up to event time ``latest_us`` (NEVER: none) in messages up to ``arrival_us``."""
        moved = self.us if latest_us == NEVER else max(self.us, latest_us - self.disorder_us)
        return replace(self, us=moved, heard_us=max(self.heard_us, arrival_us))

    def idle(self, now_us: int) -> "Watermark":
        """After silence until now; unchanged while the stream is not idle."""
        if now_us - self.heard_us < self.idle_after_us:
            return self
        return replace(self, us=max(self.us, now_us - self.disorder_us))


def crossed(before_us: int, after_us: int, width_us: int) -> bool:
    """Whether a pane of this width ended between two watermarks."""
    return after_us != NEVER and (before_us == NEVER or after_us // width_us > before_us // width_us)


def next_end(instant_us: int, width_us: int) -> int:
    """The end of the pane in which an instant lies."""
    return (instant_us // width_us + 1) * width_us
