"""What a cloud process counts, for Prometheus. docs/monitoring.md explains each."""

from collections.abc import Mapping
from typing import Final

import structlog

from cloud.access import metrics as access
from cloud.access.desk import Desk
from cloud.api.nodes import Overview
from cloud.board import Board
from cloud.catalog import Catalog, KnownPlan
from cloud.committer import Committer
from cloud.finish.decision import Status
from cloud.finish.finisher import Finisher
from cloud.store.book import Stage
from cloud.store.store import Store
from fogline.intake.metrics import IntakeMetrics
from fogline.intake.servicer import IntakeServicer
from fogline.model.caller import LOCAL
from fogline.model.clock import SECOND, Clock
from fogline.model.errors import FogError
from fogline.service.calls import CallMetrics, Calls
from fogline.service.metrics import Kind, Metric, Snapshot, Source
from fogline.v1 import api_pb2

WATCH_EVERY_S: Final = 10.0
"""How often the store is asked."""
LEDGER_EVERY_S: Final = 60.0
"""How often the ledger is added up, which reads more; also when other plans run than before."""

INTAKE: Final = IntakeMetrics("cloud")
CALLS: Final = CallMetrics("cloud")

_STEP: Final = ("tenant", "pipeline", "stage", "step")

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

TRANSACTIONS = Metric(
    name="fogline_cloud_commit_transactions_total",
    kind=Kind.COUNTER,
    help="Transactions that committed parts.",
)
PARTS = Metric(
    name="fogline_cloud_commit_parts_total",
    kind=Kind.COUNTER,
    help="Parts that were judged in them, those that were refused or known included.",
)
CONTRIBUTIONS = Metric(
    name="fogline_cloud_commit_contributions_total", kind=Kind.COUNTER, help="Contributions of those parts."
)
REFUSALS = Metric(
    name="fogline_cloud_commit_refusals_total",
    kind=Kind.COUNTER,
    help="Parts that were refused, so that their lane begins again where the store stands.",
)
FAILURES = Metric(
    name="fogline_cloud_commit_failures_total",
    kind=Kind.COUNTER,
    help="Transactions that failed; their parts come again.",
)
COMMITS = Metric(
    name="fogline_cloud_commit_seconds",
    kind=Kind.HISTOGRAM,
    help="How long transactions took that commit parts, failed ones included.",
)
QUEUE = Metric(
    name="fogline_cloud_commit_queue_parts", kind=Kind.GAUGE, help="Parts that wait for the next transaction."
)
PASSES = Metric(
    name="fogline_cloud_finish_seconds",
    kind=Kind.HISTOGRAM,
    help="How long passes took that turn committed states into results, failed ones included.",
)
FINISH_LAG = Metric(
    name="fogline_cloud_finish_lag_seconds",
    kind=Kind.GAUGE,
    help="How long the oldest commit has waited for its pass; 0 if none does.",
)
FINISH_FAILURES = Metric(
    name="fogline_cloud_finish_failures_total",
    kind=Kind.COUNTER,
    help="Passes that failed because the store was away; they are made again.",
)
RESULTS = Metric(
    name="fogline_cloud_results_written_total",
    kind=Kind.COUNTER,
    help="Results that were written, new or again.",
)

NODES = Metric(
    name="fogline_cloud_nodes",
    kind=Kind.GAUGE,
    help="Nodes that are known and not retired.",
    labels=("tenant",),
)
NODES_ALIVE = Metric(
    name="fogline_cloud_nodes_alive",
    kind=Kind.GAUGE,
    help="Nodes that were heard a short while ago.",
    labels=("tenant",),
)
NODE_SILENCE = Metric(
    name="fogline_cloud_node_silent_seconds",
    kind=Kind.GAUGE,
    help="How long ago a node was heard last.",
    labels=("tenant", "node"),
    worst=True,
)
NODE_JOURNAL = Metric(
    name="fogline_cloud_node_journal_used_ratio",
    kind=Kind.GAUGE,
    help="How full a node's journal was by its newest report, 0 to 1.",
    labels=("tenant", "node"),
    worst=True,
)
NODE_FAULTS = Metric(
    name="fogline_cloud_node_faults",
    kind=Kind.GAUGE,
    help="Things that a node reported as wrong with itself.",
    labels=("tenant", "node"),
)
AGGREGATORS = Metric(
    name="fogline_cloud_aggregators", kind=Kind.GAUGE, help="Aggregators that are known.", labels=("tenant",)
)
AGGREGATORS_ALIVE = Metric(
    name="fogline_cloud_aggregators_alive",
    kind=Kind.GAUGE,
    help="Aggregators that were heard a short while ago.",
    labels=("tenant",),
)
GENERATION = Metric(
    name="fogline_cloud_desired_generation",
    kind=Kind.GAUGE,
    help="Generation of the desired state that is handed out.",
)
PIPELINES = Metric(
    name="fogline_cloud_pipelines", kind=Kind.GAUGE, help="Pipelines that are deployed.", labels=("tenant",)
)
PLANS = Metric(
    name="fogline_cloud_plans",
    kind=Kind.GAUGE,
    help="Plans by where they stand: candidate, public, replaced, retired.",
    labels=("tenant", "stage"),
)

