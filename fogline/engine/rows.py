"""Row queries: SELECT and WHERE over a batch."""

from typing import Final

import numpy as np

from fogline.engine.answer import RowAnswer
from fogline.engine.batch import Batch
from fogline.engine.expression import Evaluation, InvalidExpression, true_rows
from fogline.engine.groups import Places
from fogline.model.plan import Expression, RowQuery, StepSpec


def select(where: Expression | None, batch: Batch) -> tuple[Batch, Places]:
    """Keep the readings for which a condition is true: neither false nor null."""
    if where is None:
        return batch, np.arange(batch.rows)
    rows = np.flatnonzero(true_rows(where, batch))
    return (batch if len(rows) == batch.rows else batch.take(rows)), rows


class RowProgram:
    """A row query, ready to run."""

    def __init__(self, step: StepSpec) -> None:
        if not isinstance(step.query, RowQuery):
            raise InvalidExpression(f"step {step.name!r} is no row query")
        self._where: Final = step.where
        self._columns: Final = step.query.columns

    def run(self, batch: Batch) -> RowAnswer:
        """Compute the columns of the readings for which the WHERE is true; their event time stays.

        Raises :class:`InvalidExpression` if the batch has not the columns that the query needs.
        """
        kept, rows = select(self._where, batch)
        evaluation = Evaluation(kept)
        columns = {named.name: evaluation.column(named.expression) for named in self._columns}
        return RowAnswer(
            batch=Batch(rows=kept.rows, time_us=kept.time_us, columns=columns),
            input_rows=rows,
            filtered=batch.rows - kept.rows,
        )
