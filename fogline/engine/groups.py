"""Grouping: which rows belong together, and what becomes of their values. No Python step a row.

Measured at 10,000 rows in 18 groups: ``ufunc.at`` costs 1.5 to 2.5 ns a row, sorting 64-bit codes first 20
ns. Only floats are sorted for (as 16-bit codes, 2.4 ns): summed pairwise, they keep their last digits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fogline.engine.batch import Floats, Integers
from fogline.engine.state import OVERFLOWED, Indexes, Lengths, Ranks

Places = NDArray[np.intp]

DENSE_CELLS: Final = 1 << 12
"""Up to so many cells an array with a place for each is cheaper than sorting, whatever the number of rows."""

DENSE_CELLS_A_ROW: Final = 8

FEW_FLOATS: Final = 256
"""So few can be summed one after another without an error that counts (256 * 2**-53 is 3e-14)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Groups:
    """Which group each row is in; groups are numbered in ascending order of their codes."""

    of_row: Places
    count: int

    def take(self, rows: NDArray[np.bool_] | None) -> "Groups":
        """Leave out rows; the groups stay. ``None`` leaves out none."""
        return self if rows is None else Groups(of_row=self.of_row[rows], count=self.count)

    def any_row(self) -> Places:
        """Tell one row of each group."""
        rows = np.zeros(self.count, dtype=np.intp)
        rows[self.of_row] = np.arange(len(self.of_row))
        return rows


def is_dense(cells: int, rows: int) -> bool:
    """Whether an array with a place for every cell is cheaper than sorting the rows."""
    return cells <= max(DENSE_CELLS, DENSE_CELLS_A_ROW * rows)


def group(rows: int, columns: Sequence[tuple[Integers, int]]) -> Groups:
    """Group rows by columns of codes, each with its number of codes: every code is below it and not negative.

    The first column is the most significant one in the order of the groups.
    """
    codes: Integers = np.zeros(rows, dtype=np.int64)
    cells = 1
    for column, size in columns:
        # Numbered anew where the product of the sizes outgrows the rows, it never outgrows int64.
        if cells * size > 2**62:
            codes, cells = _renumbered(codes, cells)
        if cells * size > 2**62:
            column, size = _renumbered(column, size)  # noqa: PLW2901 - the same column in fewer codes
        codes = codes * size + column if cells > 1 else column
        cells *= size
    of_row, count = _renumbered(codes, cells)
    return Groups(of_row=of_row.astype(np.intp, copy=False), count=count)


def _renumbered(codes: Integers, cells: int) -> tuple[Integers, int]:
    """Give the codes that occur numbers from 0, in their order."""
    if is_dense(cells, len(codes)):
        present = np.bincount(codes, minlength=cells) > 0
        numbers = np.cumsum(present) - 1
        return numbers[codes], int(present.sum())
    distinct, places = np.unique(codes, return_inverse=True)
    return places.astype(np.int64, copy=False), len(distinct)


def run_starts(in_order: NDArray[np.integer]) -> Places:
    """Tell where in a sorted column a new value begins."""
    begins = np.ones(len(in_order), dtype=np.bool_)
    np.not_equal(in_order[1:], in_order[:-1], out=begins[1:])
    return np.flatnonzero(begins)


def counts(groups: Groups) -> Integers:
    """Count the rows of each group."""
    return np.bincount(groups.of_row, minlength=groups.count).astype(np.int64, copy=False)


