"""What a step that yields rows gives for a batch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fogline.engine.batch import Batch


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowAnswer:
    """The rows that a step yields for a batch."""

    batch: Batch
    input_rows: NDArray[np.intp]
    """For each row of ``batch`` the row of the input that it comes from, ascending."""
    filtered: int
    """How many readings the WHERE left out."""
