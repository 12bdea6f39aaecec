"""The store on a SQL database: each method one transaction around the modules that know its part."""

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import inspect, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.store import schema
from cloud.store.backend import Backend, sqlite_backend
from cloud.store.book import Book, Deployment, NewPlan, PlanRow
from cloud.store.commit import Commit, PlanLayout
from cloud.store.finishing import Moved, PassOutcome, StepPass, StepToFinish
from cloud.store.kept import NOTHING_KNOWN, Kept, Machine, kept_reports
from cloud.store.members import Members
from cloud.store.origins import Origins
from cloud.store.reading import Reading, UnsettledRow
from cloud.store.reports import AggregatorReport, Report, Reports
from cloud.store.results import LiveStep, Place, Result, ResultPage, ResultQuery, ResultReading
from cloud.store.retention import Retention
from cloud.store.rows import Layout, layouts_of
from cloud.store.settlement import Answer, Submission
from cloud.store.store import LedgerTerms, Progresses, Shelf
from fogline.model.errors import DataLoss
from fogline.model.part import Origin
from fogline.v1 import plan_pb2
from fogline.wire.plan import plan_from_wire

INCARNATION_BYTES: Final = 16
HEAD: Final = "0002"
"""The newest migration."""


class SqlStore:
    """Implements :class:`cloud.store.store.Store`."""

    def __init__(self, backend: Backend, incarnation: bytes) -> None:
        self._backend = backend
        self._incarnation = incarnation
        self._origins = Origins(backend)
        self._layouts: dict[tuple[str, str], PlanLayout] = {}
        # One writer at a time: within the process waiting here is cheaper and fairer than at the database.
        self._turn = asyncio.Lock()

    @property
    def incarnation(self) -> bytes:
        return self._incarnation

    async def renew_incarnation(self) -> bytes:
        new = secrets.token_bytes(INCARNATION_BYTES)
        async with self._writing() as connection:
            await connection.execute(update(schema.store).values(incarnation=new))
        self._incarnation = new
        return new

    async def commit(self, submissions: Sequence[Submission], now_us: int) -> Sequence[Answer]:
        async with self._writing() as connection:
            layouts = await self._known(connection, {(s.tenant, s.plan) for s in submissions})
            outcome = await Commit(connection, self._backend, self._origins, now_us).run(submissions, layouts)
        return [
            Answer(refused=refused, offsets=offsets, incarnation=self._incarnation)
            for refused, offsets in outcome.answers
        ]

    async def finish(self, step: StepToFinish, moved: Moved | None, now_us: int) -> PassOutcome:
        async with self._writing() as connection:
            return await StepPass(connection, self._backend, step, now_us).run(moved)

    async def retire_states(self, tenant: str, plan: str, layout: Layout, before_us: int) -> int:
        async with self._writing() as connection:
            return await Retention(connection, tenant, plan, layout).retire_states(before_us)

    async def drop_results(self, tenant: str, plan: str, layout: Layout, before_us: int) -> int:
        async with self._writing() as connection:
            return await Retention(connection, tenant, plan, layout).drop_results(before_us)

    async def progresses(self, tenant: str, plan: str) -> Progresses:
        async with self._backend.reading() as connection:
            reading = Reading(connection)
            return Progresses(
                passed=await reading.passed(tenant, plan),
                assignments=await reading.assignments(tenant, plan),
            )

    async def starts(self, tenant: str, plan: str) -> dict[Origin, int]:
        async with self._backend.reading() as connection:
            return await Reading(connection).starts(tenant, plan)

    async def deploy(self, new: NewPlan, now_us: int, edition: int | None = None) -> Deployment:
        async with self._writing() as connection:
            return await Book(connection, self._backend, now_us).deploy(new, edition)

    async def publish(self, plan: PlanRow, from_us: int, now_us: int, edition: int | None = None) -> None:
        async with self._writing() as connection:
            await Book(connection, self._backend, now_us).publish(plan, from_us, edition)

    async def retire_plan(self, plan: PlanRow, now_us: int, edition: int | None = None) -> int:
        async with self._writing() as connection:
            return await Book(connection, self._backend, now_us).retire(plan, edition)

    async def retire_node(self, tenant: str, node: str, now_us: int) -> bool:
        async with self._writing() as connection:
            return await Book(connection, self._backend, now_us).retire_node(tenant, node)

    async def shelf(self) -> Shelf:
        async with self._backend.reading() as connection:
            book = Book(connection, self._backend, 0)
            # The edition first: what is read after it may be newer, and is then looked at again.
            return Shelf(
                edition=await book.edition(),
                plans=await book.plans(),
                pipelines=await book.pipelines(),
                generation=await book.generation(),
            )

    async def spec(self, tenant: str, plan: str) -> str:
        table = schema.plans
        query = select(table.c.spec).where(table.c.tenant == tenant, table.c.plan == plan)
        async with self._backend.reading() as connection:
            return str((await connection.execute(query)).scalar() or "")

    async def raise_generation(self, at_least: int) -> int:
        async with self._writing() as connection:
            book = Book(connection, self._backend, 0)
            await book.turn()
            return await book.raise_generation(at_least)

    async def edition(self) -> int:
        async with self._backend.reading() as connection:
            return await Book(connection, self._backend, 0).edition()

    async def take_reports(
        self, reports: Iterable[Report], now_us: int, aggregators: Iterable[AggregatorReport] = ()
    ) -> None:
        async with self._writing() as connection:
            taking = Reports(connection, self._backend, self._origins, now_us)
            await taking.take(tuple(reports))
            await taking.take_aggregators(aggregators)

    async def reports(self, known: Mapping[Machine, int] = NOTHING_KNOWN) -> list[Kept]:
        async with self._backend.reading() as connection:
            return await kept_reports(connection, known)

    async def join(self, name: str) -> int:
        async with self._writing() as connection:
            return await Members(connection).join(name)

    async def beat(self, member: int, gone: Iterable[int]) -> Mapping[int, int]:
        async with self._writing() as connection:
            return await Members(connection).beat(member, gone)

    async def leave(self, member: int) -> None:
        async with self._writing() as connection:
            await Members(connection).leave([member])

    async def results(self, query: ResultQuery, after: Place | None = None) -> ResultPage:
        async with self._backend.reading() as connection:
            return await ResultReading(connection).results(query, after)

    async def changes(self, query: ResultQuery, after: int) -> tuple[Result, ...]:
        async with self._backend.reading() as connection:
            return await ResultReading(connection).changes(query, after)

    async def newest_changes(self) -> dict[tuple[str, str], int]:
        async with self._backend.reading() as connection:
            return await ResultReading(connection).newest_changes()

    async def newest_change(self, tenant: str, pipeline: str) -> int:
        async with self._backend.reading() as connection:
            return await ResultReading(connection).newest_change(tenant, pipeline)

    async def live(self, tenant: str, plan: str, step: str, *, windows: int, keys: int) -> LiveStep:
        async with self._backend.reading() as connection:
            return await ResultReading(connection).live(tenant, plan, step, windows, keys)

    async def readings(self, tenant: str) -> int:
        async with self._backend.reading() as connection:
            return await Reading(connection).readings(tenant)

    async def unsettled(self) -> list[UnsettledRow]:
        async with self._backend.reading() as connection:
            return await Reading(connection).unsettled()

    async def ledger(self, tenant: str) -> LedgerTerms:
        async with self._backend.reading() as connection:
            reading = Reading(connection)
            return LedgerTerms(
                offsets=await reading.ledger(tenant),
                journals=await reading.journals(tenant),
                counters=await reading.counters(tenant),
            )

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        async with self._turn, self._backend.writing() as connection:
            yield connection

    async def _known(
        self, connection: AsyncConnection, plans: Iterable[tuple[str, str]]
    ) -> Mapping[tuple[str, str], PlanLayout]:
        """Layouts of plans; a plan never changes, so they are kept."""
        table = schema.plans
        for tenant, plan in plans:
            if (tenant, plan) in self._layouts:
                continue
            query = select(table.c.wire).where(table.c.tenant == tenant, table.c.plan == plan)
            wire = (await connection.execute(query)).scalar()
            if wire is not None:
                self._layouts[tenant, plan] = plan_layout(tenant, plan, wire)
        return self._layouts


