"""A small installation around a store: a plan, parts made of readings, a finishing pass by hand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from cloud.catalog import Catalog
from cloud.changes import Changes
from cloud.finish.finisher import Finisher
from cloud.store.releases import NewPlan
from cloud.store.reports import Journal, Report
from cloud.store.results import Result, ResultQuery
from cloud.store.rows import layouts_of
from cloud.store.settlement import Answer, Submission
from cloud.store.store import Store
from fogline.engine.batch import Batch, NumberColumn, TextColumn
from fogline.engine.state import PartState, ReadingTerm
from fogline.engine.windows import WindowProgram
from fogline.model.clock import NEVER, SECOND
from fogline.model.part import Contribution, Origin, Part
from fogline.model.plan import Plan
from fogline.spec import make_plan, read_spec
from fogline.testing.clock import ManualClock
from fogline.wire.plan import plan_id, plan_to_wire
from fogline.wire.release import release_to_wire

T0 = 1_700_000_000 * SECOND
WIDTH = 10 * SECOND
SPEC = """
name: {name}
streams:
  air: {{mqtt: "{topic}", format: json, time: ts, fields: {{temp: {{type: float, resolution: 0.01}}}}}}
steps:
  by_zone:
    sql: |
      SELECT zone, count(*) AS n, sum(temp) AS total, min(temp) AS low, max(temp) AS high,
             quantile(temp, 0.5) AS middle{more}
      FROM air GROUP BY zone, TUMBLE(ts, INTERVAL '{width} seconds')
