"""What the parts of the gateway hand to each other."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from fog_node.operators.link import Link
from fog_node.operators.quarantine import Quarantine
from fog_node.operators.settings import OperatorSettings
from fogline.engine.batch import Batch, BatchColumn, NumberColumn, TextColumn, TruthColumn
from fogline.model.clock import Clock
from fogline.model.plan import OutputColumn

ROWS: Final = 65_536
"""Rows of one batch on the wire; a block with more readings goes in several."""
SPARE: Final = 4
"""A batch of numbers takes at most this part of a message: an answer may have several rows for each of its rows."""

Broken = Callable[[str, str, int, str, str], None]
"""Told of a replica that must be killed and started again: plan, step, replica, event (as in
``ContainerEvent.event``: `timed_out`, `bad_answer`, `exited`, `not_started`), and what happened in words.
"""


class StepKey(NamedTuple):
    """An operator step of a plan."""

    plan: str
    step: str


@dataclass(slots=True)
class Counters:
    """Since the step was made. Counts only up."""

    batches: int = 0
    rows_in: int = 0
    rows_out: int = 0
    quarantined_messages: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepAround:
    """What a step has around it."""

    settings: OperatorSettings
    clock: Clock
    quarantine: Quarantine
    broken: Broken
    changed: Callable[[], None]
    """Deadlines are others now."""
    started: Callable[[Link], None]
    """Runs a link."""


def rows_at_once(message_bytes: int, columns: int) -> int:
    """How many rows go in one batch, where the wider of batch and answer has so many columns."""
    return max(1, min(ROWS, message_bytes // SPARE // (9 * (columns + 1))))


def nothing(output: Iterable[OutputColumn]) -> Batch:
    """No rows of these columns."""
    columns: dict[str, BatchColumn] = {}
    for one in output:
        if one.type == "text":
            columns[one.name] = TextColumn(codes=np.zeros(0, dtype=np.int32), dictionary=())
        elif one.type == "bool":
            columns[one.name] = TruthColumn(values=np.zeros(0, dtype=np.bool_))
        elif one.type == "int":
            columns[one.name] = NumberColumn(values=np.zeros(0, dtype=np.int64))
        else:
            columns[one.name] = NumberColumn(values=np.zeros(0, dtype=np.float64), resolution=one.resolution)
    return Batch(rows=0, time_us=np.zeros(0, dtype=np.int64), columns=columns)
