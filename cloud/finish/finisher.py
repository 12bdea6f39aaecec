"""The finishing pass: woken by commits, and by the clock for windows that have waited long enough.

Each process finishes what it has committed; what one leaves undone that is gone, the one finishes that keeps house
(docs/adr/0010).
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from cloud.catalog import Catalog, KnownPlan
from cloud.changes import Changes
from cloud.finish.decision import Assignment, Patience, horizon
from cloud.store.finishing import Moved, StepToFinish
from cloud.store.store import Progresses, Store
from fogline.model.clock import NEVER, Clock
from fogline.model.errors import StoreBusy
from fogline.service.histogram import Histogram

GATHER_SECONDS: Final = 0.02
"""After a commit wakes the pass it waits so long for more of them."""
TICK_SECONDS: Final = 1.0
RETIRE_EVERY_US: Final = 10_000_000
DROP_EVERY_US: Final = 600_000_000

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

StepName = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the last pass over a step knew."""

    passed: Mapping[str, int] = field(default_factory=dict)
    assignments: tuple[Assignment, ...] | None = None
    due_us: int | None = None


class Finisher:
    """Brings results up to date, and lets go of what is old."""

    def __init__(
        self,
        store: Store,
        catalog: Catalog,
        clock: Clock,
        changes: Changes,
        *,
        results_keep_us: int,
        keeps: Callable[[], bool],
    ) -> None:
        """``keeps``: whether this process keeps house now for all that share the store."""
        self._keeps = keeps
        self._store = store
        self._catalog = catalog
        self._clock = clock
        self._changes = changes
        self._results_keep_us = results_keep_us
        self._touched: set[tuple[str, str]] = set()
        self._woken = asyncio.Event()
        self._seen: dict[StepName, Seen] = {}
        self._retired_us = NEVER
        self._dropped_us = NEVER
        self._waits_since: float | None = None
        self.durations: Final = Histogram()
        """Of passes, failed ones included. Unit: seconds."""
        self.failures = 0
        """Passes that the store did not let end. Counts only up."""
        self.written = 0
        """Results written. Counts only up."""

    @property
    def lag_s(self) -> float:
        """For how many seconds the oldest commit has waited for its pass, the one under way included; 0: none does."""
        since = self._waits_since
        return 0.0 if since is None else self._clock.monotonic() - since

    def committed(self, tenant: str, plan: str) -> None:
        """Parts of this plan were committed."""
        self._touched.add((tenant, plan))
        if self._waits_since is None:
            self._waits_since = self._clock.monotonic()
        self._woken.set()

    def look_at_all(self) -> None:
        """Something has changed that may concern every plan: nodes came, journals or a process went."""
        self._touched.update((p.row.tenant, p.row.plan) for p in self._catalog.plans())
        self._woken.set()

    async def run(self) -> None:
        """Pass after pass until cancelled."""
        self.look_at_all()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self._woken.wait()
            self._woken.clear()
            await self._clock.sleep(GATHER_SECONDS)
            try:
                await self._finish_timed()
                if self._keeps():
                    await self.retire_old()
            except StoreBusy as error:
                self.failures += 1
                _log.warning("results wait for the store", error=error)
                await self._clock.sleep(TICK_SECONDS)

    async def _finish_timed(self) -> None:
        began = self._clock.monotonic()
        try:
            await self.finish_all()
        finally:
            self.durations.observe(self._clock.monotonic() - began)
        # What was committed during the pass waits since then; when exactly, nobody kept.
        self._waits_since = began if self._touched else None

    async def finish_all(self) -> None:
        """Look once at everything that was touched or is due."""
        now_us = self._clock.now_us()
        for plan in self._catalog.plans():
            name = (plan.row.tenant, plan.row.plan)
            due = any(
                seen.due_us is not None and seen.due_us <= now_us
                for step in plan.layouts
                if (seen := self._seen.get((*name, step))) is not None
            )
            if name in self._touched or due:
                # Taken off first: what is committed while this runs is for the next pass.
                self._touched.discard(name)
                try:
                    await self._finish_plan(plan)
                except BaseException:
                    self._touched.add(name)
                    raise

    async def _finish_plan(self, plan: KnownPlan) -> None:
        progresses = await self._store.progresses(plan.row.tenant, plan.row.plan)
        for step in plan.layouts:
            if await self._finish_step(self.step(plan, step, progresses)):
                self._changes.tell(plan.row.tenant, plan.row.pipeline)

    async def _finish_step(self, step: StepToFinish) -> int:
        name = (step.tenant, step.plan, step.layout.step)
        before = self._seen.get(name, Seen())
        moved = moved_windows(before, step)
        changes = 0
        while True:
            outcome = await self._store.finish(step, moved, self._clock.now_us())
            changes += outcome.changes
            self.written += outcome.changes
            if not outcome.more:
                break
            if moved is not None and outcome.upto_us != NEVER:
                moved = replace(moved, after_us=max(moved.after_us, min(outcome.upto_us, moved.upto_us)))
        self._seen[name] = Seen(passed=step.passed, assignments=step.assignments, due_us=outcome.due_us)
        return changes

    def step(self, plan: KnownPlan, step: str, progresses: Progresses) -> StepToFinish:
        """A step with what is known of its nodes."""
        layout = plan.layouts[step]
        return StepToFinish(
            tenant=plan.row.tenant,
            plan=plan.row.plan,
            pipeline=plan.row.pipeline,
            layout=layout,
            query=plan.queries[step],
            patience=patience_of(plan),
            assignments=progresses.assignments,
            passed=progresses.on_stream(layout.stream),
        )

    async def retire_old(self) -> None:
        """Drop states that nobody may add to any more, and results that were kept long enough."""
        now_us = self._clock.now_us()
        if now_us - self._retired_us < RETIRE_EVERY_US:
            return
        self._retired_us = now_us
        drop = now_us - self._dropped_us >= DROP_EVERY_US
        if drop:
            self._dropped_us = now_us
        for plan in self._catalog.plans():
            tenant, name = plan.row.tenant, plan.row.plan
            progresses = await self._store.progresses(tenant, name)
            for layout in plan.layouts.values():
                passed = progresses.on_stream(layout.stream)
                before_us = horizon(progresses.assignments, passed, patience_of(plan), now_us)
                while await self._store.retire_states(tenant, name, layout, before_us):
                    pass
                while drop and await self._store.drop_results(
                    tenant, name, layout, now_us - self._results_keep_us
                ):
                    pass


def patience_of(plan: KnownPlan) -> Patience:
    """How long a plan waits and keeps."""
    content = plan.content
    return Patience(disorder_us=content.disorder_us, wait_us=content.wait_us, keep_us=content.keep_us)


def moved_windows(before: Seen, step: StepToFinish) -> Moved | None:
    """Which windows a node may have passed since the last pass; all of them if others are expected."""
    if before.assignments != step.assignments:
        return Moved(after_us=NEVER, upto_us=2**63 - 1)
    moved = {
        node: (before.passed.get(node, NEVER), passed)
        for node, passed in step.passed.items()
        if passed != before.passed.get(node, NEVER)
    }
    if not moved:
        return None
    return Moved(
        after_us=min(min(pair) for pair in moved.values()), upto_us=max(max(pair) for pair in moved.values())
    )
