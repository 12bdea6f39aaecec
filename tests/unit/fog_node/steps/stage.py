"""A journal in memory, a clock that jumps, and a cloud that commits as the store does: around a lane under test."""

import asyncio
import json
from collections import Counter

import numpy as np

from fog_node.journal.values import Counters, OriginState
from fog_node.messages import Block
from fogline.engine.state import PartState, ReadingTerm
from fogline.intake.judgement import Verdict, judge, offsets_after
from fogline.model.clock import DAY, MINUTE, SECOND
from fogline.model.gap import Gap
from fogline.model.part import Origin, Part
from fogline.model.plan import (
    Call,
    Column,
    Constant,
    FieldSpec,
    Identity,
    LabelSpec,
    Named,
    Plan,
    RowQuery,
    StateSpec,
    StepSpec,
    StreamSpec,
    TimeField,
    WindowQuery,
)

NOON = 1_769_860_800 * SECOND
LIFE = b"one life of the "


def plan(identity: Identity | None = None) -> Plan:
    air = StreamSpec(
        name="air",
        topic="air/{device}",
        format="json",
        time=TimeField(path=("ts",), unit="us"),
        labels=(LabelSpec(name="device"),),
        fields=(FieldSpec(name="seq", path=("seq",), type="int"),),
        identity=identity,
    )
    even = Call("=", (Call("%", (Column("seq"), Constant(2))), Constant(0)))
    columns = tuple(Named(name=n, expression=Column(n)) for n in ("device", "seq"))
    rows = StepSpec(name="even", source="air", stream="air", where=even, query=RowQuery(columns=columns))
    query = WindowQuery(
        keys=(Named(name="device", expression=Column("device")),),
        width_us=10 * SECOND,
        states=(StateSpec(name="n", kind="sum_i64", function="count"),),
        outputs=(Named(name="n", expression=Column("n")),),
    )
    all_ = StepSpec(name="all", source="air", stream="air", where=None, query=query)
    of_even = StepSpec(name="of_even", source="even", stream="air", where=None, query=query)
    return Plan(
        tenant="main",
        pipeline="p",
        streams=(air,),
        steps=(rows, all_, of_even),
        disorder_us=5 * SECOND,
        wait_us=2 * MINUTE,
        keep_us=DAY,
        emit_every_us=SECOND,
        max_keys=100,
    )


class JumpingClock:
    """Time passes only where somebody sleeps, and then at once."""

    def __init__(self, now_us: int) -> None:
        self._now_us = now_us

    def now_us(self) -> int:
        return self._now_us

    def monotonic(self) -> float:
        return self._now_us / SECOND

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.advance(round(seconds * SECOND))

    def advance(self, by_us: int) -> None:
        self._now_us += by_us


class MemoryJournal:
    """The journal's promises to a lane, without a disk."""

    def __init__(self) -> None:
        self.blocks: dict[Origin, list[Block]] = {}
        self.committed: dict[Origin, int] = {}
        self._gaps: list[tuple[Origin, Gap]] = []
        self._base: dict[Origin, int] = {}
        self._growth = asyncio.Event()
        self.roll()

    def roll(self) -> None:
        epoch = bytes([len(self.blocks)]) * 16
        self.live = Origin(tenant="main", node="n1", stream="air", epoch=epoch)
        self.blocks[self.live] = []
        self._tell()

    def append(self, seqs: list[int], at_us: int = NOON) -> None:
        blocks = self.blocks[self.live]
        first = blocks[-1].end if blocks else 0
        n = len(seqs)
        blocks.append(
            Block(
                origin=self.live,
                first=first,
                end=first + n,
                arrival_us=np.full(n, at_us, np.int64),
                topics=("air/d",),
                topic_codes=np.zeros(n, np.uint32),
                clients=("c",),
                client_codes=np.zeros(n, np.uint32),
                packet_ids=np.zeros(n, np.uint16),
                flags=np.zeros(n, np.uint8),
                payloads=[json.dumps({"ts": at_us, "seq": seq}).encode() for seq in seqs],
            )
        )
        self._tell()

    def expire(self, origin: Origin, end: int) -> None:
        """Drop the oldest messages by decision: the gap record first."""
        base = self._base.get(origin, 0)
        self._gaps.append((origin, Gap(first=base, end=end, reason="expired")))
        self._base[origin] = end
        self.blocks[origin] = [b for b in self.blocks[origin] if b.first >= end]
        self._tell()

    def origins(self, stream: str) -> tuple[OriginState, ...]:
        return tuple(
            OriginState(
                origin=origin,
                base=self._base.get(origin, 0),
                end=self._end(origin),
                closed=origin != self.live,
                counters=Counters(),
            )
            for origin in self.blocks
        )

    async def read(self, origin: Origin, first: int, *, plan: str = "") -> Block | Gap | None:
        await asyncio.sleep(0)
        for block in self.blocks[origin]:
            if block.first <= first < block.end:
                return block.since(first)
        return next((gap for o, gap in self._gaps if o == origin and gap.first <= first < gap.end), None)

    async def plan_started(self, plan: str, origin: Origin) -> int:
        return 0

    def last_heard(self, plan: str, origin: Origin) -> int:
        return self.committed.get(origin, 0)

    async def declare_gap(self, plan: str, origin: Origin, gap: Gap) -> None:
        self._gaps.append((origin, gap))

    def progress(self, plan: str, origin: Origin, committed: int) -> None:
        self.committed[origin] = committed

    def gaps(self, plan: str, origin: Origin) -> tuple[Gap, ...]:
        return tuple(gap for o, gap in self._gaps if o == origin)

    async def grown(self, origin: Origin, offset: int) -> None:
        while origin == self.live and self._end(origin) <= offset:
            await self._growth.wait()

    def _end(self, origin: Origin) -> int:
        blocks = self.blocks[origin]
        return blocks[-1].end if blocks else self._base.get(origin, 0)

    def _tell(self) -> None:
        growth, self._growth = self._growth, asyncio.Event()
        growth.set()


class Cloud:
    """Commits parts as the store does."""

    def __init__(self) -> None:
        self.offsets: dict[Origin, int] = {}
        self.watermarks: dict[Origin, int] = {}
        self.closed: set[Origin] = set()
        self.counted: Counter[str] = Counter()
        self.terms: Counter[str] = Counter()
        self.readings: Counter[ReadingTerm] = Counter()
        self.gaps: Counter[str] = Counter()

    def commit(self, part: Part[PartState]) -> Verdict:
        verdict = judge(part.contributions, self.offsets)
        if verdict is Verdict.FRESH:
            self.offsets |= offsets_after(part.contributions)
            for c in part.contributions:
                self.watermarks[c.origin] = max(c.watermark, self.watermarks.get(c.origin, c.watermark))
                if c.gap:
                    self.gaps[c.gap] += c.messages
                if c.closed:
                    self.closed.add(c.origin)
            for table in part.state.tables:
                state = table.state("n")
                self.counted[table.step] += int(state.values.sum())  # type: ignore[union-attr]  # dense
            self.readings.update(part.state.counts)
            for term, n in part.state.counts.items():
                self.terms[f"{term.step}.{term.term}" + (f".{term.reason}" if term.reason else "")] += n
        return verdict

    def told(self, part: Part[PartState]) -> dict[Origin, int]:
        return {c.origin: self.offsets.get(c.origin, c.start) for c in part.contributions}
