"""A node's lane without a node: its journal is a number, and every message is a row of its own."""

import asyncio
from collections.abc import Sequence
from typing import Final

import numpy as np

from fogline.engine.state import EMPTY, READINGS, DenseState, KeyColumn, PartState, StateTable
from fogline.model.part import Contribution, Offsets, Origin, Part
from fogline.testing.gate import Gate
from fogline.uplink import cursor as core


class CountingLane:
    """A :class:`fogline.uplink.lanes.Lane` on the node's cursor.

    Message n of an origin becomes one reading in the pane that starts at n, with the node's name and epoch as
    key: a message that counts twice, or not at all, can be seen at the store.
    """

    def __init__(self, plan: str, origins: Sequence[Origin], *, messages: int, cut: int = 10) -> None:
        """``cut``: messages a part."""
        self.plan: Final = plan
        self._cut: Final = cut
        self._cursor = core.Cursor()
        self._news: Final = asyncio.Event()
        self.giving: Final = Gate()
        """Closed: parts with messages wait before they are given out."""
        self.done: Final = asyncio.Event()
        """Set when every message is known to be committed."""
        self.rounds: Final[list[int]] = []
        self.refusals = 0
        self.given = 0
        """Parts with messages that were given out."""
        for origin in origins:
            self._cursor = core.track(self._cursor, origin, start=0, base=0, end=messages)

    @property
    def committed(self) -> dict[Origin, int]:
        """What the lane believes that the store holds."""
        return {origin: place.committed for origin, place in self._cursor.places.items()}

    def grow(self, messages: int) -> None:
        """The journal of each origin holds so many messages now."""
        self.done.clear()
        for origin, place in self._cursor.places.items():
            self._cursor = core.journal_changed(self._cursor, origin, base=place.base, end=messages)
        self._news.set()

    def opened(self, round_: int) -> None:
        """A round begins."""
        self.rounds.append(round_)
        self._cursor = core.opened(self._cursor)
        self._news.set()

    def closed(self) -> None:
        """The stream is over."""
        self._cursor = core.closed(self._cursor)

    async def next_part(self) -> Part[PartState]:
        """The probe, then a part for each cut."""
        while True:
            self._news.clear()
            probe = core.probe(self._cursor)
            if probe:
                return self._sent(Part(contributions=probe, state=EMPTY))
            if core.wanted(self._cursor):
                await self.giving.pass_()
            # Only now: an answer may have moved the cursor while the gate was closed.
            for wanted in core.wanted(self._cursor):
                end = min(wanted.end, wanted.first + self._cut)
                cut = core.Wanted(origin=wanted.origin, first=wanted.first, end=end)
                contribution = core.contribution(self._cursor, cut)
                self.given += 1
                return self._sent(Part(contributions=(contribution,), state=state_of(contribution)))
            await self._news.wait()

    def answered(self, offsets: Offsets, incarnation: bytes) -> None:
        """An ack."""
        self._cursor, _ = core.answered(self._cursor, offsets, incarnation)
        self._told()

    def refused(self, offsets: Offsets, incarnation: bytes) -> None:
        """A refusal."""
        self.refusals += 1
        self._cursor, _ = core.refused(self._cursor, offsets, incarnation)
        self._told()

    def _told(self) -> None:
        if all(place.committed >= place.end for place in self._cursor.places.values()):
            self.done.set()
        self._news.set()

    def _sent(self, part: Part[PartState]) -> Part[PartState]:
        self._cursor = core.sent(self._cursor, part.contributions)
        return part


def state_of(contribution: Contribution) -> PartState:
    """The state of a range of messages: a row for each."""
    count = contribution.messages
    origin = contribution.origin
    name = f"{origin.node}/{origin.epoch.hex()[:8]}"
    return PartState(
        tables=(
            StateTable(
                step="each",
                pane_width_us=1,
                pane_start=np.arange(contribution.first, contribution.end, dtype=np.int64),
                keys=(KeyColumn(name="origin", dictionary=(name,), codes=np.zeros(count, dtype=np.uint32)),),
                states=(DenseState(name=READINGS, kind="sum_i64", values=np.ones(count, dtype=np.int64)),),
            ),
        )
    )


def key_of(origin: Origin) -> tuple[str]:
    """The key under which a store finds the messages of an origin."""
    return (f"{origin.node}/{origin.epoch.hex()[:8]}",)
