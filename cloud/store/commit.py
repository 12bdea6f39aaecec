"""The commit: parts' states and offsets in one transaction (docs/protocol.md, C1 to C7)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from cloud.store.backend import Backend
from cloud.store.bulk import Put
from cloud.store.merging import drop_retired
from cloud.store.origins import Origins
from cloud.store.rows import Layout
from cloud.store.settlement import BatchOutcome, Position, Progress, Submission, progresses, settle_all
from cloud.store.stepping import StepCommit
from fogline.engine.merge import merge_all
from fogline.engine.state import PartState
from fogline.intake.marks import Mark
from fogline.model.clock import NEVER
from fogline.model.errors import NotFound
from fogline.model.part import Origin

_POSITIONS: Final = (
    "SELECT o.origin, o.start, o.position, o.messages, o.watermark, o.closed FROM offsets o "
    "WHERE o.origin {among} AND o.tenant = ? AND o.plan = ?"
)
_LOCKED: Final = " ORDER BY o.origin FOR UPDATE"
_BEGIN: Final = (
    "WITH given(origin, start) AS ({given}) "
    "INSERT INTO offsets (tenant, plan, origin, start, position, messages, watermark, closed, gone, touched_us) "
    "SELECT ?, ?, origin, start, start, 0, ?, 0, 0, ? FROM given ORDER BY origin "
    "ON CONFLICT (tenant, plan, origin) DO NOTHING RETURNING origin"
)
_UNBEGIN: Final = "DELETE FROM offsets WHERE origin {among} AND tenant = ? AND plan = ? RETURNING origin"
_OFFSETS: Final = Put(
    table="offsets",
    same=("tenant", "plan", "gone", "touched_us"),
    columns=("origin", "start", "position", "messages", "watermark", "closed"),
    kinds="iiiiii",
    conflict=(
        "ON CONFLICT (tenant, plan, origin) DO UPDATE SET position = excluded.position, "
        "messages = excluded.messages, watermark = excluded.watermark, closed = excluded.closed, "
        "gone = 0, touched_us = excluded.touched_us"
    ),
)
_GAPS: Final = Put(
    table="gaps",
    same=("tenant", "plan"),
    columns=("origin", "reason", "messages"),
    kinds="iti",
    conflict=(
        "ON CONFLICT (tenant, plan, origin, reason) DO UPDATE SET messages = gaps.messages + excluded.messages"
    ),
)
_COUNTERS: Final = Put(
    table="counters",
    same=("tenant", "plan"),
    columns=("stream", "step", "term", "reason", "readings"),
    kinds="tttti",
    conflict=(
        "ON CONFLICT (tenant, plan, stream, step, term, reason) "
        "DO UPDATE SET readings = counters.readings + excluded.readings"
    ),
)
_HORIZONS: Final = (
    "SELECT s.step, s.horizon_us FROM steps s WHERE s.step {among} AND s.tenant = ? AND s.plan = ?"
)
# Beside a finishing pass, which locks NO KEY UPDATE, and never beside retention, which locks UPDATE.
_HELD: Final = " ORDER BY s.step FOR KEY SHARE"

PlanName = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLayout:
    """What the commit needs to know of a plan."""

    tenant: str
    plan: str
    max_keys: int
    steps: Mapping[str, Layout]


Layouts = Mapping[PlanName, PlanLayout]


class Commit:
    """One batch of parts inside one writing transaction.

    On a database with several writers every transaction locks in one order, so that none waits for one that
    waits for it: offsets by plan and origin, then for each plan its steps, and for each step its windows by their
    start. Who holds a window holds its states.
    """

    def __init__(self, connection: Connection, backend: Backend, origins: Origins, now_us: int) -> None:
        self._connection = connection
        self._backend = backend
        self._origins = origins
        self._now_us = now_us

    def run(self, submissions: Sequence[Submission], layouts: Layouts) -> BatchOutcome:
        """Judge, merge and write; the caller commits. Raises :class:`NotFound` for an unknown plan."""
        for submission in submissions:
            if (submission.tenant, submission.plan) not in layouts:
                raise NotFound(f"there is no plan {submission.plan}")
        wanted = progresses(submissions)
        numbers = self._origins.numbers(self._connection, (at.origin for at in wanted))
        stored: dict[Progress, Position] = {}
        begun: dict[PlanName, set[int]] = {}
        for plan, starts in _by_plan(submissions).items():
            names = {numbers[origin]: Progress(*plan, origin) for origin in starts}
            begun[plan] = self._positions(plan, names, starts, stored)
        outcome = settle_all(submissions, stored)
        for plan, state in _merged(outcome.fresh).items():
            self._write_state(layouts[plan], state)
        if outcome.positions:
            self._write_positions(outcome, numbers)
        self._take_back(begun, {(at.tenant, at.plan, numbers[at.origin]) for at in outcome.positions})
        return outcome

    def _positions(
        self,
        plan: PlanName,
        names: Mapping[int, Progress],
        starts: Mapping[Origin, int],
        stored: dict[Progress, Position],
    ) -> set[int]:
        """Add a plan's rows of offsets to ``stored``, locked.

        A row that is not there cannot be locked. Where others write at the same time it is made first; which ones
        were is returned.
        """
        self._read_positions(plan, names, sorted(names), stored)
        missing = sorted(number for number, at in names.items() if at not in stored)
        if not missing or not self._backend.shared:
            return set()
        columns = (missing, [starts[names[number].origin] for number in missing])
        made = self._ask(_BEGIN, "ii", columns, (*plan, NEVER, self._now_us))
        self._read_positions(plan, names, missing, stored)
        return {row.origin for row in made}

    def _read_positions(
        self,
        plan: PlanName,
        names: Mapping[int, Progress],
        numbers: Sequence[int],
        stored: dict[Progress, Position],
    ) -> None:
        statement = _POSITIONS + _LOCKED if self._backend.shared else _POSITIONS
        for origin, start, offset, messages, watermark, closed in self._ask(statement, "i", (numbers,), plan):
            stored[names[origin]] = Position(
                start=start,
                offset=offset,
                messages=messages,
                mark=Mark(watermark=watermark, closed=bool(closed)),
            )

    def _take_back(self, begun: Mapping[PlanName, set[int]], written: set[tuple[str, str, int]]) -> None:
        """Rows that were made to be locked, and of which nothing was committed: a refusal leaves nothing."""
        for plan, numbers in begun.items():
            if unused := sorted(number for number in numbers if (*plan, number) not in written):
                self._ask(_UNBEGIN, "i", (unused,), plan)

    def _write_positions(self, outcome: BatchOutcome, numbers: Mapping[Origin, int]) -> None:
        plans: dict[PlanName, list[tuple[int, ...]]] = {}
        for at, position in outcome.positions.items():
            mark = position.mark
            figures = (position.start, position.offset, position.messages, mark.watermark, int(mark.closed))
            plans.setdefault((at.tenant, at.plan), []).append((numbers[at.origin], *figures))
        for plan, rows in sorted(plans.items()):
            self._put(_OFFSETS, (*plan, 0, self._now_us), sorted(rows))
        gaps: dict[PlanName, list[tuple[int, str, int]]] = {}
        for (at, reason), messages in outcome.gaps.items():
            gaps.setdefault((at.tenant, at.plan), []).append((numbers[at.origin], reason, messages))
        for plan, dropped in sorted(gaps.items()):
            self._put(_GAPS, plan, sorted(dropped))

    def _write_state(self, plan: PlanLayout, state: PartState) -> None:
        name = (plan.tenant, plan.plan)
        if state.tables:
            state = drop_retired(state, plan.steps, self._horizons(name, [t.step for t in state.tables]))
        for table in sorted(state.tables, key=lambda table: table.step):
            layout = plan.steps[table.step]
            StepCommit(
                self._connection, self._backend, name, layout, max_keys=plan.max_keys, now_us=self._now_us
            ).run(table)
        counts = [
            (of.stream, of.step, of.term, of.reason, readings)
            for of, readings in sorted(state.counts.items())
            if readings
        ]
        if counts:
            self._put(_COUNTERS, name, counts)

    def _horizons(self, plan: PlanName, steps: Sequence[str]) -> dict[str, int]:
        """Up to where states were let go; not raised before this transaction ends."""
        statement = _HORIZONS + _HELD if self._backend.shared else _HORIZONS
        return dict(self._ask(statement, "t", (steps,), plan))

    def _ask(
        self, statement: str, kinds: str, columns: Sequence[Sequence[Any]], values: Sequence[Any]
    ) -> Any:
        return self._backend.bulk.ask(self._connection, statement, kinds, columns, values)

    def _put(self, put: Put, same: Sequence[Any], rows: Sequence[tuple[Any, ...]]) -> None:
        self._backend.bulk.put(self._connection, put, same, list(zip(*rows, strict=True)))


def _by_plan(submissions: Iterable[Submission]) -> dict[PlanName, dict[Origin, int]]:
    """Where each origin that is spoken of starts, by plan in the order of names."""
    plans: dict[PlanName, dict[Origin, int]] = {}
    for submission in submissions:
        starts = plans.setdefault((submission.tenant, submission.plan), {})
        for contribution in submission.part.contributions:
            starts.setdefault(contribution.origin, contribution.start)
    return dict(sorted(plans.items()))


def _merged(fresh: Iterable[Submission]) -> dict[PlanName, PartState]:
    """The fresh states of each plan, as one."""
    states: dict[PlanName, list[PartState]] = {}
    for submission in fresh:
        states.setdefault((submission.tenant, submission.plan), []).append(submission.part.state)
    return {plan: merge_all(states[plan]) for plan in sorted(states)}