def integer_sums(groups: Groups, values: Integers) -> Integers:
    """Sum integers exactly; what leaves int64, or meets :data:`OVERFLOWED`, is :data:`OVERFLOWED`."""
    sums = np.zeros(groups.count, dtype=np.int64)
    if not len(values):
        return sums
    greatest = max(-int(values.min()), int(values.max()))
    if greatest * len(values) < 2**63:
        np.add.at(sums, groups.of_row, values)
        return sums
    # Halves of 32 bits cannot overflow below 2**31 rows; Python's integers join them.
    low, high = np.zeros_like(sums), np.zeros_like(sums)
    np.add.at(low, groups.of_row, values & 0xFFFFFFFF)
    np.add.at(high, groups.of_row, values >> 32)
    spoilt = np.zeros(groups.count, dtype=np.bool_)
    spoilt[groups.of_row[values == OVERFLOWED]] = True
    totals = [(h << 32) + part for h, part in zip(high.tolist(), low.tolist(), strict=True)]
    fits = [not bad and -(2**63) < total < 2**63 for total, bad in zip(totals, spoilt.tolist(), strict=True)]
    return np.array([t if ok else OVERFLOWED for t, ok in zip(totals, fits, strict=True)], dtype=np.int64)


def float_sums(groups: Groups, values: Floats) -> Floats:
    """Sum floats pairwise within each group; a sum that leaves their range is infinite or NaN."""
    sums = np.zeros(groups.count)
    if not len(values):
        return sums
    with np.errstate(over="ignore", invalid="ignore"):
        if len(values) <= FEW_FLOATS:
            np.add.at(sums, groups.of_row, values)
            return sums
        narrow = groups.of_row.astype(np.uint16) if groups.count <= 1 << 16 else groups.of_row
        order = np.argsort(narrow, kind="stable")
        sorted_groups = groups.of_row[order]
        starts = run_starts(sorted_groups)
        sums[sorted_groups[starts]] = np.add.reduceat(values[order], starts)
    return sums


def minima(groups: Groups, values: Floats) -> Floats:
    """Find the least of each group, +inf where there is none."""
    least = np.full(groups.count, np.inf)
    np.minimum.at(least, groups.of_row, values)
    return least


def maxima(groups: Groups, values: Floats) -> Floats:
    """Find the greatest of each group, -inf where there is none."""
    greatest = np.full(groups.count, -np.inf)
    np.maximum.at(greatest, groups.of_row, values)
    return greatest


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Maps:
    """A sparse map a group: entries of group after group, each in ascending order of index."""

    lengths: Lengths
    indexes: Indexes
    values: Integers


def added_maps(groups: Groups, indexes: Indexes, values: Integers | None = None) -> Maps:
    """Add up the values (``None``: one a row) of each group and index."""
    return _maps(groups, indexes, values, np.add)


def greatest_maps(groups: Groups, indexes: Indexes, values: Ranks) -> Maps:
    """Find the greatest value, at least 1, of each group and index."""
    return _maps(groups, indexes, values.astype(np.int64), np.maximum)


def _maps(groups: Groups, indexes: Indexes, values: Integers | None, operation: np.ufunc) -> Maps:
    if not len(indexes):
        nothing = np.zeros(groups.count, dtype=np.uint32)
        return Maps(lengths=nothing, indexes=indexes, values=np.zeros(0, dtype=np.int64))
    least = int(indexes.min())
    span = int(indexes.max()) - least + 1
    cells = groups.of_row.astype(np.int64) * span + (indexes - np.int64(least))
    if is_dense(groups.count * span, len(cells)):
        if values is None:
            totals = np.bincount(cells, minlength=groups.count * span)
        else:
            totals = np.zeros(groups.count * span, dtype=np.int64)
            operation.at(totals, cells, values)
        found = np.flatnonzero(totals)
        reduced = totals[found]
    else:
        found, reduced = _sorted_cells(cells, values, operation)
    return Maps(
        lengths=np.bincount(found // span, minlength=groups.count).astype(np.uint32),
        indexes=(found % span + least).astype(np.int32),
        values=reduced.astype(np.int64, copy=False),
    )


def _sorted_cells(cells: Integers, values: Integers | None, operation: np.ufunc) -> tuple[Integers, Integers]:
    if values is None:
        return np.unique(cells, return_counts=True)
    order = np.argsort(cells, kind="stable")
    in_order = cells[order]
    starts = run_starts(in_order)
    return in_order[starts], operation.reduceat(values[order], starts)