STORE = Metric(
    name="fogline_cloud_store_available",
    kind=Kind.GAUGE,
    help="1 if the store answered when it was asked last.",
)
WATCHED = Metric(
    name="fogline_cloud_store_watch_age_seconds",
    kind=Kind.GAUGE,
    help="How old the metrics are that are read from the store.",
)
UNSETTLED = Metric(
    name="fogline_cloud_unsettled_windows",
    kind=Kind.GAUGE,
    help="Windows that may still change: open, or closed without all that were expected.",
    labels=(*_STEP, "status"),
)
LATENESS = Metric(
    name="fogline_cloud_open_window_late_seconds",
    kind=Kind.GAUGE,
    help="How long ago the oldest window ended that is still open; 0 if none has ended.",
    labels=_STEP,
    worst=True,
)
DIFFERENCES = Metric(
    name="fogline_cloud_ledger_differences",
    kind=Kind.GAUGE,
    help="Sentences in which the ledger says that it does not add up; 0 is right.",
    labels=("tenant", "pipeline", "stream"),
)
PENDING = Metric(
    name="fogline_cloud_ledger_pending_messages",
    kind=Kind.GAUGE,
    help="Journaled messages that are not committed by the nodes' newest reports; of several plans the most.",
    labels=("tenant", "pipeline", "stream"),
    worst=True,
)


class CloudMetrics:
    """Reads the parts of one cloud process; what the process has no role for is left out."""

    def __init__(
        self,
        *,
        board: Board,
        catalog: Catalog,
        intake: IntakeServicer | None,
        committer: Committer | None,
        finisher: Finisher | None,
        watch: "StoreWatch | None",
        grpc_calls: Calls,
        http_calls: Calls | None,
        desk: Desk | None,
        clock: Clock,
    ) -> None:
        self._board: Final = board
        self._catalog: Final = catalog
        self._intake: Final = intake
        self._committer: Final = committer
        self._finisher: Final = finisher
        self._watch: Final = watch
        self._grpc_calls: Final = grpc_calls
        self._http_calls: Final = http_calls
        self._desk: Final = desk
        self._clock: Final = clock

    @property
    def sources(self) -> Mapping[str, Source]:
        """What is read together, by name."""
        watching = {"store": self._watch.fill} if self._watch is not None else {}
        return {
            "intake": self._taking,
            "commits": self._committing,
            "finishing": self._finishing,
            "machines": self._machines,
            "catalog": self._plans,
            "calls": self._calls,
            **watching,
        }

    def _taking(self, snapshot: Snapshot) -> None:
        if self._intake is not None:
            INTAKE.fill(snapshot, self._intake)

    def _committing(self, snapshot: Snapshot) -> None:
        if self._committer is not None:
            counters = self._committer.counters
            snapshot.add(TRANSACTIONS, counters.transactions)
            snapshot.add(PARTS, counters.parts)
            snapshot.add(CONTRIBUTIONS, counters.contributions)
            snapshot.add(REFUSALS, counters.refusals)
            snapshot.add(FAILURES, counters.failures)
            snapshot.add(COMMITS, self._committer.durations.snapshot())
            snapshot.add(QUEUE, self._committer.waiting)

    def _finishing(self, snapshot: Snapshot) -> None:
        if self._finisher is not None:
            snapshot.add(PASSES, self._finisher.durations.snapshot())
            snapshot.add(FINISH_LAG, self._finisher.lag_s)
            snapshot.add(FINISH_FAILURES, self._finisher.failures)
            snapshot.add(RESULTS, self._finisher.written)

    def _machines(self, snapshot: Snapshot) -> None:
        for tenant in self._tenants():
            nodes, aggregators = self._board.nodes(tenant), self._board.aggregators(tenant)
            snapshot.add(NODES, len(nodes), tenant)
            snapshot.add(NODES_ALIVE, sum(map(self._board.is_alive, nodes)), tenant)
            snapshot.add(AGGREGATORS, len(aggregators), tenant)
            snapshot.add(AGGREGATORS_ALIVE, sum(map(self._board.is_alive, aggregators)), tenant)
            for node in nodes:
                name, report = node.report.node, node.report
                silent_s = max(0.0, (self._clock.now_us() - node.seen_us) / SECOND)
                snapshot.add(NODE_SILENCE, silent_s, tenant, name)
                snapshot.add(NODE_FAULTS, len(report.faults), tenant, name)
                if report.journal_limit_bytes:
                    used = report.journal_bytes / report.journal_limit_bytes
                    snapshot.add(NODE_JOURNAL, used, tenant, name)

    def _plans(self, snapshot: Snapshot) -> None:
        snapshot.add(GENERATION, self._catalog.desired.generation)
        for tenant in self._tenants():
            snapshot.add(PIPELINES, len(self._catalog.pipelines(tenant)), tenant)
            for stage in Stage:
                snapshot.add(PLANS, 0, tenant, stage.value)
        for plan in self._catalog.plans():
            snapshot.add(PLANS, 1, plan.row.tenant, plan.row.stage.value)

    def _calls(self, snapshot: Snapshot) -> None:
        CALLS.fill(snapshot, "grpc", self._grpc_calls)
        if self._http_calls is not None:
            CALLS.fill(snapshot, "http", self._http_calls)
        if self._desk is not None:
            access.fill(snapshot, self._desk)

    def _tenants(self) -> set[str]:
        return {LOCAL.tenant, *(plan.row.tenant for plan in self._catalog.plans())}


