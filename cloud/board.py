"""What nodes and aggregators last said of themselves, in memory.

The store keeps it too: so a restart forgets nobody, and a process knows the children of all that share the store.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog

from cloud.from_here import clock_words, revoked_words
from cloud.identity.twins import Twins, words
from cloud.store.kept import Machine
from cloud.store.reports import AggregatorReport, Journal, Report
from cloud.store.store import Store
from fogline.control.desired import Desired
from fogline.control.newest import Newest
from fogline.model.caller import Caller
from fogline.model.clock import SECOND, Clock
from fogline.model.errors import MalformedPart, StoreBusy
from fogline.model.part import Origin
from fogline.v1 import control_pb2, types_pb2
from fogline.wire.origins import origin_from_wire

ALIVE_US: Final = 5 * SECOND
"""A tier that was not heard for so long is shown as away."""
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

MAX_COUNT: Final = 2**53
"""No counter of messages is greater; a node that says so is not believed."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeWord:
    """A node's newest report."""

    tenant: str
    report: control_pb2.NodeReport
    seen_us: int
    alive_us: int = ALIVE_US
    """How long it stands for a node that lives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregatorWord:
    """An aggregator's newest report."""

    tenant: str
    report: control_pb2.AggregatorReport
    seen_us: int
    alive_us: int = ALIVE_US
    """How long it stands for an aggregator that lives."""


Word = NodeWord | AggregatorWord


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
        moved: Callable[[], None],
        taken_back: Callable[[Machine], bool] = lambda _: False,
    ) -> None:
        """``outbid``: told of a higher generation than ours; ``astray``: of signing keys that a machine knows and its
        parent does not; ``moved``: nodes or their journals came or went. ``taken_back``: whether whatever had a
        machine's name was revoked.
        """
        self._store = store
        self._clock = clock
        self._desired = desired
        self._outbid = outbid
        self._astray = astray
        self._moved = moved
        self._taken_back = taken_back
        self._words: dict[Machine, Word] = {}
        self._unkept: dict[Machine, Word] = {}
        self._kept_us: dict[Machine, int] = {}
        self._stored: dict[Machine, int] = {}
        self._behind: dict[Machine, int] = {}
        self._twins = Twins()
        self._news = asyncio.Event()
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
        now_us = self._clock.now_us()
        for report in request.nodes:
            machine = Machine(NODE, caller.tenant, report.node)
            known = self._words.get(machine)
            if self._twins.heard(machine, report.instance, report.at_us, now_us):
                _add(report, words(NODE, report.node))
            word = NodeWord(tenant=caller.tenant, report=report, seen_us=now_us)
            if not self._hear(machine, word):
                continue
            if machine not in self._kept_us or known is None or _origins(known) != _origins(word):
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

    def _hear(self, machine: Machine, word: Word) -> bool:
        """Take a child's word if it is a new one; whether it was."""
        known = self._words.get(machine)
        if known is not None and not self._is_news(machine, known.report.at_us, word.report.at_us):
            return False
        if known is None and len(self._words) >= MAX_KNOWN:
            return False
        self._words[machine] = self._unkept[machine] = word
        return True

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

    def forget(self, tenant: str, node: str) -> None:
        """A node was retired: it is not shown, and nobody waits for it."""
        self._forget(Machine(NODE, tenant, node))
        self._moved()

    def _forget(self, machine: Machine) -> None:
        for known in (self._words, self._unkept, self._kept_us, self._stored, self._behind):
            known.pop(machine, None)
        self._twins.forget(machine)

    def nodes(self, tenant: str) -> list[NodeWord]:
        """Newest reports of a tenant's nodes, by name."""
        return [word for word in self._of(tenant) if isinstance(word, NodeWord)]

    def aggregators(self, tenant: str) -> list[AggregatorWord]:
        """Newest reports of aggregators, by name."""
        return [word for word in self._of(tenant) if isinstance(word, AggregatorWord)]

    def _of(self, tenant: str) -> list[Word]:
        return [self._words[machine] for machine in sorted(self._words) if machine.tenant == tenant]

    def is_alive(self, word: Word) -> bool:
        """Whether it was heard a short while ago."""
        return self._clock.now_us() - word.seen_us < word.alive_us

    def faults(self, word: Word) -> list[str]:
        """What is wrong with a machine that it does not know itself."""
        role, name = NODE, ""
        if isinstance(word, NodeWord):
            name = word.report.node
        else:
            role, name = AGGREGATOR, word.report.aggregator
        clock = clock_words(word.report.at_us - word.seen_us) if self.is_alive(word) else ""
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
            if word is None or word.alive_us != ALIVE_US or not self.is_alive(word):
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
        if known is None or self._is_news(machine, known.report.at_us, word.report.at_us):
            self._words[machine] = word
            self._unkept.pop(machine, None)
        self._kept_us.setdefault(machine, now_us)

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
        highest = max((reached(word.report) for word in self._words.values()), default=0)
        if highest > self._desired.generation:
            await self._outbid(highest)
        for word in self._words.values():
            if word.report.known_keys and self.is_alive(word):
                await self._astray(word.report.known_keys)
        now_us = self._clock.now_us()
        due_us = now_us - KEEP_EVERY_US + SLACK_US
        due = {m: word for m, word in self._unkept.items() if self._kept_us.get(m, due_us) <= due_us}
        await self._write(due, now_us)

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
                tenant=word.tenant, aggregator=word.report.aggregator, raw=word.report.SerializeToString()
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


def reached(report: control_pb2.NodeReport | control_pb2.AggregatorReport) -> int:
    """A generation that ours must not be below: one that a machine has seen, or that must be gone beyond because the
    machine knows something else by it.
    """
    return max(report.generation, report.contested + 1 if report.contested else 0)


def report_of(word: NodeWord) -> Report:
    """A node's report as the store takes it; journals that no node can have are left out."""
    report = word.report
    return Report(
        tenant=word.tenant,
        node=report.node,
        raw=report.SerializeToString(),
        journals=tuple(
            Journal(
                origin=origin,
                received=bounded(journal.received),
                journaled=bounded(journal.journaled),
                refused={reason: bounded(count) for reason, count in journal.refused.items()},
                redelivered=bounded(journal.redelivered),
                retained=bounded(journal.retained),
                base=bounded(journal.base),
                closed=journal.closed,
            )
            for journal in report.journals
            # A node speaks for itself alone.
            if (origin := origin_of(journal.origin)) is not None
            and (origin.tenant, origin.node) == (word.tenant, report.node)
        ),
    )


def origin_of(message: types_pb2.Origin) -> Origin | None:
    """An origin as a value; None if it names none."""
    try:
        return origin_from_wire(message)
    except MalformedPart:
        return None


def bounded(count: int) -> int:
    """A count of messages that databases and sums can hold."""
    return min(count, MAX_COUNT)


def _add(report: control_pb2.NodeReport | control_pb2.AggregatorReport, fault: str) -> None:
    """Say it once: the same report is taken again where a node with nothing new is only named."""
    if fault not in report.faults:
        report.faults.append(fault)


def _origins(word: Word) -> set[bytes]:
    if isinstance(word, AggregatorWord):
        return set()
    return {journal.origin.SerializeToString() for journal in word.report.journals}
