"""Recognises what devices themselves repeat.

A reading is a repeat when another of the same identity arrived at most ``within`` before it. Every arrival
counts, repeats too, so that the verdict is a function of the journal in the ``within`` before the reading: a
lane that starts again anywhere re-reads just that stretch (:meth:`Repeats.remember`) and judges as it did
before.
"""

from collections import OrderedDict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fogline.engine.batch import Batch, NumberColumn, TextColumn
from fogline.model.plan import Identity


class Repeats:
    """Identities seen lately, on one stream of one node, in the order of the journal."""

    def __init__(self, identity: Identity) -> None:
        self._names: Final = identity.names
        self._within: Final = identity.within_us
        self._seen: OrderedDict[tuple[Any, ...], int] = OrderedDict()

    def remember(self, batch: Batch, arrival_us: NDArray[np.int64]) -> None:
        """Take note of readings that lie before those that will be judged."""
        self.judge(batch, arrival_us)

    def judge(self, batch: Batch, arrival_us: NDArray[np.int64]) -> NDArray[np.bool_]:
        """For each reading, whether it repeats an earlier one; its arrival is noted either way."""
        columns = [_values(batch.columns[name]) for name in self._names]
        repeats = np.zeros(batch.rows, dtype=np.bool_)
        seen = self._seen
        for index, (arrival, identity) in enumerate(
            zip(arrival_us.tolist(), zip(*columns, strict=True), strict=True)
        ):
            before = seen.get(identity)
            if before is not None and arrival - before <= self._within:
                repeats[index] = True
            seen[identity] = max(arrival, before if before is not None else arrival)
            seen.move_to_end(identity)
        if batch.rows:
            self._expire(int(arrival_us.max()))
        return repeats

    def _expire(self, now_us: int) -> None:
        while self._seen:
            identity, arrival = next(iter(self._seen.items()))
            if now_us - arrival <= self._within:
                break
            del self._seen[identity]


def _values(column: Any) -> list[Any]:
    """A column as Python values, null as None."""
    if isinstance(column, TextColumn):
        texts = (*column.dictionary, None)  # code -1 finds the last
        return [texts[code] for code in column.codes.tolist()]
    if isinstance(column, NumberColumn):
        values: list[Any] = column.values.tolist()
        if column.valid is None:
            return values
        return [v if ok else None for v, ok in zip(values, column.valid.tolist(), strict=True)]
    raise TypeError(f"{type(column).__name__} cannot be part of an identity")
