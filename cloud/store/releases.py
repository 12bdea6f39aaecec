"""Releases of plans: written with a deployment, read with the plans, in the caller's transaction."""

from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, and_, delete, func, select

from cloud.store import schema
from cloud.store.rows import Layout

KEPT: Final = 20
"""Releases of a plan that are kept, the newest one among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRow:
    """What runs a plan's operators and services."""

    tenant: str
    plan: str
    number: int
    """1, 2, ... within the plan."""
    wire: bytes
    """A serialised ``fogline.v1.Grant`` with operators and services only."""
    deployed_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRow:
    """One release of one plan, as it was deployed."""

    plan: str
    release: int
    """Number within the plan; 0: it began without operators and services."""
    deployed_us: int
    stage: str
    """Of the plan."""
    content: bytes
    """The serialised ``fogline.v1.Plan``."""
    wire: bytes
    """A serialised ``fogline.v1.Grant`` with operators and services only."""
    spec: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPlan:
    """A plan that is to become its pipeline's newest, in this release."""

    tenant: str
    plan: str
    pipeline: str
    wire: bytes
    spec: str
    steps: tuple[Layout, ...]
    """Of the window steps."""
    release: bytes = b""
    """A serialised ``fogline.v1.Grant`` with operators and services only; empty: the plan is SQL alone."""


class Releases:
    """Reads and adds releases in one transaction, which has the turn if it adds one."""

    def __init__(self, connection: Connection, now_us: int = 0) -> None:
        self._connection = connection
        self._now_us = now_us

    def newest(self) -> list[ReleaseRow]:
        """The newest release of every plan that has any."""
        table = schema.releases
        last = (
            select(table.c.tenant, table.c.plan, func.max(table.c.number).label("number"))
            .group_by(table.c.tenant, table.c.plan)
            .subquery()
        )
        same = and_(*(table.c[name] == last.c[name] for name in ("tenant", "plan", "number")))
        query = select(table.c.tenant, table.c.plan, table.c.number, table.c.wire, table.c.deployed_us).join(
            last, same
        )
        return [
            ReleaseRow(
                tenant=row.tenant,
                plan=row.plan,
                number=row.number,
                wire=row.wire,
                deployed_us=row.deployed_us,
            )
            for row in self._connection.execute(query.order_by(table.c.tenant, table.c.plan))
        ]

    def history(self, tenant: str, pipeline: str) -> list[PastRow]:
        """What a pipeline has run, in no order: of each plan what it began with, and the releases that are kept."""
        plans, table = schema.plans, schema.releases
        of_pipeline = and_(plans.c.tenant == tenant, plans.c.pipeline == pipeline)
        rows = self._connection.execute(select(plans).where(of_pipeline)).all()
        past = [
            PastRow(
                plan=row.plan,
                release=0,
                deployed_us=row.deployed_us,
                stage=row.stage,
                content=row.wire,
                wire=b"",
                spec=row.spec,
            )
            for row in rows
        ]
        began = {one.plan: one for one in past}
        query = select(table).where(table.c.tenant == tenant, table.c.plan.in_(began))
        for row in self._connection.execute(query).all():
            plan = began[row.plan]
            if row.number == 1 and row.deployed_us == plan.deployed_us:
                past.remove(plan)
            past.append(
                replace(plan, release=row.number, deployed_us=row.deployed_us, wire=row.wire, spec=row.spec)
            )
        return past

    def release(self, new: NewPlan) -> tuple[int, bool]:
        """Make this the plan's newest release unless it is; its number, and whether it was made."""
        table = schema.releases
        of_plan = and_(table.c.tenant == new.tenant, table.c.plan == new.plan)
        newest = self._connection.execute(
            select(table.c.number, table.c.wire).where(of_plan).order_by(table.c.number.desc()).limit(1)
        ).first()
        number, wire = (newest.number, newest.wire) if newest else (0, b"")
        if wire == new.release:
            return number, False
        self._connection.execute(
            table.insert().values(
                tenant=new.tenant,
                plan=new.plan,
                number=number + 1,
                wire=new.release,
                spec=new.spec,
                deployed_us=self._now_us,
            )
        )
        self._connection.execute(delete(table).where(of_plan, table.c.number <= number + 1 - KEPT))
        return number + 1, True

    def spec(self, tenant: str, plan: str) -> str:
        """The spec that a plan's newest release was deployed with; empty for a plan that is not there."""
        plans, table = schema.plans, schema.releases
        newest = (
            select(table.c.spec)
            .where(table.c.tenant == tenant, table.c.plan == plan)
            .order_by(table.c.number.desc())
            .limit(1)
        )
        found = self._connection.execute(newest).scalar()
        if found is None:
            query = select(plans.c.spec).where(plans.c.tenant == tenant, plans.c.plan == plan)
            found = self._connection.execute(query).scalar()
        return str(found or "")
