"""What a node counts, for Prometheus. docs/monitoring.md explains each."""

from collections.abc import Iterator, Mapping
from typing import Final

from fog_node.container_metrics import add_containers
from fog_node.ingest.listener import Listener
from fog_node.journal.journal import Journal
from fog_node.journal.values import CORRUPT, DISK_ERROR, FULL
from fog_node.operators.metrics import OperatorMetrics
from fog_node.plans import NodePlans
from fog_node.report import Reporter
from fog_node.sessions.sessions import ContainerSessions
from fog_node.steps.lane import PlanLane
from fogline.control.client import ControlClient
from fogline.model.clock import NEVER, SECOND, Clock
from fogline.model.gap import CLOUD_ROLLBACK, DETACHED, EXPIRED, OPERATOR_FAILED
from fogline.service.discipline import clock_is_synchronised
from fogline.service.metrics import Kind, Metric, Monotone, Snapshot, Source
from fogline.uplink.metrics import LinkMetrics
from fogline.uplink.uplink import Uplink
from fogline.v1 import control_pb2

LINK: Final = LinkMetrics("node")
OPERATORS: Final = OperatorMetrics()

_LANE: Final = ("pipeline", "role", "stream")

CONNECTIONS = Metric(
    name="fogline_node_listener_connections", kind=Kind.GAUGE, help="Devices that are connected."
)
SESSIONS = Metric(
    name="fogline_node_listener_sessions", kind=Kind.GAUGE, help="Sessions of devices, connected or not."
)
HELD = Metric(
    name="fogline_node_listener_held_bytes",
    kind=Kind.GAUGE,
    help="Bytes read from devices and not yet on disk.",
)
ADMITTED = Metric(
    name="fogline_node_listener_admitted_total", kind=Kind.COUNTER, help="Devices that were let in."
)
TURNED_AWAY = Metric(
    name="fogline_node_listener_refused_total",
    kind=Kind.COUNTER,
    help="Connections that were turned away before they were let in.",
    labels=("reason",),
)
ENDED = Metric(
    name="fogline_node_listener_ended_total",
    kind=Kind.COUNTER,
    help="Connections that the listener ended.",
    labels=("reason",),
)
TAKEN = Metric(
    name="fogline_node_listener_messages_total",
    kind=Kind.COUNTER,
    help="Messages from devices, whatever became of them.",
)
UNROUTED = Metric(
    name="fogline_node_unrouted_messages_total",
    kind=Kind.COUNTER,
    help="Messages whose topic belongs to no stream.",
)
WILLS = Metric(
    name="fogline_node_listener_undelivered_wills_total",
    kind=Kind.COUNTER,
    help="Wills of devices that no stream took.",
)

BROKER_CONNECTED = Metric(
    name="fogline_node_broker_connected",
    kind=Kind.GAUGE,
    help="1 while the node is subscribed to the broker, else 0.",
    labels=("broker",),
)
BROKER_MESSAGES = Metric(
    name="fogline_node_broker_messages_total",
    kind=Kind.COUNTER,
    help="Messages from the broker, whatever became of them.",
    labels=("broker",),
)
BROKER_RECONNECTS = Metric(
    name="fogline_node_broker_reconnects_total",
    kind=Kind.COUNTER,
    help="Connections to the broker after the first.",
    labels=("broker",),
)
BROKER_SESSIONS_LOST = Metric(
    name="fogline_node_broker_sessions_lost_total",
    kind=Kind.COUNTER,
    help="Sessions that the broker had forgotten when the node came back, with all that was queued in them.",
    labels=("broker",),
)
BROKER_DROPPED = Metric(
    name="fogline_node_broker_dropped_messages_total",
    kind=Kind.COUNTER,
    help="Messages that the broker says it dropped, for whichever subscriber; missing if it does not say.",
    labels=("broker",),
)
BROKER_WARNINGS = Metric(
    name="fogline_node_broker_warnings",
    kind=Kind.GAUGE,
    help="Risks that the node sees in how the broker is set up.",
    labels=("broker",),
)

