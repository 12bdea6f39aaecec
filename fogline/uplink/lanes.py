"""What an uplink carries: a lane for each plan, added and removed while it runs."""

import asyncio
from collections.abc import Iterator
from typing import Protocol

from fogline.engine.state import PartState
from fogline.model.part import Offsets, Part


class Lane(Protocol):
    """One plan's parts on their way up. The uplink calls it from one task at a time, never from a thread."""

    @property
    def plan(self) -> str:
        """Name of the plan (its hash)."""
        ...

    def opened(self, round_: int) -> None:
        """A stream was opened (round 0), or the next round of the lane began after a refusal.

        A node forgets what is uncommitted: the next part is the probe, the empty part at the committed
        offset. An aggregator sends what is in flight again on round 0; before a later round it was discarded.
        """
        ...

    def closed(self) -> None:
        """The stream is over, and :meth:`next_part` has unwound; :meth:`opened` comes before it is called again."""
        ...

    async def next_part(self) -> Part[PartState]:
        """Wait until there is something to send, and give it out.

        May be cancelled at any await, also after the part was cut; :meth:`opened` follows before the next
        call, so that a part that was given out and never sent is cut again. Raise
        :class:`fogline.model.errors.FogError` to have the lane rest for a while and begin a new round.
        """
        ...

    def answered(self, offsets: Offsets, incarnation: bytes) -> None:
        """The cloud's store holds these offsets. ``incarnation`` is the store's life."""
        ...

    def refused(self, offsets: Offsets, incarnation: bytes) -> None:
        """A part was refused and the round has ended; :meth:`opened` with the next round follows."""
        ...


class LaneSet:
    """The lanes that shall be sent now. Change it at any time; the uplink follows."""

    def __init__(self) -> None:
        self._lanes: dict[str, Lane] = {}
        self._changed = asyncio.Event()

    def __iter__(self) -> Iterator[Lane]:
        return iter(tuple(self._lanes.values()))

    def __len__(self) -> int:
        return len(self._lanes)

    def get(self, plan: str) -> Lane | None:
        """The lane of a plan, if it is in the set."""
        return self._lanes.get(plan)

    def add(self, lane: Lane) -> None:
        """Send this lane from now on; it takes the place of another of the same plan."""
        self._lanes[lane.plan] = lane
        self._tell()

    def remove(self, plan: str) -> None:
        """Send nothing more of this plan; answers that are on their way are dropped."""
        if self._lanes.pop(plan, None) is not None:
            self._tell()

    def change(self) -> asyncio.Event:
        """The event that the next change sets. Ask for it before looking at the lanes."""
        return self._changed

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
