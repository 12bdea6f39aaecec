"""Arithmetic over columns. Integers are int64; a result that does not fit is null, as are NaN and infinities.

`/` always divides floats; `%` has the sign of the dividend; dividing by zero yields null; halves are rounded
away from zero.
"""

from collections.abc import Callable, Sequence

import numpy as np

from fogline.engine.batch import BatchColumn, Floats, Integers, NumberColumn, Truths
from fogline.engine.columns import (
    LEAST_INTEGER,
    InvalidExpression,
    all_valid,
    as_floats,
    as_integers,
    as_numbers,
    both,
    is_float,
    settled,
)

MOST_DIGITS = 15

Columns = Sequence[BatchColumn]
Fits = Truths | None
"""Where an integer result is right; ``None``: everywhere."""


def add(columns: Columns) -> NumberColumn:
    """Add two columns."""
    return _binary(columns, np.add, _add_integers)


def subtract(columns: Columns) -> NumberColumn:
    """Subtract the second column from the first."""
    return _binary(columns, np.subtract, _subtract_integers)


def multiply(columns: Columns) -> NumberColumn:
    """Multiply two columns."""
    return _binary(columns, np.multiply, _multiply_integers)


def modulo(columns: Columns) -> NumberColumn:
    """Compute the remainder, with the sign of the dividend."""
    return _binary(columns, np.fmod, _modulo_integers)


def divide(columns: Columns) -> NumberColumn:
    """Divide as floats, whatever the columns' types."""
    a, b = (as_numbers(column) for column in columns)
    return settled(as_floats(a) / as_floats(b), all_valid((a, b)))


def negate(columns: Columns) -> NumberColumn:
    """Change the sign."""
    return _unary(columns[0], np.negative)


def absolute(columns: Columns) -> NumberColumn:
    """Drop the sign."""
    return _unary(columns[0], np.absolute)


def floor(columns: Columns) -> NumberColumn:
    """Round down."""
    return _rounded(columns[0], np.floor)


def ceil(columns: Columns) -> NumberColumn:
    """Round up."""
    return _rounded(columns[0], np.ceil)


def round_half_away(columns: Columns) -> NumberColumn:
    """Round to the digits after the point that the second column, a constant of 0 to 15, says (none: 0).

    Raises :class:`InvalidExpression` for other digits.
    """
    if len(columns) == 1:
        return _rounded(columns[0], nearest)
    digits = as_numbers(columns[1])
    if len(digits) == 0:
        return as_numbers(columns[0])
    first = digits.values[0]
    if (
        is_float(digits)
        or digits.valid is not None
        or not 0 <= first <= MOST_DIGITS
        or (digits.values != first).any()
    ):
        raise InvalidExpression(f"round needs a constant number of digits from 0 to {MOST_DIGITS}")
    scale = 10.0 ** int(first)

    def to_digits(values: Floats) -> Floats:
        scaled = values * scale
        # Where scaling leaves the range of floats there is no digit after the point to round.
        return np.where(np.isfinite(scaled), nearest(scaled) / scale, values)

    return _rounded(columns[0], to_digits)


def nearest(values: Floats) -> Floats:
    """Round half away from zero. Adding a half first would turn 0.49999999999999994 into 1."""
    whole = np.trunc(values)
    return whole + np.where(np.abs(values - whole) >= 0.5, np.copysign(1.0, values), 0.0)


def to_integers(values: Floats, valid: Truths | None) -> NumberColumn:
    """Round floats to integers; what int64 cannot hold is null."""
    whole = nearest(values)
    fits = (whole >= -(2.0**63)) & (whole < 2.0**63)
    return NumberColumn(values=np.where(fits, whole, 0.0).astype(np.int64), valid=narrowed(valid, fits))


def narrowed(valid: Truths | None, fits: Fits) -> Truths | None:
    """Add to the nulls what does not fit; a mask that is true everywhere is none."""
    return valid if fits is None or fits.all() else both(valid, fits)


def _binary(
    columns: Columns,
    floats: Callable[[Floats, Floats], Floats],
    integers: Callable[[Integers, Integers], tuple[Integers, Fits]],
) -> NumberColumn:
    a, b = (as_numbers(column) for column in columns)
    valid = all_valid((a, b))
    if is_float(a) or is_float(b):
        return settled(floats(as_floats(a), as_floats(b)), valid)
    values, fits = integers(as_integers(a), as_integers(b))
    return NumberColumn(values=values, valid=narrowed(valid, fits))


def _unary(column: BatchColumn, operation: np.ufunc) -> NumberColumn:
    numbers = as_numbers(column)
    if is_float(numbers):
        return NumberColumn(values=operation(numbers.values), valid=numbers.valid)
    # The least integer has no positive twin.
    fits = numbers.values != LEAST_INTEGER
    return NumberColumn(values=operation(numbers.values), valid=narrowed(numbers.valid, fits))


def _rounded(column: BatchColumn, rounding: Callable[[Floats], Floats]) -> NumberColumn:
    numbers = as_numbers(column)
    if not is_float(numbers):
        return NumberColumn(values=numbers.values, valid=numbers.valid)
    return NumberColumn(values=rounding(as_floats(numbers)), valid=numbers.valid)


def _add_integers(a: Integers, b: Integers) -> tuple[Integers, Fits]:
    total = a + b
    # It left the range if both signs differ from the result's.
    return total, ((a ^ total) & (b ^ total)) >= 0


def _subtract_integers(a: Integers, b: Integers) -> tuple[Integers, Fits]:
    rest = a - b
    return rest, ((a ^ b) & (a ^ rest)) >= 0


def _multiply_integers(a: Integers, b: Integers) -> tuple[Integers, Fits]:
    product = a * b
    if _greatest(a) * _greatest(b) < 2**63:
        return product, None
    # -1 is taken apart: the least integer divided by it leaves the range again.
    divisor = np.where((b == 0) | (b == -1), 1, b)
    back = product // divisor == a
    exact = product - product // divisor * divisor == 0
    return product, np.where(b == 0, True, np.where(b == -1, a != LEAST_INTEGER, back & exact))


def _modulo_integers(a: Integers, b: Integers) -> tuple[Integers, Fits]:
    # By -1 as by 1: the rest is 0, and the least integer does not leave the range.
    return np.fmod(a, np.where((b == 0) | (b == -1), 1, b)), b != 0


def _greatest(values: Integers) -> int:
    return max(-int(values.min()), int(values.max())) if len(values) else 0
