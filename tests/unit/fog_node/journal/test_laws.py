"""Any sequence of appending, crashing, opening, releasing, expiring and damaging keeps the laws."""

import asyncio
import errno
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fog_node.journal import Journal, JournalFull
from fog_node.journal.settings import KIB
from fog_node.messages import Block
from fogline.model.part import Origin
from fogline.model.plan import FullPolicy
from fogline.testing.disk import ForgetfulDisk

PLANS = ("p", "q")

steps = st.one_of(
    st.tuples(st.just("append"), st.integers(1, 6)),
    st.tuples(st.just("commit"), st.sampled_from(PLANS), st.integers(0, 30)),
    st.tuples(st.just("reopen")),
    st.tuples(st.just("kill")),
    st.tuples(st.just("cut"), st.one_of(st.none(), st.integers(0, 1000))),
    st.tuples(st.just("roll")),
    st.tuples(st.just("detach"), st.sampled_from(PLANS)),
    st.tuples(st.just("flip"), st.integers(0, 10**6)),
    st.tuples(st.just("fail"), st.sampled_from(["write", "sync"])),
    st.tuples(st.just("policy"), st.sampled_from(["expire", "refuse"])),
    st.tuples(st.just("later"), st.integers(1, 100_000)),
)


@dataclass(slots=True)
class World:
    """What the outside knows: which offset of which origin was told to be which message."""

    opened: Any
    kit: Any
    disk: ForgetfulDisk = field(default_factory=ForgetfulDisk)
    written: dict[Origin, dict[int, bytes]] = field(default_factory=dict)
    ends: dict[Origin, int] = field(default_factory=dict)
    committed: dict[tuple[str, Origin], int] = field(default_factory=dict)
    starts: dict[tuple[str, Origin], int] = field(default_factory=dict)
    sent: int = 0
    full: str = "expire"
    damaged: bool = False

    async def run(self, script: list[tuple[Any, ...]]) -> None:
        while script:
            async with self.opened(self.disk, keep_us=3_600_000_000, keep_bytes=16 * KIB) as journal:
                self.disk.fault = None
                journal.declare("air", policy=self.full, quota_bytes=24 * KIB)
                await self.start_plans(journal)
                await self.check(journal)
                script = await self.until_closed(journal, script)
            self.disk.kill()

    async def start_plans(self, journal: Journal) -> None:
        for state in journal.origins("air"):
            for plan in PLANS:
                start = await journal.plan_started(plan, state.origin)
                assert self.starts.setdefault((plan, state.origin), start) == start

    async def until_closed(self, journal: Journal, script: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        for number, (what, *values) in enumerate(script):
            if what in {"reopen", "kill", "cut"}:
                if what == "cut":
                    seed = values[0]
                    self.disk = self.disk.cut_power(None if seed is None else Random(seed))
                elif what == "kill":
                    self.disk = self.disk.copy()
                return script[number + 1 :]
            await getattr(self, what)(journal, *values)
            await self.check(journal)
        return []

    async def append(self, journal: Journal, count: int) -> None:
        payloads = [b"%d" % (self.sent + n) + b"." * 600 for n in range(count)]
        self.sent += count
        # The epoch may change under a batch whose file failed; where it is, is told by the journal.
        sending = asyncio.ensure_future(journal.append("air", self.kit.messages(*payloads)))
        while not sending.done():
            await asyncio.wait([sending], timeout=0.02)
            await journal.tidy()
        try:
            sending.result()
        except JournalFull:
            return
        state = journal.origins("air")[-1]
        told = self.written.setdefault(state.origin, {})
        for place, payload in zip(range(state.end - count, state.end), payloads, strict=True):
            assert place not in told
            told[place] = payload

    async def commit(self, journal: Journal, plan: str, many: int) -> None:
        for state in journal.origins("air"):
            told = min(self.committed.get((plan, state.origin), 0) + many, state.end)
            self.committed[plan, state.origin] = max(told, self.starts.get((plan, state.origin), 0))
            journal.progress(plan, state.origin, self.committed[plan, state.origin])
        await journal.tidy()

    async def roll(self, journal: Journal) -> None:
        await journal.roll()

    async def detach(self, journal: Journal, plan: str) -> None:
        await journal.detach(plan)

    async def flip(self, _journal: Journal, where: int) -> None:
        files = [p for p in self.disk.files() if p.suffix == ".blocks" and self.disk.size(p)]
        if files:
            path = files[where % len(files)]
            self.disk.flip(path, where % self.disk.size(path))
            self.damaged = True

    async def fail(self, _journal: Journal, operation: str) -> None:
        left = [1]

        def fault(asked: str, path: Path) -> OSError | None:
            if asked == operation and path.suffix == ".blocks" and left[0]:
                left[0] -= 1
                return OSError(errno.EIO, "input/output error")
            return None

        self.disk.fault = fault

    async def policy(self, journal: Journal, policy: FullPolicy) -> None:
        self.full = policy
        journal.declare("air", policy=policy, quota_bytes=24 * KIB)

    async def later(self, journal: Journal, seconds: int) -> None:
        await self.opened.clock.advance(seconds)
        await journal.tidy()

    async def check(self, journal: Journal) -> None:
        states = {state.origin: state for state in journal.origins("air")}
        for origin, told in self.written.items():
            state = states.get(origin)
            if state is None:
                self.check_gone(origin, told)
                continue
            assert state.end >= max(told, default=-1) + 1 or self.damaged
            for plan in PLANS:
                await self.check_plan(journal, plan, origin, told)
        for origin, end in self.ends.items():
            if origin in states:
                assert states[origin].end == end
        self.ends.update({origin: state.end for origin, state in states.items() if state.closed})
        counters = journal.counters("air")
        assert self.damaged or counters.received == counters.journaled + sum(counters.refused.values())

    def check_gone(self, origin: Origin, told: dict[int, bytes]) -> None:
        for plan in PLANS:
            assert self.damaged or self.committed.get((plan, origin), 0) > max(told, default=-1)

    async def check_plan(self, journal: Journal, plan: str, origin: Origin, told: dict[int, bytes]) -> None:
        """From what the store holds on, each message is there as it was sent, or in a gap that says why."""
        offset = max(self.committed.get((plan, origin), 0), self.starts.get((plan, origin), 0))
        pending = 0
        while (found := await journal.read(origin, offset, plan=plan)) is not None:
            assert found.first == offset
            if isinstance(found, Block):
                for place, payload in enumerate(found.payloads, found.first):
                    assert told.get(place, payload) == payload
                pending += len(found)
            else:
                assert found.reason in {"expired", "detached", "corrupt"}
                assert found.reason != "corrupt" or self.damaged
            offset = found.end
        assert offset > max(told, default=-1) or self.damaged


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(steps, min_size=1, max_size=25))
async def test_the_laws_hold_whatever_happens(opened: Any, kit: Any, script: list[tuple[Any, ...]]) -> None:
    await World(opened=type(opened)(), kit=kit).run(script)
