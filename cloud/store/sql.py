"""The store on a SQL database: each method one transaction around the modules that know its part."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, select, update

from cloud.store import schema
from cloud.store.access import ApiTokens
from cloud.store.admissions import Admissions, deposed_keys
from cloud.store.backend import Backend
from cloud.store.book import Book, Deployment, Overtaken, PlanRow
from cloud.store.commit import Commit, PlanLayout
from cloud.store.finishing import Moved, PassOutcome, StepPass, StepToFinish
from cloud.store.kept import NOTHING_KNOWN, Kept, Machine, kept_reports
from cloud.store.members import Members
from cloud.store.origins import Origins
from cloud.store.reading import Reading, UnsettledRow
from cloud.store.releases import NewPlan, PastRow, Releases
from cloud.store.reports import AggregatorReport, Report, Reports
from cloud.store.results import LiveStep, Place, Result, ResultPage, ResultQuery, ResultReading
from cloud.store.retention import Retention
from cloud.store.rows import Layout, layouts_of
from cloud.store.settlement import Answer, BatchOutcome, Submission
from cloud.store.signing import SigningKeys, SigningRow
from cloud.store.store import LedgerTerms, Progresses, Shelf
from fogline.model.part import Origin
from fogline.v1 import plan_pb2
from fogline.wire.plan import plan_from_wire

INCARNATION_BYTES: Final = 16
_INCARNATION: Final = select(schema.store.c.incarnation)


class SqlStore:
    """Implements :class:`cloud.store.store.Store`."""

    def __init__(self, backend: Backend, incarnation: bytes) -> None:
        self._backend = backend
        self._incarnation = incarnation
        self._origins = Origins(backend)
        self._layouts: dict[tuple[str, str], PlanLayout] = {}
        self.admissions: Final = Admissions(backend)
        self.api_tokens: Final = ApiTokens(backend)

    @property
    def incarnation(self) -> bytes:
        return self._incarnation

    @property
    def database(self) -> str:
        return str(self._backend.engine.dialect.name)

    async def renew_incarnation(self) -> bytes:
        new = secrets.token_bytes(INCARNATION_BYTES)
        await self._backend.write(
            lambda connection: connection.execute(update(schema.store).values(incarnation=new)).rowcount
        )
        self._incarnation = new
        return new

    async def commit(self, submissions: Sequence[Submission], now_us: int) -> Sequence[Answer]:
        def commit(connection: Connection) -> BatchOutcome:
            self._look(connection)
            layouts = self._known(connection, {(s.tenant, s.plan) for s in submissions})
            return Commit(connection, self._backend, self._origins, now_us).run(submissions, layouts)

        outcome = await self._backend.write(commit)
        return [
            Answer(refused=refused, offsets=offsets, incarnation=self._incarnation)
            for refused, offsets in outcome.answers
        ]

    async def finish(self, step: StepToFinish, moved: Moved | None, now_us: int) -> PassOutcome:
        return await self._backend.write(
            lambda connection: StepPass(connection, self._backend, step, now_us).run(moved)
        )

    async def retire_states(self, tenant: str, plan: str, layout: Layout, before_us: int) -> int:
        def retention(connection: Connection) -> Retention:
            return Retention(connection, self._backend, tenant, plan, layout)

        gone = await self._backend.write(lambda connection: retention(connection).delete_states())
        if not gone and await self._backend.write(
            lambda connection: retention(connection).raise_horizon(before_us)
        ):
            gone = await self._backend.write(lambda connection: retention(connection).delete_states())
        return gone

    async def drop_results(self, tenant: str, plan: str, layout: Layout, before_us: int) -> int:
        return await self._backend.write(
            lambda connection: Retention(connection, self._backend, tenant, plan, layout).drop_results(
                before_us
            )
        )

    async def progresses(self, tenant: str, plan: str) -> Progresses:
        def progresses(connection: Connection) -> Progresses:
            reading = Reading(connection)
            return Progresses(
                passed=reading.passed(tenant, plan), assignments=reading.assignments(tenant, plan)
            )

        return await self._backend.read(progresses)

    async def starts(self, tenant: str, plan: str) -> dict[Origin, int]:
        return await self._backend.read(lambda connection: Reading(connection).starts(tenant, plan))

    async def deploy(self, new: NewPlan, now_us: int, edition: int | None = None) -> Deployment:
        return await self._backend.write(
            lambda connection: Book(connection, self._backend, now_us).deploy(new, edition)
        )

    async def publish(self, plan: PlanRow, from_us: int, now_us: int, edition: int | None = None) -> None:
        await self._backend.write(
            lambda connection: Book(connection, self._backend, now_us).publish(plan, from_us, edition)
        )

    async def retire_plan(self, plan: PlanRow, now_us: int, edition: int | None = None) -> int:
        return await self._backend.write(
            lambda connection: Book(connection, self._backend, now_us).retire(plan, edition)
        )

    async def retire_node(self, tenant: str, node: str, now_us: int) -> bool:
        return await self._backend.write(
            lambda connection: Book(connection, self._backend, now_us).retire_node(tenant, node)
        )

    async def shelf(self) -> Shelf:
        def shelf(connection: Connection) -> Shelf:
            book = Book(connection, self._backend, 0)
            # The edition first: what is read after it may be newer, and is then looked at again.
            return Shelf(
                edition=book.edition(),
                plans=book.plans(),
                releases=Releases(connection).newest(),
                pipelines=book.pipelines(),
                generation=book.generation(),
                keys=SigningKeys(connection).all(),
                term=book.term(),
                deposed=deposed_keys(connection),
            )

        return await self._backend.read(shelf)

    async def spec(self, tenant: str, plan: str) -> str:
        return await self._backend.read(lambda connection: Releases(connection).spec(tenant, plan))

    async def history(self, tenant: str, pipeline: str) -> list[PastRow]:
        return await self._backend.read(lambda connection: Releases(connection).history(tenant, pipeline))

    async def raise_term(self, over: int) -> int:
        def raise_(connection: Connection) -> int:
            book = Book(connection, self._backend, 0)
            book.turn()
            return book.raise_term() if book.term() == over else book.term()

        return await self._backend.write(raise_)

    async def raise_generation(self, at_least: int) -> int:
        def raise_(connection: Connection) -> int:
            book = Book(connection, self._backend, 0)
            book.turn()
            return book.raise_generation(at_least)

        return await self._backend.write(raise_)

    async def signing_keys(self) -> tuple[SigningRow, ...]:
        return await self._backend.read(lambda connection: SigningKeys(connection).all())

    async def add_signing_key(self, row: SigningRow, *, over: int) -> int:
        def add(connection: Connection) -> int:
            book, keys = Book(connection, self._backend, row.made_us), SigningKeys(connection)
            book.turn()
            if max((key.version for key in keys.all()), default=0) != over:
                raise Overtaken("another process has just made a signing key")
            keys.add(row)
            if over:
                return book.raise_generation()
            book.changed()
            return book.generation()

        return await self._backend.write(add)

    async def edition(self) -> int:
        return await self._backend.read(lambda connection: Book(connection, self._backend, 0).edition())

    async def take_reports(
        self, reports: Iterable[Report], now_us: int, aggregators: Iterable[AggregatorReport] = ()
    ) -> None:
        nodes, others = tuple(reports), tuple(aggregators)

        def take(connection: Connection) -> None:
            self._look(connection)
            taking = Reports(connection, self._backend, self._origins, now_us)
            taking.take(nodes)
            taking.take_aggregators(others)

        await self._backend.write(take)

    async def reports(self, known: Mapping[Machine, int] = NOTHING_KNOWN) -> list[Kept]:
        return await self._backend.read(lambda connection: kept_reports(connection, known))

    async def join(self, name: str) -> int:
        return await self._backend.write(lambda connection: Members(connection).join(name))

    async def beat(self, member: int, gone: Iterable[int]) -> Mapping[int, int]:
        over = tuple(gone)
        return await self._backend.write(lambda connection: Members(connection).beat(member, over))

    async def leave(self, member: int) -> None:
        await self._backend.write(lambda connection: Members(connection).leave([member]))

    async def results(self, query: ResultQuery, after: Place | None = None) -> ResultPage:
        return await self._backend.read(lambda connection: ResultReading(connection).results(query, after))

    async def changes(self, query: ResultQuery, after: int) -> tuple[Result, ...]:
        return await self._backend.read(lambda connection: ResultReading(connection).changes(query, after))

    async def newest_changes(self) -> dict[tuple[str, str], int]:
        return await self._backend.read(lambda connection: ResultReading(connection).newest_changes())

    async def newest_change(self, tenant: str, pipeline: str) -> int:
        return await self._backend.read(
            lambda connection: ResultReading(connection).newest_change(tenant, pipeline)
        )

    async def live(self, tenant: str, plan: str, step: str, *, windows: int, keys: int) -> LiveStep:
        return await self._backend.read(
            lambda connection: ResultReading(connection).live(tenant, plan, step, windows, keys)
        )

    async def readings(self, tenant: str) -> int:
        return await self._backend.read(lambda connection: Reading(connection).readings(tenant))

    async def unsettled(self) -> list[UnsettledRow]:
        return await self._backend.read(lambda connection: Reading(connection).unsettled())

    async def ledger(self, tenant: str) -> LedgerTerms:
        def ledger(connection: Connection) -> LedgerTerms:
            reading = Reading(connection)
            return LedgerTerms(
                offsets=reading.ledger(tenant),
                journals=reading.journals(tenant),
                counters=reading.counters(tenant),
                reports=reading.reports(tenant),
            )

        return await self._backend.read(ledger)

    def _look(self, connection: Connection) -> None:
        """See whether the store was restored from a backup: what is known of it then no longer holds."""
        found = bytes(connection.execute(_INCARNATION).scalar_one())
        if found != self._incarnation:
            self._origins.forget()
            self._layouts.clear()
            self._incarnation = found

    def _known(
        self, connection: Connection, plans: Iterable[tuple[str, str]]
    ) -> Mapping[tuple[str, str], PlanLayout]:
        """Layouts of plans; a plan never changes, so they are kept."""
        table = schema.plans
        for tenant, plan in plans:
            if (tenant, plan) in self._layouts:
                continue
            query = select(table.c.wire).where(table.c.tenant == tenant, table.c.plan == plan)
            wire = connection.execute(query).scalar()
            if wire is not None:
                self._layouts[tenant, plan] = plan_layout(tenant, plan, wire)
        return dict(self._layouts)


def plan_layout(tenant: str, plan: str, wire: bytes) -> PlanLayout:
    """What the commit needs to know of a serialised plan."""
    content = plan_from_wire(plan_pb2.Plan.FromString(wire))
    return PlanLayout(
        tenant=tenant,
        plan=plan,
        max_keys=content.max_keys,
        steps=layouts_of(content),
    )
