"""The node's word about itself, each second: what it runs, what its journal holds, where every message
went.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from fog_node.containers import Containers
from fog_node.ingest.broker import Brokers, BrokerStanding
from fog_node.ingest.listener import Listener
from fog_node.journal.journal import Journal
from fog_node.journal.values import OriginState
from fog_node.operators.gateway import Operators
from fog_node.plans import NodePlans
from fog_node.settings import NodeSettings
from fog_node.steps.lane import PlanLane
from fog_node.told import Told
from fogline import __version__
from fogline.identity.shown import Shown
from fogline.model.clock import Clock
from fogline.model.errors import NotFound
from fogline.model.gap import Gap
from fogline.model.part import Origin
from fogline.model.protocol import PROTOCOL
from fogline.model.words import plain
from fogline.uplink.cursor import Place
from fogline.uplink.uplink import Uplink
from fogline.v1 import control_pb2
from fogline.wire.origins import origin_to_wire

LETTERS: Final = 20


class Counting(Protocol):
    """What knows how many messages a journal holds."""

    async def pending(self, origin: Origin, offset: int, end: int) -> int:
        """Those of [offset, end) that can be read."""
        ...


class Reporter:
    """Gathers the report. What must be read from the journal is read in :meth:`refresh`."""

    def __init__(
        self,
        settings: NodeSettings,
        *,
        journal: Journal,
        plans: NodePlans,
        operators: Operators,
        containers: Containers,
        told: Told,
        shown: Shown,
        uplink: Uplink,
        clock: Clock,
    ) -> None:
        self._settings: Final = settings
        self._name: Final = settings.name
        self._journal: Final = journal
        self._plans: Final = plans
        self._operators: Final = operators
        self._containers: Final = containers
        self._told: Final = told
        self._shown: Final = shown
        self._uplink: Final = uplink
        self._clock: Final = clock
        self._newest = control_pb2.NodeReport(node=settings.name, version=__version__)

    @property
    def newest(self) -> control_pb2.NodeReport:
        """The newest report."""
        return self._newest

    @property
    def refused(self) -> Mapping[str, int]:
        """Words of parents that were not believed, by reason."""
        return self._told.refused

    def request(self) -> control_pb2.AttachRequest:
        """The newest report as the control stream wants it."""
        return control_pb2.AttachRequest(
            protocol=PROTOCOL, child=self._name, role="node", nodes=[self._newest]
        )

    async def refresh(self, listener: Listener, brokers: Brokers) -> None:
        """Make a new report. Its terms belong together: offsets and ends are noted in one instant."""
        states = {s.origin: s for stream in self._plans.router.streams for s in self._journal.origins(stream)}
        places = [
            (lane, states[origin], place)
            for lane in self._plans.lanes
            for origin, place in lane.places.items()
            if origin in states
        ]
        asked = [await self._lane(*place) for place in places]
        usage = self._journal.usage()
        machine = await self._containers.capacity()
        counts, standings = listener.counts(), brokers.standings()
        self._newest = control_pb2.NodeReport(
            node=self._name,
            parent=self._uplink.parent,
            at_us=self._clock.now_us(),
            generation=self._plans.applied.generation,
            faults=self._faults(),
            listener=self._url(listener),
            clients=counts.connections,
            journals=[_journal(state) for state in states.values()],
            lanes=[lane for lane in asked if lane is not None],
            journal_bytes=usage.used,
            journal_limit_bytes=usage.limit,
            unrouted=counts.unrouted + sum(standing.unrouted for standing in standings),
            version=__version__,
            dead_letters=self._letters(),
            brokers=[_broker(standing) for standing in standings],
            steps=self._operators.reports(),
            capacity=machine,
            containers=self._containers.reports(),
            events=self._events(),
        )
        self._told.fill(self._newest)
        self._shown.fill(self._newest)

    def _faults(self) -> list[str]:
        stuck = [f"plan {plan} is stuck: {reason}" for plan, reason in self._uplink.faults.items()]
        damage = [f"{finding.path}: {finding.detail}" for finding in self._journal.findings]
        said = (
            *self._plans.applied.faults,
            *stuck,
            *self._operators.faults(),
            *self._containers.faults(),
            *damage,
        )
        return [plain(fault) for fault in said]

    def _events(self) -> list[control_pb2.ContainerEvent]:
        events = [*self._containers.events(), *self._operators.events()]
        return sorted(events, key=lambda event: event.at_us)

    def _url(self, listener: Listener) -> str:
        if not self._settings.listener.enabled:
            return ""
        scheme = "mqtts" if self._settings.listener.certificate else "mqtt"
        return f"{scheme}://{self._settings.listener.host}:{listener.port}"

    async def _lane(self, lane: PlanLane, state: OriginState, place: Place) -> control_pb2.LaneReport | None:
        origin = state.origin
        try:
            records = self._journal.gaps(lane.plan, origin)
            pending = await uncommitted(self._journal, origin, place.committed, state.end, records)
        except NotFound:
            return None  # the journal let go of a drained epoch in between
        gaps: Counter[str] = Counter()
        for gap in records:
            gaps[gap.reason] += gap.end - gap.first
        return control_pb2.LaneReport(
            plan=lane.plan,
            origin=origin_to_wire(origin),
            start=place.start,
            committed=place.committed,
            pending=pending,
            gaps=gaps,
            watermark_us=lane.watermark_us(origin),
        )

    def _letters(self) -> list[control_pb2.DeadLetter]:
        letters = [letter for lane in self._plans.lanes for letter in lane.letters()]
        newest = sorted(letters, key=lambda letter: letter.arrival_us)[-LETTERS:]
        return [
            control_pb2.DeadLetter(
                stream=letter.stream,
                reason=letter.reason,
                topic=letter.topic,
                payload=letter.payload,
                detail=letter.detail,
                arrival_us=letter.arrival_us,
            )
            for letter in newest
        ]


async def uncommitted(
    journal: Counting, origin: Origin, committed: int, end: int, gaps: Iterable[Gap]
) -> int:
    """Messages [committed, end) that the journal holds, and those of its gaps that it does not hold any more."""
    count = await journal.pending(origin, committed, end)
    for gap in gaps:
        # What is told as a gap is not committed either. A batch that an operator broke on is still there.
        first, last = max(gap.first, committed), min(gap.end, end)
        if first < last:
            count += last - first - await journal.pending(origin, first, last)
    return count


def _journal(state: OriginState) -> control_pb2.JournalReport:
    return control_pb2.JournalReport(
        origin=origin_to_wire(state.origin),
        received=state.counters.received,
        journaled=state.counters.journaled,
        refused=dict(state.counters.refused),
        redelivered=state.counters.redelivered,
        retained=state.counters.retained,
        base=state.base,
        closed=state.closed,
    )


def _broker(standing: BrokerStanding) -> control_pb2.BrokerReport:
    return control_pb2.BrokerReport(
        url=standing.url,
        identity=standing.identity,
        client_id=standing.client_id,
        share=standing.share,
        connected=standing.connected,
        fault=standing.fault,
        messages=standing.messages,
        reconnects=standing.reconnects,
        sessions_lost=standing.sessions_lost,
        dropped=standing.dropped,
        dropped_known=standing.dropped_known,
        warnings=standing.warnings,
    )