class StoreWatch:
    """Asks the store now and then for what only it knows, so that a scrape never waits for it."""

    def __init__(self, store: Store, catalog: Catalog, overview: Overview, clock: Clock) -> None:
        self._store: Final = store
        self._catalog: Final = catalog
        self._overview: Final = overview
        self._clock: Final = clock
        self._newest = Snapshot()
        self._ledger = Snapshot()
        self._added_up_for: set[str] = set()
        self._added_up_at = float("-inf")
        self._looked_us: int | None = None
        self._available = False

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.look()
            except FogError as error:
                if self._available or self._looked_us is None:
                    _log.warning("metrics wait for the store", error=error)
                self._available = False
            await self._clock.sleep(WATCH_EVERY_S)

    async def look(self) -> None:
        """Ask once. Raises FogError if the store is away."""
        self._newest = await self._windows()
        plans = {plan.row.plan for plan in self._catalog.running()}
        if plans != self._added_up_for or self._clock.monotonic() - self._added_up_at >= LEDGER_EVERY_S:
            self._ledger = await self._add_up()
            self._added_up_for, self._added_up_at = plans, self._clock.monotonic()
        self._looked_us, self._available = self._clock.now_us(), True

    def fill(self, snapshot: Snapshot) -> None:
        """What was seen last."""
        snapshot.add(STORE, self._available)
        if self._looked_us is not None:
            snapshot.add(WATCHED, (self._clock.now_us() - self._looked_us) / SECOND)
            snapshot.take(self._newest)
            snapshot.take(self._ledger)

    async def _windows(self) -> Snapshot:
        snapshot, now_us = Snapshot(), self._clock.now_us()
        for plan in self._catalog.running():
            for step in plan.layouts:
                snapshot.add(LATENESS, 0, *_labels(plan, step))
        for row in await self._store.unsettled():
            plan_of = self._catalog.plan(row.tenant, row.plan)
            if plan_of is None or not plan_of.row.runs:
                continue
            labels = _labels(plan_of, row.step)
            snapshot.add(UNSETTLED, row.windows, *labels, row.status.value)
            if row.status is Status.OPEN:
                snapshot.add(LATENESS, max(0.0, (now_us - row.oldest_end_us) / SECOND), *labels)
        return snapshot

    async def _add_up(self) -> Snapshot:
        snapshot = Snapshot()
        ledger = await self._overview.ledger(LOCAL, api_pb2.GetLedgerRequest(), look=False)
        for line in ledger.streams:
            labels = (LOCAL.tenant, line.pipeline, line.stream)
            snapshot.add(DIFFERENCES, len(line.differences), *labels)
            snapshot.add(PENDING, line.pending, *labels)
        return snapshot


def _labels(plan: KnownPlan, step: str) -> tuple[str, str, str, str]:
    # Not the plan's hash: with every deployment there would be new series.
    return plan.row.tenant, plan.row.pipeline, plan.row.stage.value, step
