"""What was sent and not answered yet on one stream (N8): a core that only compares."""

from collections.abc import Sequence

from fogline.model.part import Contribution, Offsets, Origin


class Unanswered:
    """Parts of one lane that no ack has covered. Instants are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._sent: list[dict[Origin, int]] = []
        self._told: dict[Origin, int] = {}
        self._since = 0.0

    def __len__(self) -> int:
        return len(self._sent)

    def sent(self, contributions: Sequence[Contribution], now: float) -> None:
        """A part with these contributions was handed to the stream."""
        if not self._sent:
            self._since = now
        self._sent.append({c.origin: c.end for c in contributions})

    def told(self, offsets: Offsets, now: float) -> None:
        """An ack named these offsets; every part that they cover is answered."""
        for origin, offset in offsets.items():
            self._told[origin] = max(offset, self._told.get(origin, 0))
        self._sent = [ends for ends in self._sent if not self._covers(ends)]
        self._since = now

    def forget(self) -> None:
        """The round has ended: nothing of it will be answered."""
        self._sent.clear()

    def silent_for(self, now: float) -> float:
        """Seconds without an answer although something is in flight; 0 if nothing is."""
        return now - self._since if self._sent else 0.0

    def _covers(self, ends: dict[Origin, int]) -> bool:
        return all(self._told.get(origin, -1) >= end for origin, end in ends.items())
