"""Quantiles from logarithmic buckets: a value is known to 1 %, and buckets of any readings add up exactly.

After Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees",
PVLDB 12(12), 2019. As in its fast variants the logarithm is interpolated, by a cubic between two powers of
two: only additions and multiplications of IEEE floats, so that every processor puts a value into the same
bucket (a library's logarithm differs in its last digit from machine to machine). It costs 1 % more buckets.

Buckets of positive values have positive indexes, those of negative ones the same with the sign changed, 0
counts zeros. A value nearer to zero than 2.3e-308 (a subnormal float) counts as zero.
"""

from typing import Final

import numpy as np

from fogline.engine.batch import Floats, Integers
from fogline.engine.groups import Places
from fogline.engine.state import Indexes, SparseState

ALPHA: Final = 0.01
"""The relative error of a quantile's value is at most this."""

# The cubic through 0 and 1 over a mantissa's fraction whose steepness differs least from the logarithm's.
_A, _B, _C = 6 / 35, -3 / 5, 10 / 7

_STEPS: Final = 34.999
"""Buckets a power of two. Where the cubic is flattest, at 10/7 ln 2 of the logarithm's steepness, a bucket's
ends are (1 + alpha) : (1 - alpha) apart at 34.9988."""

_LEAST_EXPONENT: Final = -1022
_SMALLEST: Final = 2.0**_LEAST_EXPONENT
_GREATEST: Final = np.finfo(np.float64).max
_SHIFT: Final = 1 - int(np.floor(_LEAST_EXPONENT * _STEPS))
"""Added to the index of a positive value, so that the smallest is 1. The greatest is below 2**17."""


def bucket_indexes(values: Floats) -> Indexes:
    """Tell the bucket of each finite value."""
    magnitudes = np.abs(values)
    bits = magnitudes.view(np.int64)
    exponents = (bits >> 52) - 1023
    fractions = ((bits & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000).view(np.float64) - 1.0
    logarithms = exponents + ((_A * fractions + _B) * fractions + _C) * fractions
    indexes = np.floor(logarithms * _STEPS).astype(np.int32) + np.int32(_SHIFT)
    signed = np.where(values < 0, -indexes, indexes)
    return np.where(magnitudes < _SMALLEST, np.int32(0), signed)


def bucket_values(indexes: Indexes) -> Floats:
    """Tell the value in each bucket from which both ends are equally far, relatively."""
    steps = np.abs(indexes).astype(np.float64) - _SHIFT
    with np.errstate(over="ignore"):  # the last bucket ends beyond the greatest float
        low, high = (np.minimum(_powers(end / _STEPS), _GREATEST) for end in (steps, steps + 1))
    # 2 / (1/low + 1/high), in an order that stays below the greatest float.
    middle = low * (2 / (1 + low / high))
    values: Floats = np.where(indexes == 0, 0.0, np.copysign(middle, indexes))
    return values


def _powers(logarithms: Floats) -> Floats:
    """Invert the interpolated logarithm: exponent and, by Newton's method, the fraction."""
    exponents = np.floor(logarithms)
    wanted = logarithms - exponents
    fractions = np.exp2(wanted) - 1
    for _ in range(4):
        error = ((_A * fractions + _B) * fractions + _C) * fractions - wanted
        fractions -= error / ((3 * _A * fractions + 2 * _B) * fractions + _C)
    powers: Floats = np.ldexp(1 + fractions, exponents.astype(np.int32))
    return powers


def quantiles(state: SparseState, quantile: float) -> tuple[Floats, Integers]:
    """Estimate a quantile of every row; tell the values, and how many readings each row has (0: no value).

    It is the value of nearest rank: the least with at least this share of the readings at or below it.
    """
    totals = _prefix(state.values.astype(np.int64, copy=False))
    ends = np.cumsum(state.lengths, dtype=np.int64)
    starts = ends - state.lengths
    readings = totals[ends] - totals[starts]
    # 0.07 * 100 is 7.000000000000001 and has rank 7, not 8.
    ranks = np.clip(np.ceil(np.round(quantile * readings, 9)), 1, np.maximum(readings, 1)).astype(np.int64)
    entries: Places = np.searchsorted(totals, totals[starts] + ranks, side="left") - 1
    present = readings > 0
    values = np.zeros(len(readings))
    values[present] = bucket_values(state.indexes[entries[present]])
    return values, readings


def _prefix(values: Integers) -> Integers:
    """Sum up to each entry; one more than there are entries."""
    totals = np.zeros(len(values) + 1, dtype=np.int64)
    np.cumsum(values, out=totals[1:])
    return totals