late: {{disorder: 5s, wait: 2m, keep: {keep}}}
max_keys: {max_keys}
"""


class Reading(NamedTuple):
    """Seconds after T0, a zone, a temperature."""

    at: float
    zone: str | None
    temp: float


def spec(
    *,
    name: str = "greenhouse",
    topic: str = "greenhouse/{zone}/air",
    keep: str = "1h",
    max_keys: int = 100,
    more: str = "",
    width: int = 10,
) -> str:
    """The text of a spec that counts readings by zone."""
    return SPEC.format(name=name, topic=topic, keep=keep, max_keys=max_keys, more=more, width=width)


def plan_of(text: str, tenant: str = "main") -> Plan:
    """The plan of a spec."""
    return make_plan(read_spec(text), tenant)


def origin(node: str = "n1", epoch: int = 1, *, tenant: str = "main", stream: str = "air") -> Origin:
    """An origin by a small number."""
    return Origin(tenant=tenant, node=node, stream=stream, epoch=epoch.to_bytes(16, "big"))


def state_of(plan: Plan, readings: Sequence[Reading]) -> PartState:
    """What a node would send for these readings."""
    if not readings:
        return PartState()
    zones = tuple(sorted({r.zone for r in readings if r.zone is not None}))
    codes = [-1 if r.zone is None else zones.index(r.zone) for r in readings]
    batch = Batch(
        rows=len(readings),
        time_us=np.array([T0 + round(r.at * SECOND) for r in readings], dtype=np.int64),
        columns={
            "zone": TextColumn(codes=np.array(codes, dtype=np.int32), dictionary=zones),
            "temp": NumberColumn(values=np.array([r.temp for r in readings]), resolution=0.01),
        },
    )
    answer = WindowProgram(plan.steps[0], plan.max_keys).run(batch)
    return PartState(
        tables=(answer.table,),
        counts={
            ReadingTerm("air", "", "decoded"): len(readings),
            ReadingTerm("air", plan.steps[0].name, "counted"): answer.counted,
        },
    )


def release_of(text: str) -> bytes:
    """What runs the operators and services of a spec, serialised."""
    return release_to_wire(read_spec(text).release).SerializeToString(deterministic=True)


@dataclass
class Installation:
    """One store with what stands around it in the cloud's process."""

    store: Store
    clock: ManualClock = field(default_factory=lambda: ManualClock(T0))

    def __post_init__(self) -> None:
        self.catalog = Catalog()
        self.changes = Changes()
        self.finisher = Finisher(
            self.store,
            self.catalog,
            self.clock,
            self.changes,
            results_keep_us=3600 * SECOND,
            keeps=lambda: True,
        )
        self.text = spec()
        self.plan = plan_of(self.text)

    @property
    def plan_id(self) -> str:
        """Name of the plan."""
        return plan_id(self.plan)

    async def deploy(self, text: str | None = None) -> bool:
        """Deploy a spec; whether anything changed."""
        self.text = text or self.text
        self.plan = plan_of(self.text)
        deployment = await self.store.deploy(
            NewPlan(
                tenant=self.plan.tenant,
                plan=self.plan_id,
                pipeline=self.plan.pipeline,
                wire=plan_to_wire(self.plan).SerializeToString(deterministic=True),
                spec=self.text,
                steps=tuple(layouts_of(self.plan).values()),
                release=release_of(self.text),
            ),
            self.clock.now_us(),
        )
        await self.catalog.refresh(self.store)
        return deployment.changed

    async def attach(self, *nodes: str, listed: Mapping[str, Iterable[Origin]] | None = None) -> None:
        """Nodes report; ``listed`` says which journals they have."""
        reports = [
            Report(
                tenant="main",
                node=node,
                raw=b"",
                journals=tuple(journal(each) for each in (listed or {}).get(node, ())),
            )
            for node in nodes
        ]
        await self.store.take_reports(reports, self.clock.now_us())

    def submission(
        self,
        readings: Sequence[Reading] = (),
        *,
        of: Origin | None = None,
        first: int = 0,
        watermark: float | None = None,
        start: int = 0,
        end: int | None = None,
        closed: bool = False,
        gap: str = "",
        plan: Plan | None = None,
    ) -> Submission:
        """A part of one origin: these readings from offset ``first`` on, one a message."""
        plan = plan or self.plan
        contribution = Contribution(
            origin=of or origin(),
            start=start,
            first=first,
            end=first + len(readings) if end is None else end,
            gap=gap,
            watermark=NEVER if watermark is None else T0 + round(watermark * SECOND),
            closed=closed,
        )
        part = Part(contributions=(contribution,), state=state_of(plan, readings))
        return Submission(tenant=plan.tenant, plan=plan_id(plan), part=part)

    async def commit(self, *submissions: Submission) -> Sequence[Answer]:
        """Commit parts in one transaction."""
        answers = await self.store.commit(submissions, self.clock.now_us())
        for submission in submissions:
            self.finisher.committed(submission.tenant, submission.plan)
        return answers

    async def push(self, readings: Sequence[Reading] = (), **options: object) -> Answer:
        """Commit one part."""
        answers = await self.commit(self.submission(readings, **options))  # type: ignore[arg-type] # as there
        return answers[0]

    async def finish(self) -> None:
        """One finishing pass."""
        await self.finisher.finish_all()

    async def results(self, pipeline: str = "greenhouse", **query: int | str | None) -> list[Result]:
        """Every public result."""
        asked = ResultQuery(tenant="main", pipeline=pipeline, **query)  # type: ignore[arg-type] # as there
        page = await self.store.results(asked)
        return list(page.results)

    async def said(self, pipeline: str = "greenhouse") -> dict[tuple[int, str | None], tuple[object, ...]]:
        """(window's start in seconds after T0, zone) to its values."""
        return {
            ((r.start_us - T0) // SECOND, r.key[0]): (r.readings, *r.values)
            for r in await self.results(pipeline)
        }

    async def standings(self) -> dict[int, tuple[str, int, int, tuple[str, ...], int]]:
        """Window's start in seconds after T0 to (status, have, expected, missing, revision)."""
        return {
            (r.start_us - T0) // SECOND: (
                r.standing.status.value,
                r.standing.have,
                r.standing.expected,
                r.standing.missing,
                r.standing.revision,
            )
            for r in await self.results()
        }


def journal(of: Origin, **figures: int) -> Journal:
    """A journal's report."""
    return Journal(
        origin=of,
        received=figures.get("received", 0),
        journaled=figures.get("journaled", 0),
        refused={"quota": figures["refused"]} if "refused" in figures else {},
        redelivered=figures.get("redelivered", 0),
        retained=0,
        base=figures.get("base", 0),
        closed=bool(figures.get("closed", 0)),
    )
