"""A store in memory with the judgement of the real one, and places where faults can be staged."""

from collections import Counter
from typing import Final

from fogline.engine.state import READINGS, DenseState, PartState
from fogline.intake.judgement import Verdict, settle
from fogline.intake.sink import ChildLane
from fogline.model.errors import NotFound, StoreBusy
from fogline.model.part import Origin, Part
from fogline.testing.gate import Gate


class MemoryStore:
    """A :class:`fogline.intake.sink.PartSink` that counts how often each row of each table came in.

    Several parents may share one: they are then doors to the same cloud.
    """

    def __init__(self, incarnation: bytes = b"\x01" * 16) -> None:
        self.incarnation = incarnation
        self.offsets: Final[dict[tuple[str, Origin], int]] = {}
        self.readings: Final[Counter[tuple[str, tuple[str | None, ...], int]]] = Counter()
        """Readings by step, key and pane start."""
        self.verdicts: Final[Counter[Verdict]] = Counter()
        self.committing: Final = Gate()
        """Closed: parts wait before they are judged."""
        self.answering: Final = Gate()
        """Closed: answers wait after the commit."""
        self.open_lanes: Final[list[ChildLane]] = []
        self.unknown: Final[set[str]] = set()
        """Plans that are not taken."""
        self.silent: Final[set[str]] = set()
        """Plans whose parts are lost without an answer."""
        self.busy = 0
        """How many of the next parts cannot be committed."""

    async def open_lane(self, lane: ChildLane) -> None:
        """A round begins."""
        if lane.plan in self.unknown:
            raise NotFound(f"there is no plan {lane.plan}", hint="ask later")
        self.open_lanes.append(lane)

    async def close_lane(self, lane: ChildLane) -> None:
        """A round is over."""
        self.open_lanes.remove(lane)

    async def take(self, lane: ChildLane, part: Part[PartState]) -> None:
        """Commit a part and answer."""
        await self.committing.pass_()
        if lane.plan in self.silent:
            return
        if self.busy:
            self.busy -= 1
            raise StoreBusy("the store is locked")
        stored = {origin: offset for (plan, origin), offset in self.offsets.items() if plan == lane.plan}
        settlement = settle(part.contributions, stored)
        self.verdicts[settlement.verdict] += 1
        for origin, offset in settlement.write.items():
            self.offsets[lane.plan, origin] = offset
        if settlement.verdict is Verdict.FRESH:
            self._merge(part.state)
        await self.answering.pass_()
        if settlement.verdict is Verdict.REFUSED:
            lane.refuse(settlement.told, self.incarnation)
        else:
            lane.ack(settlement.told, self.incarnation)

    def _merge(self, state: PartState) -> None:
        for table in state.tables:
            readings = table.state(READINGS)
            assert isinstance(readings, DenseState)
            keys = zip(*(key.texts() for key in table.keys), strict=True)
            for pane, key, value in zip(
                table.pane_start.tolist(), keys, readings.values.tolist(), strict=True
            ):
                self.readings[table.step, key, pane] += value
