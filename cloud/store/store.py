"""The store as the rest of the cloud sees it. One contract test holds every implementation to it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from cloud.finish.decision import Assignment
from cloud.store.access import ApiTokens
from cloud.store.admissions import Admissions
from cloud.store.book import Deployment, PipelineRow, PlanRow
from cloud.store.finishing import Moved, PassOutcome, StepToFinish
from cloud.store.kept import NOTHING_KNOWN, Kept, Machine
from cloud.store.reading import JournalRow, LedgerRow, UnsettledRow
from cloud.store.releases import NewPlan, PastRow, ReleaseRow
from cloud.store.reports import AggregatorReport, Report
from cloud.store.results import LiveStep, Place, Result, ResultPage, ResultQuery
from cloud.store.rows import Layout
from cloud.store.settlement import Answer, Submission
from cloud.store.signing import SigningRow
from fogline.engine.state import ReadingTerm
from fogline.model.part import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Progresses:
    """How far a plan's nodes are, and who was to run it when."""

    passed: dict[str, dict[str, int]]
    """By stream and node: up to where the node has sent everything, event time."""
    assignments: tuple[Assignment, ...]

    def on_stream(self, stream: str) -> dict[str, int]:
        """How far each node is on a stream."""
        return self.passed.get(stream, {})


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerTerms:
    """Every term of the ledger that the store counts, from one moment."""

    offsets: list[LedgerRow]
    journals: list[JournalRow]
    counters: dict[str, dict[ReadingTerm, int]]
    reports: list[bytes]
    """Serialised reports of the nodes, the ones that ``journals`` are of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Every plan and public name, and the generation of desired state, from one moment."""

    edition: int
    """Counts every change of them, and of assignments."""
    plans: list[PlanRow]
    releases: list[ReleaseRow]
    """The newest of each plan that has any."""
    pipelines: list[PipelineRow]
    generation: int
    keys: tuple[SigningRow, ...] = ()
    """Those that sign desired state, oldest first."""
    term: int = 1
    """In which aggregators assign."""
    deposed: tuple[str, ...] = ()
    """Keys of aggregators that were taken back."""


