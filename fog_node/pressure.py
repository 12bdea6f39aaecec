"""Back-pressure from the lanes to the devices: messages are not taken faster than they are worked on.

Listener and lanes share one core. Without this a full listener leaves the lanes too little of it: the lag grows
until the stream's quota is reached, and what was accepted is dropped by policy. A lane that does not work, since
the uplink is away or gives no credit, holds nobody up: then the journal is there to fill.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from fog_node.journal.journal import Journal
from fog_node.journal.values import OriginState
from fog_node.messages import Block, Messages
from fog_node.steps.lane import PlanLane
from fogline.model.clock import Clock
from fogline.model.gap import Gap
from fogline.model.part import Origin

MOST_BEHIND: Final = 100_000
"""Live messages that a working lane may be behind before devices wait."""
WORKED_WITHIN_S: Final = 0.3
"""A lane that read nothing for so long waits for something else than time on the processor."""
STEP_S: Final = 0.005
LONGEST_S: Final = 0.1
"""An acknowledgement is not held back longer than this: a lane may slow devices down, not stop them."""


class PacedJournal:
    """The journal as the listener sees it: an append returns when it is on disk and the lanes have kept up."""

    def __init__(self, journal: Journal, lanes: Callable[[], Iterable[PlanLane]], clock: Clock) -> None:
        self._journal: Final = journal
        self._lanes: Final = lanes
        self._clock: Final = clock
        self._asked_at = float("-inf")
        self._behind = False

    async def append(self, stream: str, messages: Messages) -> None:
        """Return when the messages are on disk, and a little later while a lane lags."""
        await self._journal.append(stream, messages)
        until = self._clock.monotonic() + LONGEST_S
        while self._is_behind() and self._clock.monotonic() < until:
            await self._clock.sleep(STEP_S)

    def count(
        self,
        stream: str,
        *,
        refused: Mapping[str, int] | None = None,
        redelivered: int = 0,
        retained: int = 0,
    ) -> None:
        """Count deliveries that never became messages here."""
        self._journal.count(stream, refused=refused, redelivered=redelivered, retained=retained)

    def origins(self, stream: str) -> tuple[OriginState, ...]:
        """Every epoch of the stream that still holds messages, oldest first."""
        return self._journal.origins(stream)

    async def read(self, origin: Origin, first: int) -> Block | Gap | None:
        """The block that holds ``first``, from there on; or the gap that is there."""
        return await self._journal.read(origin, first)

    def _is_behind(self) -> bool:
        now = self._clock.monotonic()
        if now - self._asked_at >= STEP_S:
            self._asked_at = now
            self._behind = any(
                lane.behind() > MOST_BEHIND for lane in self._lanes() if now - lane.read_at < WORKED_WITHIN_S
            )
        return self._behind