RECEIVED = Metric(
    name="fogline_node_messages_received_total",
    kind=Kind.COUNTER,
    help="Messages of a stream, journaled or refused; kept across restarts.",
    labels=("stream",),
)
JOURNALED = Metric(
    name="fogline_node_messages_journaled_total",
    kind=Kind.COUNTER,
    help="Messages of a stream that are in the journal or were; kept across restarts.",
    labels=("stream",),
)
REFUSED = Metric(
    name="fogline_node_messages_refused_total",
    kind=Kind.COUNTER,
    help="Messages of a stream that the journal did not take; kept across restarts.",
    labels=("stream", "reason"),
)
REDELIVERED = Metric(
    name="fogline_node_messages_redelivered_total",
    kind=Kind.COUNTER,
    help="Deliveries that were recognised as repeats; kept across restarts.",
    labels=("stream",),
)
RETAINED = Metric(
    name="fogline_node_messages_retained_total",
    kind=Kind.COUNTER,
    help="Deliveries that were recognised as retained messages seen before; kept across restarts.",
    labels=("stream",),
)
JOURNAL_USED = Metric(
    name="fogline_node_journal_used_bytes", kind=Kind.GAUGE, help="Disk used by the journal's blocks."
)
JOURNAL_LIMIT = Metric(
    name="fogline_node_journal_limit_bytes", kind=Kind.GAUGE, help="Disk that the journal may use."
)
STREAM_USED = Metric(
    name="fogline_node_journal_stream_used_bytes",
    kind=Kind.GAUGE,
    help="Disk used by a stream's blocks.",
    labels=("stream",),
)
STREAM_QUOTA = Metric(
    name="fogline_node_journal_stream_quota_bytes",
    kind=Kind.GAUGE,
    help="Disk that a stream's blocks may use.",
    labels=("stream",),
)
STREAM_UNCOMMITTED = Metric(
    name="fogline_node_journal_stream_uncommitted_bytes",
    kind=Kind.GAUGE,
    help="Disk used by a stream's blocks that some plan still needs: what fills while the cloud is away.",
    labels=("stream",),
)
COMMITS = Metric(
    name="fogline_node_journal_commit_seconds",
    kind=Kind.HISTOGRAM,
    help="Group commits of the journal: write and sync.",
)
DAMAGES = Metric(
    name="fogline_node_journal_findings",
    kind=Kind.GAUGE,
    help="What was wrong in the journal's files since the start.",
)

PENDING = Metric(
    name="fogline_node_pending_messages",
    kind=Kind.GAUGE,
    help="Messages that the journal holds and the cloud has not committed.",
    labels=_LANE,
)
PENDING_AGE = Metric(
    name="fogline_node_oldest_pending_seconds",
    kind=Kind.GAUGE,
    help="How long ago the oldest of them arrived; 0 if there is none.",
    labels=_LANE,
    worst=True,
)
COMMITTED = Metric(
    name="fogline_node_committed_messages_total",
    kind=Kind.COUNTER,
    help="Messages of which the cloud's commit was heard.",
    labels=_LANE,
)
READ = Metric(
    name="fogline_node_read_messages_total",
    kind=Kind.COUNTER,
    help="Messages that were decoded; after a restart or refusal some again.",
    labels=_LANE,
)
DEAD = Metric(
    name="fogline_node_dead_readings_total",
    kind=Kind.COUNTER,
    help="Readings that made no sense, as often as they were decoded.",
    labels=(*_LANE, "reason"),
)
GAPS = Metric(
    name="fogline_node_gap_messages_total",
    kind=Kind.COUNTER,
    help="Journaled messages that a plan will never see.",
    labels=(*_LANE, "reason"),
)
LAG = Metric(
    name="fogline_node_watermark_lag_seconds",
    kind=Kind.GAUGE,
    help="How far the event time that is believed complete lies behind the clock.",
    labels=_LANE,
    worst=True,
)
PLANS = Metric(name="fogline_node_plans", kind=Kind.GAUGE, help="Plans that run.")
FAULTS = Metric(
    name="fogline_node_faults", kind=Kind.GAUGE, help="Things that the node reports as wrong with itself."
)
GENERATION = Metric(
    name="fogline_node_desired_generation",
    kind=Kind.GAUGE,
    help="Generation of the desired state that is applied.",
)
SYNCHRONISED = Metric(
    name="fogline_node_clock_synchronised",
    kind=Kind.GAUGE,
    help="1 if the kernel says that a time service sets the clock, else 0.",
)