class Store(Protocol):
    """Durable state of the cloud. Every method is one transaction; all raise StoreBusy when the store is
    away.

    After :class:`fogline.model.errors.StoreBusy` of a writing method its outcome is unknown.
    """

    @property
    def incarnation(self) -> bytes:
        """Which life of the store this is: 16 bytes, new when it was created or restored from a backup."""
        ...

    @property
    def admissions(self) -> Admissions:
        """Who belongs to the installation."""
        ...

    @property
    def api_tokens(self) -> ApiTokens:
        """Which people and programs may ask."""
        ...

    @property
    def database(self) -> str:
        """What keeps it: ``sqlite`` or ``postgresql``."""
        ...

    async def renew_incarnation(self) -> bytes:
        """To be called once on a store that was restored from a backup, before anything else uses it."""
        ...

    async def commit(self, submissions: Sequence[Submission], now_us: int) -> Sequence[Answer]:
        """Commit parts, in this order, and return after it is durable (C1 to C7). Safe to repeat."""
        ...

    async def finish(self, step: StepToFinish, moved: Moved | None, now_us: int) -> PassOutcome:
        """Bring one bounded helping of a step's results up to date."""
        ...

    async def retire_states(self, tenant: str, plan: str, layout: Layout, before_us: int) -> int:
        """Drop some states of windows that end at or before this instant and are finished; how many rows went.

        In several short transactions. Nothing is left once it returns 0.
        """
        ...

    async def drop_results(self, tenant: str, plan: str, layout: Layout, before_us: int) -> int:
        """Drop some results whose states are gone and that last changed before this instant; how many rows went.

        Nothing is left once it returns 0.
        """
        ...

    async def progresses(self, tenant: str, plan: str) -> Progresses:
        """How far a plan's nodes are."""
        ...

    async def starts(self, tenant: str, plan: str) -> dict[Origin, int]:
        """Where a plan began on each origin."""
        ...

    async def deploy(self, new: NewPlan, now_us: int, edition: int | None = None) -> Deployment:
        """Make a plan its pipeline's newest, in this release.

        This and the other changes of plans raise :class:`cloud.store.book.Overtaken` and change nothing if the
        shelf that the caller has seen, of this ``edition``, is no longer the newest.
        """
        ...

    async def publish(self, plan: PlanRow, from_us: int, now_us: int, edition: int | None = None) -> None:
        """Let a candidate's results bear the pipeline's name from this window start on."""
        ...

    async def retire_plan(self, plan: PlanRow, now_us: int, edition: int | None = None) -> int:
        """Take a plan out of desired state; the new generation."""
        ...

    async def retire_node(self, tenant: str, node: str, now_us: int) -> bool:
        """Expect nothing more of a node; whether there was one."""
        ...

    async def shelf(self) -> Shelf:
        """Every plan and public name."""
        ...

    async def spec(self, tenant: str, plan: str) -> str:
        """The spec that a plan's newest release was deployed with; empty for a plan that is not there."""
        ...

    async def history(self, tenant: str, pipeline: str) -> list[PastRow]:
        """What a pipeline has run, in no order."""
        ...

    async def raise_term(self, over: int) -> int:
        """Depose whoever assigns in term ``over``, unless that was done since; the term now."""
        ...

    async def raise_generation(self, at_least: int) -> int:
        """Count the generation of desired state up beyond this; the new one."""
        ...

    async def signing_keys(self) -> tuple[SigningRow, ...]:
        """The keys that sign desired state, oldest first."""
        ...

    async def add_signing_key(self, row: SigningRow, *, over: int) -> int:
        """Let this key sign from now on: a new generation of desired state, the first key's apart; its number.

        Raises :class:`cloud.store.book.Overtaken` if the newest key was not the one of version ``over`` (0: none).
        """
        ...

    async def edition(self) -> int:
        """Number of the last change of plans, names or assignments, by whichever process."""
        ...

    async def take_reports(
        self, reports: Iterable[Report], now_us: int, aggregators: Iterable[AggregatorReport] = ()
    ) -> None:
        """Keep what nodes and aggregators report; new nodes are assigned to every running plan."""
        ...

    async def reports(self, known: Mapping[Machine, int] = NOTHING_KNOWN) -> list[Kept]:
        """The newest report of every machine that was not retired; without its text if ``known`` has it."""
        ...

    async def join(self, name: str) -> int:
        """Be one of the processes that commit into this store; the number of this one, higher than any before."""
        ...

    async def beat(self, member: int, gone: Iterable[int]) -> Mapping[int, int]:
        """Move a member's beat, strike off members that are gone; the beats of all that are left.

        The answer lacks a member that others have struck off.
        """
        ...

    async def leave(self, member: int) -> None:
        """Be a member no longer."""
        ...

    async def results(self, query: ResultQuery, after: Place | None = None) -> ResultPage:
        """Public results in the order of windows."""
        ...

    async def changes(self, query: ResultQuery, after: int) -> tuple[Result, ...]:
        """Public results that changed after this change, in the order of their changes."""
        ...

    async def newest_changes(self) -> dict[tuple[str, str], int]:
        """Number of the last change of every pipeline, by tenant and name."""
        ...

    async def newest_change(self, tenant: str, pipeline: str) -> int:
        """Number of the pipeline's last change; 0 before any."""
        ...

    async def live(self, tenant: str, plan: str, step: str, *, windows: int, keys: int) -> LiveStep:
        """A step's newest windows, and some keys of the newest closed one."""
        ...

    async def readings(self, tenant: str) -> int:
        """Readings that were counted into states since the store was created."""
        ...

    async def unsettled(self) -> list[UnsettledRow]:
        """How many windows of each step may still change, and when the oldest of them ended."""
        ...

    async def ledger(self, tenant: str) -> LedgerTerms:
        """The ledger's terms."""
        ...
