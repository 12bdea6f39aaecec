"""How far a journal may forget (rule N7)."""

from collections.abc import Iterable
from dataclasses import dataclass

from fogline.model.gap import Gap, past_gaps


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanHold:
    """What one active plan still needs of an origin."""

    start: int
    """Offset at which the plan began."""
    committed: int
    """Offset told by the cloud's store; nothing else is one."""
    gaps: tuple[Gap, ...] = ()
    """Records on disk of ranges that this plan gives up; only what is fsynced belongs here."""

    @property
    def first_needed(self) -> int:
        """The oldest message that this plan may have to send again."""
        return past_gaps(max(self.start, self.committed), self.gaps)


def releasable(*, base: int, end: int, holds: Iterable[PlanHold], keep_from: Iterable[int] = ()) -> int:
    """The offset below which messages may be truncated: the slowest plan decides.

    ``base`` and ``end`` are the first kept offset and the end of the journal. ``keep_from`` are offsets from
    which something else wants the messages: ``journal.keep``, and ``identity`` looking back from a committed
    offset. Without any plan only those hold the journal back: ask after the plans were loaded, not before.
    """
    limit = min((*(hold.first_needed for hold in holds), *keep_from), default=end)
    return max(base, min(end, limit))
