"""The processes that commit into one store: who lives, who keeps house, what is left behind by those that are gone.

Nobody compares clocks and nobody holds a lock: each process moves its beat in the store, and takes those whose beat
stands still for too long by its own clock for gone. All that the one who keeps house does can be done twice; for a
short while two may do it (docs/adr/0010).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog

from cloud.store.store import Store
from fogline.model.clock import Clock
from fogline.model.errors import StoreBusy

BEAT_SECONDS: Final = 2.0
SILENT_SECONDS: Final = 6.0
"""A process whose beat stood still for so long is gone, or cannot reach the store."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """A member's newest beat, and when it was first seen, in seconds of this process's clock."""

    beat: int
    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Roll:
    """What one process knows of all."""

    me: int
    beats: Mapping[int, Beat] = field(default_factory=dict)
    """Of the ones that live; this process is not among them before its first beat."""
    silent: Mapping[int, int] = field(default_factory=dict)
    """Listed, but taken for gone, with the beat that stands still."""

    @property
    def keeper(self) -> int:
        """The oldest one that lives keeps house."""
        return min((self.me, *self.beats))

    @property
    def struck_off(self) -> bool:
        """Whether the others took this process for gone."""
        return self.me not in self.beats


def heard(roll: Roll, beats: Mapping[int, int], now: float) -> tuple[Roll, frozenset[int]]:
    """The roll after hearing every member's beat, and those that have gone since the last time."""
    lives: dict[int, Beat] = {}
    silent: dict[int, int] = {}
    for member, beat in beats.items():
        before = roll.beats.get(member)
        newest = before if before is not None and before.beat == beat else Beat(beat=beat, since=now)
        if roll.silent.get(member) == beat or (member != roll.me and now - newest.since >= SILENT_SECONDS):
            silent[member] = beat
        else:
            lives[member] = newest
    gone = frozenset(roll.beats) - frozenset(lives) - {roll.me}
    return Roll(me=roll.me, beats=lives, silent=silent), gone


class Members:
    """This process as a member, from :meth:`join` to :meth:`leave`."""

    def __init__(self, store: Store, clock: Clock, name: str) -> None:
        self._store = store
        self._clock = clock
        self._name = name
        self._roll = Roll(me=0)

    def keeps(self) -> bool:
        """Whether this process keeps house now, for all."""
        return self._roll.me > 0 and self._roll.keeper == self._roll.me

    def alone(self) -> bool:
        """Whether this process is the only member, as far as it knows."""
        return self._roll.me > 0 and set(self._roll.beats) == {self._roll.me}

    async def join(self) -> None:
        """Be a member from now on."""
        self._roll = Roll(me=await self._store.join(self._name))
        await self.beat()
        _log.info("joined", member=self._roll.me, keeper=self._roll.keeper, members=len(self._roll.beats))

    async def run(self, left_behind: Callable[[], None]) -> None:
        """Live until cancelled; ``left_behind`` is told when this process is to see to what others left undone."""
        while True:
            await self._clock.sleep(BEAT_SECONDS)
            try:
                if await self.beat():
                    left_behind()
            except StoreBusy as error:
                _log.debug("the beat waits for the store", error=error)

    async def beat(self) -> bool:
        """Move the beat and see who lives; whether somebody may have left something undone to this process."""
        kept = self.keeps()
        strike = tuple(self._roll.silent) if kept else ()
        beats = await self._store.beat(self._roll.me, strike)
        self._roll, gone = heard(self._roll, beats, self._clock.monotonic())
        if gone:
            _log.warning("members gone", gone=sorted(gone), keeper=self._roll.keeper)
        if self._roll.struck_off:
            _log.warning("taken for gone by the others; joining again", member=self._roll.me)
            await self.join()
            return True
        return self.keeps() and (bool(gone) or not kept)

    async def leave(self) -> None:
        """Be a member no longer, so that the others see to the rest at once."""
        try:
            await self._store.leave(self._roll.me)
        except StoreBusy:
            _log.info("left without a word: the store is away")
