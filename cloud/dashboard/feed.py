"""What the page shows, as one value: asked for once a second however many browsers look."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import fogline
from cloud.api.nodes import Overview
from cloud.board import AggregatorWord, Board, NodeWord
from cloud.catalog import Catalog, KnownPlan
from cloud.committer import CommitCounters
from cloud.dashboard.rates import Rates, total
from cloud.store.results import LiveStep, Result
from cloud.store.store import Store
from fogline.model.caller import Caller
from fogline.model.clock import Clock
from fogline.model.plan import Scalar
from fogline.v1 import api_pb2

FRESH_SECONDS: Final = 0.9
WINDOWS: Final = 40
KEYS: Final = 12
MACHINES: Final = 12
PIPELINES: Final = 20
LEDGER_EVERY: Final = 3
"""The ledger reads whole tables; it is asked for every so many looks."""

Json = dict[str, Any]


class Feed:
    """Puts the page's value together from the services, and remembers what rates and sums need."""

    def __init__(
        self,
        *,
        store: Store,
        catalog: Catalog,
        board: Board,
        overview: Overview,
        commits: CommitCounters,
        clock: Clock,
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._board = board
        self._overview = overview
        self._commits = commits
        self._clock = clock
        self._rates = Rates()
        self._turn = asyncio.Lock()
        self._newest: Json = {}
        self._looked = float("-inf")
        self._looks = 0
        self._ledger: list[Json] = []

    async def live(self, caller: Caller) -> Json:
        """The newest value; made anew when it is older than a second."""
        async with self._turn:
            if self._clock.monotonic() - self._looked >= FRESH_SECONDS:
                self._newest = await self._look(caller)
                self._looked = self._clock.monotonic()
                self._rates.forget(self._clock.now_us())
        return self._newest

    async def _look(self, caller: Caller) -> Json:
        if self._looks % LEDGER_EVERY == 0:
            self._ledger = [ledger_line(line) for line in await self._overview.ledger(caller, "")]
        self._looks += 1
        nodes = self._board.nodes(caller.tenant)
        aggregators = self._board.aggregators(caller.tenant)
        shown = [self._node(word) for word in nodes]
        merging = [self._aggregator(word) for word in aggregators]
        pipelines = self._catalog.pipelines(caller.tenant)
        return {
            "version": fogline.__version__,
            "incarnation": self._store.incarnation.hex(),
            "generation": self._catalog.desired.generation,
            "cloud": await self._cloud(caller),
            "nodes": _first(shown),
            "nodes_total": len(nodes),
            "nodes_alive": sum(node["alive"] for node in shown),
            "message_rate": total(node["rate"] for node in shown),
            "aggregators": _first(merging),
            "aggregators_total": len(aggregators),
            "part_rate": total(each["rate_out"] for each in merging),
            "pipelines": [
                await self._pipeline(caller, row.public, newest=row.newest) for row in pipelines[:PIPELINES]
            ],
            "pipelines_total": len(pipelines),
            "ledger": self._ledger,
        }

    async def _cloud(self, caller: Caller) -> Json:
        now_us = self._clock.now_us()
        readings = await self._store.readings(caller.tenant)
        return {
            "readings": readings,
            "reading_rate": self._rates.per_second("readings", readings, now_us),
            "commit_rate": self._rates.per_second("commits", self._commits.transactions, now_us),
            "contribution_rate": self._rates.per_second("contributions", self._commits.contributions, now_us),
        }

    def _node(self, word: NodeWord) -> Json:
        report, alive = word.report, self._board.is_alive(word)
        rates = [
            self._rates.per_second((report.node, j.origin.stream, j.origin.epoch), j.journaled, report.at_us)
            for j in report.journals
        ]
        return {
            "name": report.node,
            "alive": alive,
            "rate": total(rates) if alive else 0.0,
            "clients": report.clients,
            "pending": max((lane.pending for lane in report.lanes), default=0),
            "journal_bytes": report.journal_bytes,
            "limit_bytes": report.journal_limit_bytes,
            "unrouted": report.unrouted,
            "faults": list(report.faults[:3]),
        }

    def _aggregator(self, word: AggregatorWord) -> Json:
        report, alive = word.report, self._board.is_alive(word)
        rate_in = self._rates.per_second((report.aggregator, "in"), report.parts_in, report.at_us)
        rate_out = self._rates.per_second((report.aggregator, "out"), report.parts_out, report.at_us)
        return {
            "name": report.aggregator,
            "alive": alive,
            "children": len(report.children),
            "rate_in": rate_in if alive else 0.0,
            "rate_out": rate_out if alive else 0.0,
            "held_bytes": report.held_bytes,
            "refusals": report.refusals,
        }

    async def _pipeline(self, caller: Caller, plan: str, *, newest: str) -> Json:
        known = self._catalog.plan(caller.tenant, plan)
        assert known is not None
        return {
            "name": known.row.pipeline,
            "plan": plan,
            "next": newest != plan,
            "steps": [await self._step(known, step) for step in known.layouts],
        }

    async def _step(self, plan: KnownPlan, step: str) -> Json:
        live = await self._store.live(plan.row.tenant, plan.row.plan, step, windows=WINDOWS, keys=KEYS)
        query = plan.queries[step]
        outputs = [named.name for named in query.outputs]
        spark = _charted(live, len(outputs))
        starts = [window.start_us for window in live.windows]
        return {
            "name": step,
            "width": query.width_us,
            "keys": [key.name for key in query.keys],
            "outputs": outputs,
            "spark": "" if spark is None else outputs[spark],
            "windows": [
                {
                    "start": window.start_us,
                    "end": window.end_us,
                    "readings": window.readings,
                    "status": window.standing.status.value,
                    "have": window.standing.have,
                    "expected": window.standing.expected,
                    "missing": list(window.standing.missing[:20]),
                    "revision": window.standing.revision,
                }
                for window in live.windows
            ],
            "shown": live.shown_us,
            "keys_total": live.keys,
            "rows": [
                {
                    "key": list(row.key),
                    "values": list(row.values),
                    "spark": [] if spark is None else _points(live.history, row, spark, starts),
                }
                for row in live.rows
            ],
        }


def _points(history: Sequence[Result], row: Result, output: int, starts: Sequence[int]) -> list[Scalar]:
    """One output of one key in each window; None where the key has no row."""
    values = {result.start_us: result.values[output] for result in history if result.key == row.key}
    return [values.get(start) for start in starts]


def _charted(live: LiveStep, outputs: int) -> int | None:
    """Which output the small charts show: the first with a fraction, as averages have, else the first
    number.
    """
    kinds = [{type(row.values[at]) for row in live.rows} for at in range(outputs)]
    for kind in (float, int):
        for at, found in enumerate(kinds):
            if kind in found:
                return at
    return None


def _first(machines: list[Json]) -> list[Json]:
    """The ones that are away first: whoever looks at many machines looks for those."""
    return sorted(machines, key=lambda machine: machine["alive"])[:MACHINES]


def ledger_line(line: api_pb2.StreamLedger) -> Json:
    """A stream's ledger as the page takes it."""
    return {
        "pipeline": line.pipeline,
        "plan": line.plan,
        "stream": line.stream,
        "received": line.received,
        "journaled": line.journaled,
        "refused": dict(line.refused),
        "before_start": line.before_start,
        "committed": line.committed,
        "pending": line.pending,
        "gap": dict(line.gap),
        "adds_up": line.adds_up,
        "differences": list(line.differences[:8]),
        "steps": [
            {
                "step": step.step,
                "decoded": step.decoded,
                "counted": step.counted,
                "filtered": step.filtered,
                "dead": dict(step.dead),
                "too_late": dict(step.too_late),
            }
            for step in line.steps
        ],
    }
