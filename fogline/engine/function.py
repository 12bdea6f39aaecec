"""The aggregate functions: the kind of state each keeps, and how readings enter it.

Nulls enter no state. What each state is without a reading (its identity) is what merging leaves unchanged: 0
for counts and sums, +inf and -inf for minimum and maximum, the empty map for buckets and registers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from fogline.engine.batch import BatchColumn, Integers, NumberColumn, TextColumn, TruthColumn
from fogline.engine.buckets import ALPHA, bucket_indexes
from fogline.engine.columns import (
    InvalidExpression,
    as_floats,
    as_integers,
    as_numbers,
    is_all_null,
    is_float,
    valid_of,
)
from fogline.engine.groups import (
    Groups,
    Maps,
    added_maps,
    counts,
    float_sums,
    greatest_maps,
    integer_sums,
    maxima,
    minima,
)
from fogline.engine.operation import ValueType
from fogline.engine.registers import PRECISION, Hashes, hash_numbers, hash_text, register_and_rank
from fogline.engine.state import NO_PARAMETERS, OVERFLOWED, DenseState, SparseState
from fogline.model.plan import StateSpec

Enter = Callable[[StateSpec, BatchColumn, Groups], DenseState | SparseState]
"""Lift the readings of a batch: their argument, without nulls, and the groups they are in."""

_GREATEST_STEPS: Final = 2.0**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One aggregate function."""

    name: str
    kinds: tuple[str, ...]
    """The kinds of state that it can keep."""
    takes: frozenset[ValueType]
    """The types that its argument may have; only ``count`` may have none."""
    identity: float | None
    """The number that merging leaves unchanged; ``None``: the empty map."""
    enter: Enter


def _count(spec: StateSpec, _column: BatchColumn, groups: Groups) -> DenseState:
    return DenseState(name=spec.name, kind=spec.kind, values=counts(groups), parameters=spec.parameters)


def _sum(spec: StateSpec, column: BatchColumn, groups: Groups) -> DenseState:
    numbers = as_numbers(column)
    if spec.kind == "sum_f64":
        values = float_sums(groups, as_floats(numbers))
        return DenseState(name=spec.name, kind=spec.kind, values=values, parameters=spec.parameters)
    sums = integer_sums(groups, _steps(spec, numbers))
    return DenseState(name=spec.name, kind=spec.kind, values=sums, parameters=spec.parameters)


def _steps(spec: StateSpec, numbers: NumberColumn) -> Integers:
    """Snap values to whole steps of the resolution; integers without one are steps of 1."""
    resolution = spec.parameters.get("resolution")
    if resolution is None:
        if is_float(numbers) and len(numbers):
            raise InvalidExpression(f"{spec.name} sums floats as integers without a resolution")
        return as_integers(numbers)
    with np.errstate(over="ignore"):
        steps = np.rint(as_floats(numbers) / resolution)
    fits = np.abs(steps) < _GREATEST_STEPS
    if fits.all():
        return steps.astype(np.int64)
    return np.where(fits, np.where(fits, steps, 0.0).astype(np.int64), np.int64(OVERFLOWED))


def _minimum(spec: StateSpec, column: BatchColumn, groups: Groups) -> DenseState:
    # Adding 0 turns -0.0 into 0.0: which of the two is less would depend on their order.
    values = minima(groups, as_floats(as_numbers(column)) + 0.0)
    return DenseState(name=spec.name, kind=spec.kind, values=values, parameters=spec.parameters)


def _maximum(spec: StateSpec, column: BatchColumn, groups: Groups) -> DenseState:
    values = maxima(groups, as_floats(as_numbers(column)) + 0.0)
    return DenseState(name=spec.name, kind=spec.kind, values=values, parameters=spec.parameters)


def _buckets(spec: StateSpec, column: BatchColumn, groups: Groups) -> SparseState:
    if spec.parameters.get("alpha") != ALPHA:
        raise InvalidExpression(
            f"{spec.name}: buckets have alpha {ALPHA}, not {spec.parameters.get('alpha')}"
        )
    maps = added_maps(groups, bucket_indexes(as_floats(as_numbers(column))))
    return _sparse(spec, maps)


def _registers(spec: StateSpec, column: BatchColumn, groups: Groups) -> SparseState:
    if spec.parameters.get("precision") != PRECISION:
        raise InvalidExpression(
            f"{spec.name}: registers have precision {PRECISION}, not {spec.parameters.get('precision')}"
        )
    hashes, owners = _hashed(column, groups)
    return _sparse(spec, greatest_maps(owners, *register_and_rank(hashes)))


