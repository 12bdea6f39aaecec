"""The plans that are known, in memory: read from the store after every change of them, by any process."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from cloud.signing.signer import Signer
from cloud.store.book import PipelineRow, PlanRow, Stage
from cloud.store.releases import ReleaseRow
from cloud.store.rows import Layout, layouts_of
from cloud.store.store import Shelf, Store
from fogline.control.desired import Desired
from fogline.control.word import Word
from fogline.model.plan import Plan, WindowQuery
from fogline.v1 import control_pb2, plan_pb2
from fogline.wire.plan import plan_from_wire

NO_LAYOUTS: Final[Mapping[str, Layout]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPlan:
    """A plan with its content."""

    row: PlanRow
    content: Plan
    layouts: Mapping[str, Layout]
    """Of its window steps."""
    queries: Mapping[str, WindowQuery]
    release: ReleaseRow | None = None
    """The newest one; None: it never had operators or services."""
    term: int = 1
    """In which aggregators assign."""

    def grant(self) -> control_pb2.Grant | None:
        """Within which limits its operators and services run; None: there are none.

        No aggregators yet: until placement exists every node runs what it is granted by itself.
        """
        if self.release is None or not self.release.wire:
            return None
        grant = control_pb2.Grant.FromString(self.release.wire)
        grant.plan, grant.release, grant.term = self.row.plan, self.release.number, self.term
        return grant


class Catalog:
    """What runs, by the store's word; also holds the desired state that follows from it."""

    def __init__(self, signer: Signer | None = None) -> None:
        """``signer``: signs desired state; without one nobody can be told it."""
        self._signer: Final = signer
        self._plans: dict[tuple[str, str], KnownPlan] = {}
        self._pipelines: dict[tuple[str, str], PipelineRow] = {}
        self._turn = asyncio.Lock()
        self._edition = -1
        self.desired: Final = Desired()

    @property
    def edition(self) -> int:
        """The edition of the shelf that was read last."""
        return self._edition

    def plan(self, tenant: str, plan: str) -> KnownPlan | None:
        """A plan by its name."""
        return self._plans.get((tenant, plan))

    def layouts(self, tenant: str, plan: str) -> Mapping[str, Layout]:
        """Layouts of a plan's window steps; none for a plan that is not known."""
        known = self.plan(tenant, plan)
        return NO_LAYOUTS if known is None else known.layouts

    def plans(self, tenant: str | None = None) -> list[KnownPlan]:
        """Every plan, oldest first."""
        return [plan for plan in self._plans.values() if tenant in (None, plan.row.tenant)]

    def running(self, tenant: str | None = None) -> list[KnownPlan]:
        """The plans that nodes are to run, oldest first."""
        return [plan for plan in self.plans(tenant) if plan.row.runs]

    def pipeline(self, tenant: str, name: str) -> PipelineRow | None:
        """A pipeline by its public name."""
        return self._pipelines.get((tenant, name))

    def pipelines(self, tenant: str | None = None) -> list[PipelineRow]:
        """Every pipeline, by name."""
        return [row for row in self._pipelines.values() if tenant in (None, row.tenant)]

    def candidates(self) -> list[tuple[KnownPlan, KnownPlan]]:
        """(public, newest) of each pipeline whose newest plan is not public yet."""
        pairs = []
        for row in self._pipelines.values():
            public, newest = self.plan(row.tenant, row.public), self.plan(row.tenant, row.newest)
            if row.public != row.newest and public is not None and newest is not None:
                pairs.append((public, newest))
        return pairs

    def replaced(self) -> list[KnownPlan]:
        """Plans that run on until late readings of their last windows are in."""
        return [plan for plan in self._plans.values() if plan.row.stage is Stage.REPLACED]

    async def refresh(self, store: Store) -> None:
        """Read everything again."""
        # One after the other: of two answers the older must not be taken last.
        async with self._turn:
            self._take(await store.shelf())

    async def know(self, store: Store, tenant: str, plans: Iterable[str]) -> None:
        """See to it that these plans are known, which another process may just have deployed."""
        if any(self.plan(tenant, plan) is None for plan in plans):
            await self.refresh(store)

    def _take(self, shelf: Shelf) -> None:
        self._edition = shelf.edition
        releases = {(row.tenant, row.plan): row for row in shelf.releases}
        self._plans = {
            name: self._known(row, releases.get(name), shelf.term)
            for row in shelf.plans
            for name in [(row.tenant, row.plan)]
        }
        self._pipelines = {(row.tenant, row.name): row for row in shelf.pipelines}
        state = control_pb2.DesiredState(
            generation=shelf.generation,
            plans=[
                control_pb2.DesiredPlan(id=plan.row.plan, plan=plan_pb2.Plan.FromString(plan.row.wire))
                for plan in self.running()
            ],
            grants=[grant for plan in self.running() if (grant := plan.grant()) is not None],
            deposed=shelf.deposed,
        )
        if not Word(state=state).replaces(self.desired.word):
            return
        if self._signer is not None and shelf.keys:
            self.desired.offer(self._signer.word(state, shelf.keys))
        else:
            self.desired.offer(Word(state=state))

    def _known(self, row: PlanRow, release: ReleaseRow | None, term: int) -> KnownPlan:
        before = self._plans.get((row.tenant, row.plan))
        if before is not None:
            return replace(before, row=row, release=release, term=term)
        content = plan_from_wire(plan_pb2.Plan.FromString(row.wire))
        return KnownPlan(
            row=row,
            content=content,
            layouts=layouts_of(content),
            queries={s.name: s.query for s in content.steps if isinstance(s.query, WindowQuery)},
            release=release,
            term=term,
        )
