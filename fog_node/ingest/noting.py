"""Leaves notes beside segments soon after they were closed, so that the next start need not read them."""

from collections.abc import Callable, Iterable
from typing import Final

import structlog

from fog_node.ingest.ports import Memory
from fog_node.ingest.rebuild import sent_in
from fog_node.journal import SegmentState
from fogline.model.clock import Clock
from fogline.model.errors import FogError

EVERY_S: Final = 5.0
"""One segment at a time: it takes up to a second of a core. Those that are left the next start notes."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Noting:
    """For as long as :meth:`run` runs."""

    def __init__(self, journal: Memory, streams: Callable[[], Iterable[str]], clock: Clock) -> None:
        self._journal: Final = journal
        self._streams: Final = streams
        self._clock: Final = clock
        # The start has seen to those that were closed by then.
        self._seen: set[SegmentState] = set(self._closed())

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._clock.sleep(EVERY_S)
            await self.note_one()

    async def note_one(self) -> None:
        """See to the newest closed segment that was not seen to."""
        closed = self._closed()
        new = next((segment for segment in reversed(closed) if segment not in self._seen), None)
        self._seen.intersection_update(closed)
        if new is None:
            return
        self._seen.add(new)
        try:
            async for _ in sent_in(self._journal, new):
                pass
        except (FogError, OSError) as error:
            # It may be gone by now; and what cannot be read is the lanes' to tell.
            _log.debug("no note of a segment", origin=str(new.origin), first=new.first, error=str(error))

    def _closed(self) -> list[SegmentState]:
        return [
            segment
            for stream in self._streams()
            for segment in self._journal.segments(stream)
            if segment.closed
        ]
