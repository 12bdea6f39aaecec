"""What nodes and aggregators last said of themselves, in memory; the store keeps the nodes' reports too."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog

from cloud.store.reports import Journal, Report
from cloud.store.store import Store
from fogline.control.desired import Desired
from fogline.model.caller import Caller
from fogline.model.clock import SECOND, Clock
from fogline.model.errors import MalformedPart, StoreBusy
from fogline.model.part import Origin
from fogline.v1 import control_pb2, types_pb2
from fogline.wire.origins import origin_from_wire

ALIVE_US: Final = 5 * SECOND
"""A tier that was not heard for so long is shown as away."""
KEEP_EVERY_US: Final = 5 * SECOND
"""Counters move all the time; the store gets them so often. What is new goes there at once."""
MAX_KNOWN: Final = 10_000
"""Nodes and aggregators kept in memory; beyond it newcomers are not shown."""

MAX_COUNT: Final = 2**53
"""No counter of messages is greater; a node that says so is not believed."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeWord:
    """A node's newest report."""

    tenant: str
    report: control_pb2.NodeReport
    seen_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregatorWord:
    """An aggregator's newest report."""

    tenant: str
    report: control_pb2.AggregatorReport
    seen_us: int


class Board:
    """The cloud's :class:`fogline.control.servicer.ControlHub`."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        desired: Desired,
        *,
        outbid: Callable[[int], Awaitable[None]],
        moved: Callable[[], None],
    ) -> None:
        """``outbid``: told of a higher generation than ours; ``moved``: nodes or their journals came or
        went.
        """
        self._store = store
        self._clock = clock
        self._desired = desired
        self._outbid = outbid
        self._moved = moved
        self._nodes: dict[tuple[str, str], NodeWord] = {}
        self._aggregators: dict[tuple[str, str], AggregatorWord] = {}
        self._unkept: dict[tuple[str, str], NodeWord] = {}
        self._kept_us: dict[tuple[str, str], int] = {}
        self._behind: dict[tuple[str, str], int] = {}
        self._news = asyncio.Event()

    @property
    def desired(self) -> Desired:
        """What every node shall run."""
        return self._desired

    def reported(self, request: control_pb2.AttachRequest, caller: Caller) -> None:
        """A child's newest word about everything at or below it."""
        now_us = self._clock.now_us()
        for report in request.nodes:
            name = (caller.tenant, report.node)
            known = self._nodes.get(name)
            if known is not None and not self._is_news(name, known.report.at_us, report.at_us):
                continue
            if known is None and len(self._nodes) >= MAX_KNOWN:
                continue
            word = NodeWord(tenant=caller.tenant, report=report, seen_us=now_us)
            self._nodes[name] = self._unkept[name] = word
            if known is None or name not in self._kept_us or _origins(known.report) != _origins(report):
                self._kept_us.pop(name, None)
                self._news.set()
            if report.generation > self._desired.generation:
                self._news.set()
        for below in request.aggregators:
            name = (caller.tenant, below.aggregator)
            heard = self._aggregators.get(name)
            if heard is not None and not self._is_news(name, heard.report.at_us, below.at_us):
                continue
            if heard is not None or len(self._aggregators) < MAX_KNOWN:
                self._aggregators[name] = AggregatorWord(tenant=caller.tenant, report=below, seen_us=now_us)

    def _is_news(self, name: tuple[str, str], known_us: int, at_us: int) -> bool:
        """Whether this is a new word, and not an old one.

        A parent goes on passing up the last word of a child that has fallen silent: that is no sign of life. Words
        that are older but go on are those of a clock that was set back.
        """
        if at_us > known_us:
            self._behind.pop(name, None)
            return True
        goes_on = at_us > self._behind.get(name, at_us)
        if at_us < known_us and not goes_on:
            self._behind[name] = at_us
        return goes_on

    def left(self, child: str) -> None:
        """A control stream has ended; its last word stands until it is too old."""

    def forget(self, tenant: str, node: str) -> None:
        """A node was retired: it is not shown, and nobody waits for it."""
        name = (tenant, node)
        for known in (self._nodes, self._unkept, self._kept_us, self._behind):
            known.pop(name, None)
        self._moved()

    def nodes(self, tenant: str) -> list[NodeWord]:
        """Newest reports of a tenant's nodes, by name."""
        return [self._nodes[name] for name in sorted(self._nodes) if name[0] == tenant]

    def aggregators(self, tenant: str) -> list[AggregatorWord]:
        """Newest reports of aggregators, by name."""
        return [self._aggregators[name] for name in sorted(self._aggregators) if name[0] == tenant]

    def is_alive(self, word: NodeWord | AggregatorWord) -> bool:
        """Whether it was heard a short while ago."""
        return self._clock.now_us() - word.seen_us < ALIVE_US

    async def load(self) -> None:
        """Take up what the store keeps, so that a node that is away is still shown after a restart."""
        for (role, tenant, name), seen_us, raw in await self._store.reports():
            if role == "node":
                report = control_pb2.NodeReport.FromString(raw or b"")
                self._nodes.setdefault(
                    (tenant, name), NodeWord(tenant=tenant, report=report, seen_us=seen_us)
                )

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
                _log.warning("reports wait for the store", error=str(error))
                await self._clock.sleep(1.0)

    async def keep(self) -> None:
        """Write the reports that are due."""
        highest = max((w.report.generation for w in self._nodes.values()), default=0)
        if highest > self._desired.generation:
            await self._outbid(int(highest))
        now_us = self._clock.now_us()
        due = {
            name: word
            for name, word in self._unkept.items()
            if now_us - self._kept_us.get(name, now_us - KEEP_EVERY_US) >= KEEP_EVERY_US
        }
        await self._write(due, now_us)

    async def keep_all(self) -> None:
        """Write every report that is newer than what the store has."""
        await self._write(dict(self._unkept), self._clock.now_us())

    async def _write(self, words: Mapping[tuple[str, str], NodeWord], now_us: int) -> None:
        if words:
            await self._store.take_reports([report_of(word) for word in words.values()], now_us)
        if any(name not in self._kept_us for name in words):
            self._moved()
        for name, word in words.items():
            self._kept_us[name] = now_us
            if self._unkept.get(name) is word:
                del self._unkept[name]


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


def _origins(report: control_pb2.NodeReport) -> set[bytes]:
    return {journal.origin.SerializeToString() for journal in report.journals}
