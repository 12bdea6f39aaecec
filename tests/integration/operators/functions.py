"""Operators for the tests: served by ``python -m fogline.operator functions:NAME`` in a process of their own."""

import os
import sys
from pathlib import Path

from fogline.operator import Batch, operator

POISON = 13
"""A reading with this number is the one that an operator chokes on."""
HELD = 7
"""A batch with this number waits at the gate."""
GATE = "gate"
REACHED = "reached"


@operator(columns=["seq"])
def twice(batch: Batch) -> Batch:
    """No row for odd numbers, two for multiples of four."""
    good = batch.filter(batch["seq"] % 2 == 0)
    rows = [row for row, seq in enumerate(good["seq"]) for _ in range(2 if seq % 4 == 0 else 1)]
    return good.take(rows).with_columns(device="d", score=good.take(rows)["seq"] / 2)


@twice.on_start
def begin() -> None:
    Path("began").touch()


@twice.on_stop
def end() -> None:
    Path("ended").touch()


@operator
def deadly(batch: Batch) -> Batch:
    """Dies of one number."""
    if (batch["seq"] == POISON).any():
        os._exit(3)
    return twice(batch)


@operator
def careless(batch: Batch) -> Batch:
    """Raises on one number, leaves with another, and makes far too much of a third."""
    if (batch["seq"] == POISON).any():
        raise ValueError("thirteen")
    if (batch["seq"] == POISON + 1).any():
        sys.exit("fourteen")
    if (batch["seq"] == POISON + 2).any():
        return batch.take([0] * 100_000).with_columns(score=0.0)
    return twice(batch)


@operator
def gated(batch: Batch) -> Batch:
    """Stands in the middle of a batch, the first time that it is asked."""
    if (batch["seq"] == HELD).any() and not Path(REACHED).exists():
        Path(REACHED).touch()
        Path(GATE).read_bytes()  # a pipe that nobody writes to
    return twice(batch)
