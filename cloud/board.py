"""What nodes and aggregators last said of themselves, in memory.

The store keeps it too: so a restart forgets nobody, and a process knows the children of all that share the store.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

import structlog

from cloud.from_here import clock_words, revoked_words
from cloud.identity.twins import Twins, words
from cloud.reported import ALIVE_US, AggregatorWord, NodeWord, Word, origins_of, reached, report_of
from cloud.store.kept import Machine
from cloud.store.reports import AggregatorReport
from cloud.store.store import Store
from fogline.control.census import SILENT_US, Census
from fogline.control.desired import Desired
from fogline.control.newest import Newest
from fogline.control.sums import NOTHING, Figure, Key, Sums, sums_of
from fogline.model.caller import Caller
from fogline.model.clock import SECOND, Clock
from fogline.model.errors import StoreBusy
from fogline.v1 import control_pb2

KEEP_EVERY_US: Final = 2 * SECOND
"""Counters move all the time; the store gets them so often. What is new goes there at once."""
ELSEWHERE_US: Final = ALIVE_US + KEEP_EVERY_US + SECOND
"""The same as ``ALIVE_US`` for a tier that other processes hear: their words come through the store."""
SLACK_US: Final = SECOND // 4
"""A report may be kept so much earlier than is its turn: else one that misses it by a little waits for the next."""
MAX_KNOWN: Final = 10_000
"""Nodes and aggregators kept in memory; beyond it newcomers are not shown."""

NODE: Final = "node"
AGGREGATOR: Final = "aggregator"

FAILED_OVER_US: Final = 30 * SECOND
"""An aggregator that falls silent so soon after nodes have left it for another one has lost its group to that one."""
LOOK_WITHIN_S: Final = 1.0
"""So long somebody who looks at nodes waits for their aggregators' newest word."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Board:
    """The cloud's :class:`fogline.control.servicer.ControlHub`."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        desired: Desired,
        *,
        outbid: Callable[[int], Awaitable[None]],
        astray: Callable[[Sequence[control_pb2.SigningKey]], Awaitable[None]],
        depose: Callable[[], Awaitable[None]],
        moved: Callable[[], None],
        taken_back: Callable[[Machine], bool] = lambda _: False,
    ) -> None:
        """``outbid``: told of a higher generation than ours; ``astray``: of signing keys that a machine knows and its
        parent does not; ``depose``: that a group has gone over to another aggregator; ``moved``: nodes or their
        journals came or went. ``taken_back``: whether whatever had a machine's name was revoked.
        """
        self._store = store
        self._clock = clock
        self._desired = desired
        self._outbid = outbid
        self._astray = astray
        self._depose = depose
        self._left_by: dict[Machine, int] = {}
        """Aggregators that nodes have left for others, and when."""
        self._moved = moved
        self._taken_back = taken_back
        self._words: dict[Machine, Word] = {}
        self._unkept: dict[Machine, Word] = {}
        self._kept_us: dict[Machine, int] = {}
        self._stored: dict[Machine, int] = {}
        self._behind: dict[Machine, int] = {}
        self._twins = Twins()
        self._news = asyncio.Event()
        self._censuses: dict[str, Census] = {}
        self._answers = asyncio.Event()
        self._reached = 0
        self._knowing: set[Machine] = set()
        self.looks: Newest[control_pb2.Look] = Newest()
        """Which nodes somebody looks at."""
        self._assignments: Newest[control_pb2.SignedAssignments] = Newest()

    @property
    def assignments(self) -> Newest[control_pb2.SignedAssignments]:
        """None ever: who is attached to the cloud itself runs what is granted."""
        return self._assignments

    @property
    def desired(self) -> Desired:
        """What every node shall run."""
        return self._desired

    def reported(self, request: control_pb2.AttachRequest, caller: Caller) -> None:
        """A child's newest word about everything at or below it."""
        now_us, newest = self._clock.now_us(), []
        for report in request.nodes:
            machine = Machine(NODE, caller.tenant, report.node)
            known = self._words.get(machine)
            if self._twins.heard(machine, report.instance, report.at_us, now_us):
                _add(report, words(NODE, report.node))
            word = NodeWord(tenant=caller.tenant, report=report, seen_us=now_us)
            if not self._hear(machine, word):
                continue
            newest.append(report.node)
            if machine not in self._kept_us or known is None or origins_of(known) != origins_of(word):
                self._kept_us.pop(machine, None)
                self._news.set()
            if reached(report) > self._desired.generation or report.known_keys:
                self._news.set()
        for below in request.aggregators:
            machine = Machine(AGGREGATOR, caller.tenant, below.aggregator)
            if self._twins.heard(machine, below.instance, below.at_us, now_us):
                _add(below, words(AGGREGATOR, below.aggregator))
            heard = self._hear(machine, AggregatorWord(tenant=caller.tenant, report=below, seen_us=now_us))
            if heard and machine not in self._kept_us:
                self._news.set()
        self._count(request, caller.tenant, newest, now_us)

    def _count(
        self, request: control_pb2.AttachRequest, tenant: str, newest: Sequence[str], now_us: int
    ) -> None:
        """Note who is below the child, and who is no longer."""
        census = self._censuses.setdefault(tenant, Census())
        silent_us = now_us - SILENT_US
        for node in request.left:
            word = self._words.get(Machine(NODE, tenant, node))
            if word is not None and census.owner(node) == request.child:
                assert isinstance(word, NodeWord)
                self._words[Machine(NODE, tenant, node)] = _seen(word, max(word.seen_us, silent_us))
        for node in newest:
            former = Machine(AGGREGATOR, tenant, census.owner(node))
            if former.name != request.child and former in self._words:
                self._left_by.setdefault(former, now_us)
        census.hear(request.child, request, newest, now_us)
        if census.must_look(now_us):
            self._ask(())
        if request.looked:
            answers, self._answers = self._answers, asyncio.Event()
            answers.set()

    def _ask(self, nodes: Sequence[str]) -> int:
        number = self.looks.number + 1
        self.looks.set(control_pb2.Look(number=number, nodes=nodes))
        return number

    async def look(self, tenant: str, nodes: Sequence[str] = ()) -> None:
        """Get the newest reports of nodes of which aggregators say only sums; of all if none are named.

        An aggregator that does not answer is not waited for long: what it said last is shown.
        """
        census = self._censuses.get(tenant)
        if census is None or not census.any_sums:
            return  # nobody says sums
        number = self._ask(nodes)
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_WITHIN_S):
                while not census.answered(number):
                    await self._answers.wait()

    def figures(self, tenant: str) -> dict[Key, Figure]:
        """What a tenant's nodes that are there come to together."""
        census = self._censuses.get(tenant)
        if census is None:
            return {}

        def of_node(name: str) -> Sums:
            word = self._words.get(Machine(NODE, tenant, name))
            there = isinstance(word, NodeWord) and self.is_alive(self._newer(word))
            return sums_of(word.report) if isinstance(word, NodeWord) and there else NOTHING

        return census.figures(of_node, since_us=self._clock.now_us() - ALIVE_US + 1)

    def _hear(self, machine: Machine, word: Word) -> bool:
        """Take a child's word if it is a new one; whether it was."""
        known = self._words.get(machine)
        if known is not None and not self._is_news(machine, known.report.at_us, word.report.at_us):
            return False
        if known is None and len(self._words) >= MAX_KNOWN:
            return False
        self._words[machine] = self._unkept[machine] = word
        self._note(machine, word)
        return True

    def _note(self, machine: Machine, word: Word) -> None:
        """What the next look at all words would find: so it need not be one."""
        self._reached = max(self._reached, reached(word.report))
        (self._knowing.add if word.report.known_keys else self._knowing.discard)(machine)

    def _is_news(self, machine: Machine, known_us: int, at_us: int) -> bool:
        """Whether this is a new word, and not an old one.

        A parent goes on passing up the last word of a child that has fallen silent: that is no sign of life. Words
        that are older but go on are those of a clock that was set back.
        """
        if at_us > known_us:
            self._behind.pop(machine, None)
            return True
        goes_on = at_us > self._behind.get(machine, at_us)
        if at_us < known_us and not goes_on:
            self._behind[machine] = at_us
        return goes_on

    def left(self, child: str) -> None:
        """A control stream has ended; its last word stands until it is too old."""
        for census in self._censuses.values():
            census.left(child)

    def forget(self, tenant: str, node: str) -> None:
        """A node was retired: it is not shown, and nobody waits for it."""
        self._forget(Machine(NODE, tenant, node))
        self._moved()

    def _forget(self, machine: Machine) -> None:
        for known in (self._words, self._unkept, self._kept_us, self._stored, self._behind):
            known.pop(machine, None)
        self._knowing.discard(machine)
        self._twins.forget(machine)
        if machine.role == NODE and (census := self._censuses.get(machine.tenant)) is not None:
            census.forget(machine.name)

    def nodes(self, tenant: str) -> list[NodeWord]:
        """Newest reports of a tenant's nodes, by name."""
        return [word for word in self._of(tenant) if isinstance(word, NodeWord)]

    def aggregators(self, tenant: str) -> list[AggregatorWord]:
        """Newest reports of aggregators, by name."""
        return [word for word in self._of(tenant) if isinstance(word, AggregatorWord)]

    def _of(self, tenant: str) -> list[Word]:
        mine = sorted(machine for machine in self._words if machine.tenant == tenant)
        return [self._newer(self._words[machine]) for machine in mine]

    def _newer(self, word: Word) -> Word:
        """A node of which its aggregator says nothing but sums is there when that one is."""
        census = self._censuses.get(word.tenant)
        if census is None or not isinstance(word, NodeWord):
            return word
        heard_us = census.heard_us(word.report.node)
        return _seen(word, heard_us) if heard_us > word.seen_us else word

    def is_alive(self, word: Word) -> bool:
        """Whether it was heard a short while ago."""
        return self._clock.now_us() - word.seen_us < word.alive_us

    def faults(self, word: Word) -> list[str]:
        """What is wrong with a machine that it does not know itself."""
        if isinstance(word, NodeWord):
            role, name, came_us = NODE, word.report.node, word.came_us or word.seen_us
        else:
            role, name, came_us = AGGREGATOR, word.report.aggregator, word.seen_us
        clock = clock_words(word.report.at_us - came_us) if self.is_alive(word) else ""
        back = revoked_words(role, name) if self._taken_back(Machine(role, word.tenant, name)) else ""
        return [said for said in (back, clock) if said]

    async def take_up(self) -> None:
        """Learn what the store keeps: from before this process began, and from what others were told."""
        kept = await self._store.reports(self._stored)
        now_us = self._clock.now_us()
        for machine, seen_us, raw in kept:
            if raw is not None:
                self._stored[machine] = seen_us
                self._learn(machine, raw, seen_us, now_us)
        there = {each.machine for each in kept}
        for machine in self._stored.keys() - there:
            word = self._words.get(machine)
            if word is None or word.alive_us != ALIVE_US or not self.is_alive(self._newer(word)):
                # Retired, perhaps through another process; one that is heard here is on its way to the store again.
                self._forget(machine)

    def _learn(self, machine: Machine, raw: bytes, seen_us: int, now_us: int) -> None:
        known = self._words.get(machine)
        if known is None and len(self._words) >= MAX_KNOWN:
            return
        # Clocks of other machines are not to be trusted: what moves in the store was heard a moment ago.
        at_us = now_us if known is not None else min(seen_us, now_us)
        word: Word
        if machine.role == NODE:
            node = control_pb2.NodeReport.FromString(raw)
            word = NodeWord(tenant=machine.tenant, report=node, seen_us=at_us, alive_us=ELSEWHERE_US)
        else:
            below = control_pb2.AggregatorReport.FromString(raw)
            word = AggregatorWord(tenant=machine.tenant, report=below, seen_us=at_us, alive_us=ELSEWHERE_US)
            self._recall(machine, below, at_us)
        if known is None or self._is_news(machine, known.report.at_us, word.report.at_us):
            self._words[machine] = word
            self._note(machine, word)
            self._unkept.pop(machine, None)
        self._kept_us.setdefault(machine, now_us)

    def _recall(self, machine: Machine, below: control_pb2.AggregatorReport, at_us: int) -> None:
        """Who another process was told is below an aggregator."""
        if below.present:
            self._censuses.setdefault(machine.tenant, Census()).recall(machine.name, below.present, at_us)
            del below.present[:]

    async def run(self) -> None:
        """Keep reports in the store until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(KEEP_EVERY_US / SECOND):
                    await self._news.wait()
            self._news.clear()
            try:
                await self.keep()
            except StoreBusy as error:
                _log.warning("reports wait for the store", error=error)
                await self._clock.sleep(1.0)

    async def keep(self) -> None:
        """Write the reports that are due."""
        if self._reached > self._desired.generation:
            await self._outbid(self._reached)
        for machine in sorted(self._knowing):
            word = self._newer(self._words[machine])
            if self.is_alive(word):
                await self._astray(word.report.known_keys)
        now_us = self._clock.now_us()
        await self._depose_dead(now_us)
        due_us = now_us - KEEP_EVERY_US + SLACK_US
        due = {m: word for m, word in self._unkept.items() if self._kept_us.get(m, due_us) <= due_us}
        await self._write(due, now_us)

    async def _depose_dead(self, now_us: int) -> None:
        """Nodes whose aggregator is gone and that have another one: should it come back, it assigns no more."""
        for machine, left_us in list(self._left_by.items()):
            word = self._words.get(machine)
            dead = word is None or not self.is_alive(word)
            if dead:
                _log.warning("a group has gone over to another aggregator", former=machine.name)
                await self._depose()
            if dead or now_us - left_us > FAILED_OVER_US:
                self._left_by.pop(machine, None)

    async def keep_all(self) -> None:
        """Write every report that is newer than what the store has, and learn what others have written."""
        await self._write(dict(self._unkept), self._clock.now_us())
        await self.take_up()

    async def _write(self, words: Mapping[Machine, Word], now_us: int) -> None:
        if not words:
            return
        nodes = [report_of(word) for word in words.values() if isinstance(word, NodeWord)]
        aggregators = [
            AggregatorReport(
                tenant=word.tenant, aggregator=word.report.aggregator, raw=self._with_nodes(word)
            )
            for word in words.values()
            if isinstance(word, AggregatorWord)
        ]
        await self._store.take_reports(nodes, now_us, aggregators)
        if any(machine.role == NODE and machine not in self._kept_us for machine in words):
            self._moved()
        for machine, word in words.items():
            self._kept_us[machine] = self._stored[machine] = now_us
            if self._unkept.get(machine) is word:
                del self._unkept[machine]

    def _with_nodes(self, word: AggregatorWord) -> bytes:
        """As it is kept: other processes learn from it which nodes are there."""
        census, name = self._censuses.get(word.tenant), word.report.aggregator
        if census is None or not census.speaks_for_all(name):
            return word.report.SerializeToString()
        kept = control_pb2.AggregatorReport()
        kept.CopyFrom(word.report)
        kept.present.extend(sorted(census.below(name)))
        return kept.SerializeToString()


def _seen(word: NodeWord, at_us: int) -> NodeWord:
    """There was a later sign of life."""
    return replace(word, seen_us=at_us, came_us=word.came_us or word.seen_us)


def _add(report: control_pb2.NodeReport | control_pb2.AggregatorReport, fault: str) -> None:
    """Say it once: the same report is taken again where a node with nothing new is only named."""
    if fault not in report.faults:
        report.faults.append(fault)