def plan_layout(tenant: str, plan: str, wire: bytes) -> PlanLayout:
    """What the commit needs to know of a serialised plan."""
    content = plan_from_wire(plan_pb2.Plan.FromString(wire))
    return PlanLayout(
        tenant=tenant,
        plan=plan,
        max_keys=content.max_keys,
        steps=layouts_of(content),
    )


@asynccontextmanager
async def open_sqlite(path: Path, now_us: int) -> AsyncIterator[SqlStore]:
    """The store in this file, made or brought to this release's tables first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    backend = sqlite_backend(path)
    try:
        yield await _opened(backend, f"sqlite:///{path}", now_us)
    finally:
        await backend.engine.dispose()


async def _opened(backend: Backend, url: str, now_us: int) -> SqlStore:
    if not await _is_current(backend):
        await _migrate(url)
    async with backend.writing() as connection:
        table = schema.store
        found = (await connection.execute(select(table.c.incarnation))).scalar()
        if found is None:
            found = secrets.token_bytes(INCARNATION_BYTES)
            await connection.execute(
                table.insert().values(id=1, incarnation=found, created_us=now_us, generation=0)
            )
    return SqlStore(backend, bytes(found))


async def _is_current(backend: Backend) -> bool:
    """Whether the tables are this release's, asked without Alembic: it would cost 10 MiB for ever."""
    async with backend.engine.connect() as connection:
        if not await connection.run_sync(lambda sync: inspect(sync).has_table("alembic_version")):
            return False
        version = (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar()
        return bool(version == HEAD)


async def _migrate(url: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cloud.store.migrate", url, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    if process.returncode:
        lines = said.decode(errors="replace").strip().splitlines()
        raise DataLoss(
            "the store's tables could not be brought to this release",
            hint=lines[-1] if lines else "the migration said nothing",
        )
