"""How often small commits may come: few for ever, so that an SD card lives; many after a rest, so that a device
that waits for each acknowledgement is not slowed down. A token bucket, refilled one commit every so often.
"""


class CommitPace:
    """Belongs to the writer's thread. Times are of one monotonic clock, in seconds."""

    def __init__(self, *, every_s: float, burst: int) -> None:
        self._every_s = every_s
        self._burst = float(max(burst, 1))
        self._saved = self._burst
        self._at = 0.0

    def wait_s(self, now: float) -> float:
        """How long a small commit has to wait; 0 or less: not at all."""
        self._refill(now)
        return (1.0 - self._saved) * self._every_s

    def committed(self, now: float) -> None:
        """A commit was made, whether it had to wait or was large enough not to."""
        self._refill(now)
        self._saved = max(self._saved - 1.0, 0.0)

    def _refill(self, now: float) -> None:
        earned = (now - self._at) / self._every_s if self._every_s else self._burst
        self._saved = min(self._burst, self._saved + max(earned, 0.0))
        self._at = now
