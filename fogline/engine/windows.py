"""Window queries: readings to partial states by pane and key."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from fogline.engine.batch import Batch, Integers
from fogline.engine.expression import Evaluation, InvalidExpression
from fogline.engine.function import enter
from fogline.engine.groups import counts, group
from fogline.engine.keys import key_column, key_of
from fogline.engine.merge import limit_keys
from fogline.engine.rows import select
from fogline.engine.state import READINGS, DenseState, StateTable
from fogline.model.plan import StepSpec, WindowQuery


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WindowAnswer:
    """The states of one batch; ``counted`` and ``filtered`` are readings, and together all of the batch."""

    table: StateTable
    counted: int
    filtered: int


class WindowProgram:
    """A window query, ready to run. Keeps nothing between batches: who wants more merges the answers."""

    def __init__(self, step: StepSpec, max_keys: int) -> None:
        if not isinstance(step.query, WindowQuery):
            raise InvalidExpression(f"step {step.name!r} is no window query")
        if step.query.width_us < 1 or max_keys < 1:
            raise InvalidExpression(f"step {step.name!r} needs a width and a number of keys of at least 1")
        self._step: Final = step
        self._query: Final = step.query
        self._max_keys: Final = max_keys

    def run(self, batch: Batch) -> WindowAnswer:
        """Compute the states of the readings for which the WHERE is true, a row for each pane and key.

        At most ``max_keys`` keys a pane and ``(other)``. Raises :class:`InvalidExpression` if the batch has
        not the columns that the query needs.
        """
        kept, _ = select(self._step.where, batch)
        evaluation = Evaluation(kept)
        keys = [key_of(evaluation.column(named.expression)) for named in self._query.keys]
        panes, first, spread = _panes(kept.time_us, self._query.width_us)
        groups = group(kept.rows, [(panes, spread), *((codes, len(texts) + 1) for codes, texts in keys)])
        rows = groups.any_row()
        states = [
            enter(state, None if state.argument is None else evaluation.column(state.argument), groups)
            for state in self._query.states
        ]
        named_keys = zip(self._query.keys, keys, strict=True)
        table = StateTable(
            step=self._step.name,
            pane_width_us=self._query.width_us,
            pane_start=(panes[rows] + first) * self._query.width_us,
            keys=tuple(key_column(named.name, key, rows) for named, key in named_keys),
            states=(DenseState(name=READINGS, kind="sum_i64", values=counts(groups)), *states),
        )
        return WindowAnswer(
            table=limit_keys(table, self._max_keys),
            counted=kept.rows,
            filtered=batch.rows - kept.rows,
        )


def _panes(time_us: Integers, width_us: int) -> tuple[Integers, int, int]:
    """Count the panes of readings from 0; tell which pane since 1970 that is, and how many there are."""
    if not len(time_us):
        return time_us, 0, 1
    first = int(time_us.min()) // width_us
    spread = int(time_us.max()) // width_us - first + 1
    if spread == 1:  # the common case: a batch of one moment
        return np.zeros(len(time_us), dtype=np.int64), first, 1
    return time_us // width_us - first, first, spread