def _hashed(column: BatchColumn, groups: Groups) -> tuple[Hashes, Groups]:
    """Hash the values, texts once for each group in which they occur."""
    if isinstance(column, NumberColumn):
        return hash_numbers(column), groups
    if isinstance(column, TruthColumn):
        return hash_numbers(NumberColumn(values=column.values.astype(np.int64))), groups
    pairs = added_maps(groups, column.codes)
    of_row = np.repeat(np.arange(groups.count), pairs.lengths)
    hashes = np.zeros(len(column.dictionary), dtype=np.uint64)
    used = np.flatnonzero(np.bincount(pairs.indexes, minlength=len(hashes)))
    hashes[used] = [hash_text(column.dictionary[code]) for code in used.tolist()]
    return hashes[pairs.indexes], Groups(of_row=of_row, count=groups.count)


def _sparse(spec: StateSpec, maps: Maps) -> SparseState:
    values = maps.values.astype(np.uint8) if spec.kind == "map_max" else maps.values
    return SparseState(
        name=spec.name,
        kind=spec.kind,
        parameters=spec.parameters,
        lengths=maps.lengths,
        indexes=maps.indexes,
        values=values,
    )


_NUMBERS: Final[frozenset[ValueType]] = frozenset({"int", "float", "null"})
_ANY: Final[frozenset[ValueType]] = frozenset({"int", "float", "text", "truth", "null"})

FUNCTIONS: Final[Mapping[str, Function]] = {
    function.name: function
    for function in (
        Function(name="count", kinds=("sum_i64",), takes=_ANY, identity=0, enter=_count),
        Function(name="sum", kinds=("sum_i64", "sum_f64"), takes=_NUMBERS, identity=0, enter=_sum),
        Function(name="min", kinds=("min_f64",), takes=_NUMBERS, identity=np.inf, enter=_minimum),
        Function(name="max", kinds=("max_f64",), takes=_NUMBERS, identity=-np.inf, enter=_maximum),
        Function(name="log_buckets", kinds=("map_add",), takes=_NUMBERS, identity=None, enter=_buckets),
        Function(name="registers", kinds=("map_max",), takes=_ANY, identity=None, enter=_registers),
    )
}
"""Every function by the name that a plan's :class:`~fogline.model.plan.StateSpec` gives it."""


def state_layout(
    function: str, argument: ValueType, resolution: float | None = None
) -> tuple[str, Mapping[str, float]]:
    """Choose the kind and the parameters of a function's state for an argument of this type.

    ``resolution`` is that of a plain field, ``None`` for any other argument. Raises
    :class:`InvalidExpression` for an unknown function or an argument that it does not take.
    """
    known = FUNCTIONS.get(function)
    if known is None:
        raise InvalidExpression(f"there is no function {function!r}", hint=f"known: {', '.join(FUNCTIONS)}")
    if argument not in known.takes:
        raise InvalidExpression(f"{function} cannot take a {argument}")
    if function == "sum":
        if argument == "float" and resolution is None:
            return "sum_f64", NO_PARAMETERS
        return "sum_i64", NO_PARAMETERS if resolution is None else {"resolution": resolution}
    parameters = {"log_buckets": {"alpha": ALPHA}, "registers": {"precision": float(PRECISION)}}
    return known.kinds[0], parameters.get(function, NO_PARAMETERS)


def enter(spec: StateSpec, column: BatchColumn | None, groups: Groups) -> DenseState | SparseState:
    """Make one state of every group out of a batch's readings; ``column`` is ``None`` for ``count(*)``.

    Raises :class:`InvalidExpression` for a function, kind, parameter or type that does not fit.
    """
    function = FUNCTIONS.get(spec.function)
    if function is None or spec.kind not in function.kinds:
        raise InvalidExpression(f"{spec.name}: there is no {spec.function!r} that keeps a {spec.kind!r}")
    if column is None:
        if spec.function != "count":
            raise InvalidExpression(f"{spec.name}: {spec.function} needs an argument")
        return _count(spec, NumberColumn(values=np.zeros(0, dtype=np.int64)), groups)
    valid = valid_of(column)
    if valid is None:
        return function.enter(spec, column, groups)
    known = column.take(valid)
    # A text without any text, where numbers are meant, is just nulls.
    if is_all_null(column) and isinstance(column, TextColumn):
        known = NumberColumn(values=np.zeros(0, dtype=np.int64))
    return function.enter(spec, known, groups.take(valid))
