"""Plans, public names, nodes and who is assigned to what: read and changed in the caller's transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import Connection, and_, delete, func, select, update

from cloud.store import schema
from cloud.store.backend import Backend
from cloud.store.releases import NewPlan, Releases
from fogline.model.clock import NEVER
from fogline.model.errors import Unavailable


class Stage(Enum):
    """Where a plan stands in its pipeline's life.

    candidate ──→ public ──→ replaced ──→ retired
        └──────── a newer plan was deployed ──↑
    """

    CANDIDATE = "candidate"
    """Runs beside the public plan until it has what that one has."""
    PUBLIC = "public"
    """Its results bear the pipeline's name."""
    REPLACED = "replaced"
    """Runs on until late readings of its last windows are in."""
    RETIRED = "retired"
    """Runs nowhere; its results are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """A plan as the store keeps it."""

    tenant: str
    plan: str
    pipeline: str
    wire: bytes
    """The serialised ``fogline.v1.Plan``."""
    deployed_us: int
    stage: Stage
    replaced_us: int | None = None

    @property
    def runs(self) -> bool:
        """Whether nodes are to run it."""
        return self.stage is not Stage.RETIRED


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineRow:
    """A public name: the plan that bears it, and the newest one."""

    tenant: str
    name: str
    public: str
    newest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What deploying did."""

    generation: int
    changed: bool
    release: int
    """Number of the plan's newest release; 0: it never had operators or services."""


class Overtaken(Unavailable):
    """Plans, names or assignments have changed since the caller looked: look again."""

    code = "overtaken"


