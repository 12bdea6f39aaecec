"""Conditions with SQL's three values, and choices between columns."""

from collections.abc import Sequence

import numpy as np

from fogline.engine.batch import NULL_TEXT, BatchColumn, NumberColumn, TextColumn, TruthColumn, Truths
from fogline.engine.columns import Unified, all_valid, as_truths, is_float, mask_of, unified, valid_of

Columns = Sequence[BatchColumn]


def every(columns: Columns) -> TruthColumn:
    """AND: false if one is false, else null if one is null, else true."""
    truths = [as_truths(column) for column in columns]
    values = truths[0].values
    for truth in truths[1:]:
        values = values & truth.values
    valid = all_valid(truths)
    if valid is None:
        return TruthColumn(values=values)
    false = np.zeros(len(valid), dtype=np.bool_)
    for truth in truths:
        false |= _known(truth, truth.values, wanted=False)
    return TruthColumn(values=values & ~false, valid=valid | false)


def some(columns: Columns) -> TruthColumn:
    """OR: true if one is true, else null if one is null, else false."""
    truths = [as_truths(column) for column in columns]
    true = np.zeros(len(columns[0]), dtype=np.bool_)
    for truth in truths:
        true |= _known(truth, truth.values, wanted=True)
    valid = all_valid(truths)
    return TruthColumn(values=true, valid=None if valid is None else valid | true)


def negation(columns: Columns) -> TruthColumn:
    """NOT: null stays null."""
    truth = as_truths(columns[0])
    return TruthColumn(values=~truth.values, valid=truth.valid)


def is_true(column: BatchColumn) -> Truths:
    """Tell where a condition is true: neither false nor null."""
    truth = as_truths(column)
    return _known(truth, truth.values, wanted=True)


def _known(truth: TruthColumn, values: Truths, *, wanted: bool) -> Truths:
    found = values if wanted else ~values
    return found if truth.valid is None else found & truth.valid


def is_null(columns: Columns) -> TruthColumn:
    """Tell where a column is null."""
    return TruthColumn(values=~mask_of(valid_of(columns[0]), len(columns[0])))


def equal(columns: Columns) -> TruthColumn:
    """Compare for equality; texts by code point."""
    return _compared(columns, np.equal)


def unequal(columns: Columns) -> TruthColumn:
    """Compare for difference."""
    return _compared(columns, np.not_equal)


def less(columns: Columns) -> TruthColumn:
    """Compare for less."""
    return _compared(columns, np.less)


def at_most(columns: Columns) -> TruthColumn:
    """Compare for less or equal."""
    return _compared(columns, np.less_equal)


def greater(columns: Columns) -> TruthColumn:
    """Compare for greater."""
    return _compared(columns, np.greater)


def at_least(columns: Columns) -> TruthColumn:
    """Compare for greater or equal."""
    return _compared(columns, np.greater_equal)


def _compared(columns: Columns, comparison: np.ufunc) -> TruthColumn:
    a, b = unified(columns)
    return TruthColumn(values=comparison(_ordered(a), _ordered(b)), valid=all_valid((a, b)))


def _ordered(column: BatchColumn) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    """Numbers that compare as the values do. Only for columns that were unified with each other."""
    if not isinstance(column, TextColumn):
        return column.values
    if list(column.dictionary) == sorted(column.dictionary):
        return column.codes
    rank = np.empty(len(column.dictionary) + 1, dtype=np.int32)
    order = sorted(range(len(column.dictionary)), key=column.dictionary.__getitem__)
    rank[order] = np.arange(len(order))
    rank[-1] = NULL_TEXT
    return rank[column.codes]


def first_known(columns: Columns) -> BatchColumn:
    """COALESCE: the first that is not null."""
    same = unified(columns)
    return _chosen([mask_of(valid_of(column), len(column)) for column in same], same)


def null_if_equal(columns: Columns) -> BatchColumn:
    """NULLIF: the first column, null where it equals the second."""
    return _nulled(columns[0], is_true(equal(columns)))


def case(columns: Columns) -> BatchColumn:
    """CASE: condition, value, condition, value, ...; a last column without a condition is the ELSE."""
    pairs = len(columns) // 2
    conditions = [is_true(columns[2 * place]) for place in range(pairs)]
    values: list[BatchColumn] = [columns[2 * place + 1] for place in range(pairs)]
    if len(columns) % 2:
        conditions.append(np.ones(len(columns[0]), dtype=np.bool_))
        values.append(columns[-1])
    return _chosen(conditions, unified(values))


def least(columns: Columns) -> BatchColumn:
    """LEAST: the least that is not null."""
    return _extreme(columns, np.less)


def greatest(columns: Columns) -> BatchColumn:
    """GREATEST: the greatest that is not null."""
    return _extreme(columns, np.greater)


def _extreme(columns: Columns, better: np.ufunc) -> BatchColumn:
    first, *others = unified(columns)
    best: BatchColumn = first
    for other in others:
        wins = is_true(TruthColumn(values=better(_ordered(other), _ordered(best)), valid=valid_of(other)))
        known = valid_of(best)
        if known is not None:
            wins = wins | ~known
        best = _chosen([wins, np.ones(len(wins), dtype=np.bool_)], unified([other, best]))
    return best


def _chosen(conditions: list[Truths], columns: Unified) -> BatchColumn:
    """Take each row from the first column whose condition holds; null if none does."""
    first = columns[0]
    if isinstance(first, TextColumn):
        codes = np.select(conditions, [c.codes for c in columns if isinstance(c, TextColumn)], NULL_TEXT)
        return TextColumn(codes=codes.astype(np.int32, copy=False), dictionary=first.dictionary)
    known = [mask_of(valid_of(column), len(column)) for column in columns]
    valid = np.select(conditions, known, default=False)
    mask = None if valid.all() else valid
    values = np.select(conditions, [c.values for c in columns if not isinstance(c, TextColumn)], 0)
    if isinstance(first, TruthColumn):
        return TruthColumn(values=values.astype(np.bool_, copy=False), valid=mask)
    if is_float(first):
        return NumberColumn(values=values.astype(np.float64, copy=False), valid=mask)
    return NumberColumn(values=values.astype(np.int64, copy=False), valid=mask)


def _nulled(column: BatchColumn, nulls: Truths) -> BatchColumn:
    if isinstance(column, TextColumn):
        codes = np.where(nulls, np.int32(NULL_TEXT), column.codes)
        return TextColumn(codes=codes, dictionary=column.dictionary)
    valid = mask_of(column.valid, len(column)) & ~nulls
    if isinstance(column, TruthColumn):
        return TruthColumn(values=column.values, valid=valid)
    return NumberColumn(values=column.values, valid=valid)