class NodeMetrics:
    """Reads the parts of one node."""

    def __init__(
        self,
        *,
        listener: Listener,
        journal: Journal,
        plans: NodePlans,
        reporter: Reporter,
        uplink: Uplink,
        control: ControlClient,
        visits: ContainerSessions,
        clock: Clock,
    ) -> None:
        self._listener: Final = listener
        self._journal: Final = journal
        self._plans: Final = plans
        self._reporter: Final = reporter
        self._uplink: Final = uplink
        self._control: Final = control
        self._visits: Final = visits
        self._clock: Final = clock
        self._gaps: Final = Monotone()

    @property
    def sources(self) -> Mapping[str, Source]:
        """What is read together, by name."""
        return {
            "listener": self._listening,
            "brokers": self._brokers,
            "journal": self._journaling,
            "lanes": self._lanes,
            "operators": self._operators,
            "link": lambda snapshot: LINK.fill(snapshot, self._uplink, self._control, self._reporter.refused),
            "node": self._node,
            "containers": lambda snapshot: add_containers(
                snapshot, self._reporter.newest.containers, self._plans.lanes, self._visits
            ),
        }

    def _listening(self, snapshot: Snapshot) -> None:
        counts = self._listener.counts()
        snapshot.add(CONNECTIONS, counts.connections)
        snapshot.add(SESSIONS, counts.sessions)
        snapshot.add(HELD, counts.bytes_in_hand)
        snapshot.add(ADMITTED, counts.admitted)
        for metric, reasons in ((TURNED_AWAY, counts.refused), (ENDED, counts.ended)):
            for reason, count in reasons.items():
                snapshot.add(metric, count, reason)
        snapshot.add(TAKEN, counts.messages)
        snapshot.add(UNROUTED, self._reporter.newest.unrouted)
        snapshot.add(WILLS, counts.undelivered_wills)

    def _brokers(self, snapshot: Snapshot) -> None:
        for broker in self._reporter.newest.brokers:
            snapshot.add(BROKER_CONNECTED, broker.connected, broker.url)
            snapshot.add(BROKER_MESSAGES, broker.messages, broker.url)
            snapshot.add(BROKER_RECONNECTS, broker.reconnects, broker.url)
            snapshot.add(BROKER_SESSIONS_LOST, broker.sessions_lost, broker.url)
            snapshot.add(BROKER_WARNINGS, len(broker.warnings), broker.url)
            if broker.dropped_known:
                snapshot.add(BROKER_DROPPED, broker.dropped, broker.url)

    def _journaling(self, snapshot: Snapshot) -> None:
        usage = self._journal.usage()
        snapshot.add(JOURNAL_USED, usage.used)
        snapshot.add(JOURNAL_LIMIT, usage.limit)
        snapshot.add(COMMITS, self._journal.commits)
        snapshot.add(DAMAGES, len(self._journal.findings))
        for stream in self._plans.router.streams:
            counters, used = self._journal.counters(stream), self._journal.stream_usage(stream)
            snapshot.add(RECEIVED, counters.received, stream)
            snapshot.add(JOURNALED, counters.journaled, stream)
            snapshot.add(REDELIVERED, counters.redelivered, stream)
            snapshot.add(RETAINED, counters.retained, stream)
            for reason in (FULL, DISK_ERROR, *counters.refused.keys() - {FULL, DISK_ERROR}):
                snapshot.add(REFUSED, counters.refused.get(reason, 0), stream, reason)
            snapshot.add(STREAM_USED, used.used, stream)
            snapshot.add(STREAM_QUOTA, used.limit, stream)
            snapshot.add(STREAM_UNCOMMITTED, self._journal.uncommitted_bytes(stream), stream)

    def _lanes(self, snapshot: Snapshot) -> None:
        lanes = {lane.plan: (lane, role) for lane, role in roles(self._plans.lanes)}
        for lane, role in lanes.values():
            for stream, reader in lane.readers.items():
                labels = (lane.spec.pipeline, role, stream)
                snapshot.add(READ, reader.read_messages, *labels)
                snapshot.add(COMMITTED, lane.committed[stream], *labels)
                for reason in (EXPIRED, CORRUPT, DETACHED, CLOUD_ROLLBACK, OPERATOR_FAILED):
                    snapshot.add(GAPS, 0, *labels, reason)  # so that the first one is seen as growth
                for reason, count in reader.dead.items():
                    snapshot.add(DEAD, count, *labels, reason)
            for origin, place in lane.places.items():
                labels = (lane.spec.pipeline, role, origin.stream)
                waits = place.committed < place.end
                arrived_us = self._journal.arrival(origin, place.committed) if waits else None
                snapshot.add(PENDING_AGE, self._ago(arrived_us), *labels)
                watermark_us = lane.watermark_us(origin)
                if watermark_us != NEVER and not place.closed:
                    snapshot.add(LAG, self._ago(watermark_us), *labels)
        told = [report for report in self._reporter.newest.lanes if report.plan in lanes]
        for report in told:
            lane, role = lanes[report.plan]
            snapshot.add(PENDING, report.pending, lane.spec.pipeline, role, report.origin.stream)
        self._gaps.look(
            ((lane.spec.pipeline, role, report.origin.stream, reason), owner_of(report), messages)
            for report in told
            for lane, role in (lanes[report.plan],)
            for reason, messages in report.gaps.items()
        )
        for names, messages in self._gaps.totals.items():
            snapshot.add(GAPS, messages, *names)

    def _operators(self, snapshot: Snapshot) -> None:
        lanes = {lane.plan: (lane, role) for lane, role in roles(self._plans.lanes)}
        for report in self._reporter.newest.steps:
            if report.plan in lanes:
                lane, role = lanes[report.plan]
                OPERATORS.fill(snapshot, report, lane.spec.pipeline, role)

    def _node(self, snapshot: Snapshot) -> None:
        snapshot.add(PLANS, len(self._plans.lanes))
        snapshot.add(FAULTS, len(self._reporter.newest.faults))
        snapshot.add(GENERATION, self._plans.applied.generation)
        synchronised = clock_is_synchronised()
        if synchronised is not None:
            snapshot.add(SYNCHRONISED, synchronised)

    def _ago(self, instant_us: int | None) -> float:
        return 0.0 if instant_us is None else max(0.0, (self._clock.now_us() - instant_us) / SECOND)


def roles(lanes: tuple[PlanLane, ...]) -> Iterator[tuple[PlanLane, str]]:
    """Each lane with ``newest``, or ``older`` for those that a newer plan of their pipeline replaces.

    Not the plan's hash: with every deployment there would be new series.
    """
    newest = {lane.spec.pipeline: lane for lane in lanes}
    for lane in lanes:
        yield lane, "newest" if newest[lane.spec.pipeline] is lane else "older"


def owner_of(report: control_pb2.LaneReport) -> tuple[str, bytes]:
    """Whose numbers a lane's report has."""
    return report.plan, report.origin.epoch