class Book:
    """Reads and changes plans, pipelines and assignments in one transaction.

    Every change begins with :meth:`turn`, which makes those of other processes wait.
    """

    def __init__(self, connection: Connection, backend: Backend, now_us: int) -> None:
        self._connection = connection
        self._backend = backend
        self._now_us = now_us

    def plans(self) -> list[PlanRow]:
        """Every plan, oldest first."""
        table = schema.plans
        rows = self._connection.execute(select(table).order_by(table.c.deployed_us, table.c.plan))
        return [
            PlanRow(
                tenant=row.tenant,
                plan=row.plan,
                pipeline=row.pipeline,
                wire=row.wire,
                deployed_us=row.deployed_us,
                stage=Stage(row.stage),
                replaced_us=row.replaced_us,
            )
            for row in rows
        ]

    def pipelines(self) -> list[PipelineRow]:
        """Every public name."""
        table = schema.pipelines
        rows = self._connection.execute(select(table).order_by(table.c.tenant, table.c.name))
        return [
            PipelineRow(tenant=row.tenant, name=row.name, public=row.public, newest=row.newest)
            for row in rows
        ]

    def generation(self) -> int:
        """Generation of desired state."""
        return int(self._connection.execute(select(schema.store.c.generation)).scalar_one())

    def edition(self) -> int:
        """Number of the last change of plans, names or assignments."""
        return int(self._connection.execute(select(schema.store.c.edition)).scalar_one())

    def turn(self, edition: int | None = None) -> None:
        """Begin a change: until the transaction ends nobody else can.

        Raises :class:`Overtaken` if the caller's view is of an ``edition`` that is over.
        """
        row = select(schema.store.c.edition).with_for_update()
        now = int(self._connection.execute(row).scalar_one())
        if edition not in (None, now):
            raise Overtaken("the plans have just been changed by another process")

    def changed(self) -> None:
        """Something was changed: other processes will look."""
        table = schema.store
        self._connection.execute(update(table).values(edition=table.c.edition + 1))

    def raise_generation(self, at_least: int = 0) -> int:
        """Count the generation up, beyond ``at_least`` too; the new one. Its transaction has the turn."""
        generation = max(self.generation(), at_least) + 1
        self._connection.execute(update(schema.store).values(generation=generation))
        self.changed()
        return generation

    def term(self) -> int:
        """In which aggregators assign now."""
        return int(self._connection.execute(select(schema.store.c.term)).scalar_one())

    def raise_term(self) -> int:
        """Depose whoever assigns, with a new generation; the new term. Its transaction has the turn."""
        table = schema.store
        self._connection.execute(update(table).values(term=table.c.term + 1))
        self.raise_generation()
        return self.term()

    def deploy(self, new: NewPlan, edition: int | None) -> Deployment:
        """Make a plan its pipeline's newest; older ones that are not public yet are given up."""
        self.turn(edition)
        number, released = Releases(self._connection, self._now_us).release(new)
        pipelines = {(p.tenant, p.name): p for p in self.pipelines()}
        pipeline = pipelines.get((new.tenant, new.pipeline))
        if pipeline is not None and pipeline.newest == new.plan:
            generation = self.raise_generation() if released else self.generation()
            return Deployment(generation=generation, changed=released, release=number)
        plans = [p for p in self.plans() if (p.tenant, p.pipeline) == (new.tenant, new.pipeline)]
        for plan in plans:
            if plan.stage is Stage.CANDIDATE and plan.plan != new.plan:
                self._stop(plan.tenant, plan.plan)
        known = {p.plan: p.stage for p in plans}
        if pipeline is None:
            self._name(new)
        else:
            self._rename(new.tenant, new.pipeline, newest=new.plan)
        if new.plan not in known:
            self._insert(new, Stage.PUBLIC if pipeline is None else Stage.CANDIDATE)
        elif known[new.plan] is not Stage.PUBLIC:
            self._stage(new.tenant, new.plan, Stage.CANDIDATE, replaced_us=None, stopped_us=None)
        self.assign(new.tenant, new.plan, self._live_nodes(new.tenant))
        return Deployment(generation=self.raise_generation(), changed=True, release=number)

    def publish(self, plan: PlanRow, from_us: int, edition: int | None) -> None:
        """Let a candidate's results bear the pipeline's name from this window start on."""
        self.turn(edition)
        table = schema.publications
        self._connection.execute(
            delete(table).where(
                table.c.tenant == plan.tenant, table.c.pipeline == plan.pipeline, table.c.from_us >= from_us
            )
        )
        self._connection.execute(
            table.insert().values(tenant=plan.tenant, pipeline=plan.pipeline, from_us=from_us, plan=plan.plan)
        )
        plans = schema.plans
        self._connection.execute(
            update(plans)
            .where(
                plans.c.tenant == plan.tenant,
                plans.c.pipeline == plan.pipeline,
                plans.c.stage == Stage.PUBLIC.value,
            )
            .values(stage=Stage.REPLACED.value, replaced_us=self._now_us)
        )
        self._stage(plan.tenant, plan.plan, Stage.PUBLIC, replaced_us=None, stopped_us=None)
        self._rename(plan.tenant, plan.pipeline, public=plan.plan)
        self._tell_again(plan, from_us)
        self.changed()

    def retire(self, plan: PlanRow, edition: int | None) -> int:
        """Take a plan out of desired state; the new generation."""
        self.turn(edition)
        self._stop(plan.tenant, plan.plan)
        return self.raise_generation()

    def assign(self, tenant: str, plan: str, nodes: Iterable[str]) -> None:
        """Assign nodes that are not assigned yet.

        As long as the plan has committed nothing an assignment counts from the beginning of time: a plan
        may start over old data, and nobody is late for it.
        """
        table, offsets = schema.assignments, schema.offsets
        open_ = self._connection.execute(
            select(table.c.node).where(
                table.c.tenant == tenant, table.c.plan == plan, table.c.to_us.is_(None)
            )
        )
        assigned = set(open_.scalars())
        begun = self._connection.execute(
            select(offsets.c.origin)
            .where(offsets.c.tenant == tenant, offsets.c.plan == plan, offsets.c.messages > 0)
            .limit(1)
        )
        from_us = NEVER if begun.first() is None else self._now_us
        rows = [
            {"tenant": tenant, "plan": plan, "node": node, "from_us": from_us, "to_us": None}
            for node in sorted(set(nodes) - assigned)
        ]
        if rows:
            self._connection.execute(self._backend.upsert(table, overwrite=("to_us",)), rows)

    def retire_node(self, tenant: str, node: str) -> bool:
        """Expect nothing more of a node; whether there was one."""
        self.turn()
        nodes, table = schema.nodes, schema.assignments
        found = self._connection.execute(
            update(nodes)
            .where(nodes.c.tenant == tenant, nodes.c.node == node)
            .values(retired_us=self._now_us)
        )
        self._connection.execute(
            update(table)
            .where(table.c.tenant == tenant, table.c.node == node, table.c.to_us.is_(None))
            .values(to_us=self._now_us)
        )
        self.changed()
        return bool(found.rowcount)

    def _live_nodes(self, tenant: str) -> Sequence[str]:
        table = schema.nodes
        query = select(table.c.node).where(table.c.tenant == tenant, table.c.retired_us.is_(None))
        return self._connection.execute(query).scalars().all()

    def _name(self, new: NewPlan) -> None:
        self._connection.execute(
            schema.pipelines.insert().values(
                tenant=new.tenant, name=new.pipeline, public=new.plan, newest=new.plan, changes=0
            )
        )
        self._connection.execute(
            schema.publications.insert().values(
                tenant=new.tenant, pipeline=new.pipeline, from_us=NEVER, plan=new.plan
            )
        )

    def _insert(self, new: NewPlan, stage: Stage) -> None:
        self._connection.execute(
            schema.plans.insert().values(
                tenant=new.tenant,
                plan=new.plan,
                pipeline=new.pipeline,
                wire=new.wire,
                spec=new.spec,
                deployed_us=self._now_us,
                stage=stage.value,
            )
        )
        if new.steps:
            self._connection.execute(
                schema.steps.insert(),
                [
                    {
                        "tenant": new.tenant,
                        "plan": new.plan,
                        "step": step.step,
                        "stream": step.stream,
                        "width_us": step.width_us,
                        "horizon_us": NEVER,
                    }
                    for step in new.steps
                ],
            )

    def _rename(self, tenant: str, name: str, **values: str) -> None:
        table = schema.pipelines
        self._connection.execute(
            update(table).where(table.c.tenant == tenant, table.c.name == name).values(**values)
        )

    def _stage(self, tenant: str, plan: str, stage: Stage, **values: int | None) -> None:
        table = schema.plans
        self._connection.execute(
            update(table)
            .where(table.c.tenant == tenant, table.c.plan == plan)
            .values(stage=stage.value, **values)
        )

    def _stop(self, tenant: str, plan: str) -> None:
        self._stage(tenant, plan, Stage.RETIRED, stopped_us=self._now_us)
        table = schema.assignments
        self._connection.execute(
            update(table)
            .where(table.c.tenant == tenant, table.c.plan == plan, table.c.to_us.is_(None))
            .values(to_us=self._now_us)
        )

    def _tell_again(self, plan: PlanRow, from_us: int) -> None:
        """Results that become public are changes to whoever follows the name: all numbers go up by as much."""
        table, names = schema.results, schema.pipelines
        name = and_(names.c.tenant == plan.tenant, names.c.name == plan.pipeline)
        of_plan = and_(table.c.tenant == plan.tenant, table.c.plan == plan.plan, table.c.start_us >= from_us)
        last = self._connection.execute(select(func.max(table.c.change)).where(of_plan)).scalar()
        if last is None:
            return
        changes = self._connection.execute(select(names.c.changes).where(name)).scalar_one()
        self._connection.execute(update(table).where(of_plan).values(change=table.c.change + changes))
        self._connection.execute(update(names).where(name).values(changes=changes + last))
