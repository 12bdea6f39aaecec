"""The steps of one plan behind one stream.

A row step takes a batch and answers with rows that name their input rows; it may answer later, and blocks
that are under way together may be answered in any order. SQL runs in this process and answers at once.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from fog_node.decode.stream import Decoded
from fog_node.messages import Range
from fogline.engine.answer import RowAnswer
from fogline.engine.batch import Batch
from fogline.engine.rows import RowProgram
from fogline.engine.state import PartState, ReadingTerm
from fogline.engine.windows import WindowProgram
from fogline.model.errors import FogError
from fogline.model.plan import OperatorQuery, Plan, RowQuery, StepSpec, WindowQuery

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class StepFailed(FogError):
    """A step could not answer; the same messages will be tried again."""

    code = "step_failed"


class BlockGivenUp(StepFailed):
    """An operator failed on a block's batch again and again: its messages become a gap of this plan alone."""


class RowStep(Protocol):
    """Whatever turns a batch into rows."""

    async def answer(self, batch: Batch, messages: Range) -> RowAnswer:
        """Rows for one batch, 0..n for each input row; ``messages``: those that the batch was made of.

        Raises :class:`BlockGivenUp`.
        """
        ...


class SqlRowStep:
    """A row query, evaluated in this process."""

    def __init__(self, step: StepSpec) -> None:
        self._program: Final = RowProgram(step)

    async def answer(self, batch: Batch, messages: Range) -> RowAnswer:  # noqa: ARG002 - SQL asks nobody
        return self._program.run(batch)


@dataclass(frozen=True, slots=True)
class _Windows:
    step: StepSpec
    program: WindowProgram


class StreamGraph:
    """Runs every step of a plan that stands behind one stream."""

    def __init__(self, plan: Plan, stream: str, row_steps: Mapping[str, RowStep]) -> None:
        """``row_steps``: who answers for each row step, by the step's name."""
        steps = [step for step in plan.steps if step.stream == stream]
        self._stream: Final = stream
        self._rows: Final = [(s, row_steps[s.name]) for s in steps if not isinstance(s.query, WindowQuery)]
        self._windows: Final = [
            _Windows(s, WindowProgram(s, plan.max_keys)) for s in steps if isinstance(s.query, WindowQuery)
        ]
        self.answers_at_once: Final = all(isinstance(runner, SqlRowStep) for _, runner in self._rows)
        """No step is waited for: nothing is won by having several blocks under way."""
        self.widths_us: Final[Sequence[int]] = sorted(
            {s.query.width_us for s in steps if isinstance(s.query, WindowQuery)}
        )

    async def run(self, decoded: Decoded, messages: Range) -> PartState:
        """The partial states of one block, and what became of its readings.

        Raises :class:`StepFailed` when a step breaks: this plan's lane then stands still, and no other.
        :class:`BlockGivenUp` when an operator has failed too often on the block.
        """
        try:
            return await self._run(decoded, messages)
        except BlockGivenUp:
            raise
        except Exception as error:
            _log.exception("a step broke", stream=self._stream)
            raise StepFailed(
                f"a step behind stream {self._stream} broke: {error!r}", hint="see the node's log"
            ) from error

    async def _run(self, decoded: Decoded, messages: Range) -> PartState:
        batches = {self._stream: decoded.batch}
        filtered = {self._stream: 0}
        counts = Counter[ReadingTerm]()
        self._count_decoded(decoded, counts)
        for step, runner in self._rows:
            source = batches[step.source]
            answer = await runner.answer(source, messages)
            batches[step.name] = answer.batch
            filtered[step.name] = filtered[step.source]
            if isinstance(step.query, OperatorQuery):
                # Terms of its own: rows that it left out, and those beyond one a reading.
                made = answer.batch.rows - (source.rows - answer.filtered)
                counts[ReadingTerm(self._stream, step.name, "decoded", "")] += made
                counts[ReadingTerm(self._stream, step.name, "filtered", "")] += answer.filtered
            else:
                filtered[step.name] += answer.filtered
        tables = []
        for windows in self._windows:
            step = windows.step
            answered = windows.program.run(batches[step.source])
            counts[ReadingTerm(self._stream, step.name, "counted", "")] += answered.counted
            counts[ReadingTerm(self._stream, step.name, "filtered", "")] += (
                answered.filtered + filtered[step.source]
            )
            if answered.table.rows:
                tables.append(answered.table)
        return PartState(tables=tuple(tables), counts={term: n for term, n in counts.items() if n})

    def _count_decoded(self, decoded: Decoded, counts: Counter[ReadingTerm]) -> None:
        counts[ReadingTerm(self._stream, "", "decoded", "")] += decoded.decoded
        for reason, n in decoded.dead.items():
            counts[ReadingTerm(self._stream, "", "dead", reason)] += n
        for reason, n in decoded.too_late.items():
            counts[ReadingTerm(self._stream, "", "too_late", reason)] += n


def sql_row_steps(plan: Plan) -> dict[str, RowStep]:
    """Row steps that run in this process."""
    return {step.name: SqlRowStep(step) for step in plan.steps if isinstance(step.query, RowQuery)}
