import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fogline.engine.batch import Floats
from fogline.engine.buckets import ALPHA, bucket_indexes, bucket_values, quantiles
from fogline.engine.groups import Groups, added_maps
from fogline.engine.state import SparseState

SMALLEST = 2.0**-1022
GREATEST = 1.7976931348623157e308


def sketch_of(values: Floats) -> SparseState:
    groups = Groups(of_row=np.zeros(len(values), dtype=np.intp), count=1)
    maps = added_maps(groups, bucket_indexes(values))
    return SparseState(
        name="b", kind="map_add", lengths=maps.lengths, indexes=maps.indexes, values=maps.values
    )


def within(estimate: float, value: float) -> bool:
    return abs(estimate - value) <= ALPHA * (1 + 1e-12) * abs(value)


@settings(max_examples=300)
@given(st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False))
def test_a_value_is_known_to_one_percent(value: float) -> None:
    (estimate,) = bucket_values(bucket_indexes(np.array([value]))).tolist()

    assert within(estimate, value)


def test_every_bucket_is_narrow_enough_over_the_whole_range_of_floats() -> None:
    fractions = np.linspace(1, 2, 5001, endpoint=False)
    for exponent in (-1022, -1000, -7, -1, 0, 1, 6, 1000, 1023):
        values = np.ldexp(fractions, exponent)
        estimates = bucket_values(bucket_indexes(values))
        assert np.all(np.abs(estimates - values) <= ALPHA * (1 + 1e-12) * values)


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_buckets_are_in_the_order_of_their_values(a: float, b: float) -> None:
    first, second = bucket_indexes(np.array(sorted((a, b)))).tolist()

    assert first <= second


def test_the_ends_of_the_range_of_floats_have_buckets_of_their_own() -> None:
    values = np.array([-GREATEST, -1.0, -SMALLEST, -5e-324, -0.0, 0.0, 5e-324, SMALLEST, 1.0, GREATEST])
    indexes = bucket_indexes(values).tolist()

    assert indexes[3:7] == [0, 0, 0, 0]
    assert indexes == [-index for index in reversed(indexes)]
    assert 1 == indexes[7] < indexes[8] < indexes[9] < 2**17
    estimates = bucket_values(np.array(indexes, dtype=np.int32))
    assert np.all(np.isfinite(estimates))
    assert all(map(within, estimates.tolist(), np.where(np.abs(values) < SMALLEST, 0.0, values).tolist()))


@settings(max_examples=200, deadline=None)
@given(
    values=st.lists(st.floats(-1e9, 1e9, allow_subnormal=False), min_size=1, max_size=60),
    percent=st.integers(0, 100),
)
def test_a_quantile_is_the_value_of_nearest_rank_to_one_percent(values: list[float], percent: int) -> None:
    rank = max(math.ceil(Fraction(percent, 100) * len(values)), 1)

    estimate, readings = quantiles(sketch_of(np.array(values)), percent / 100)

    assert within(estimate[0], sorted(values)[rank - 1])
    assert readings.tolist() == [len(values)]


@pytest.mark.parametrize("percent", [1, 50, 90, 99, 99.9])
def test_quantiles_of_many_readings_stay_within_one_percent(percent: float) -> None:
    dice = np.random.default_rng(17)
    for values in (dice.normal(20, 5, 50_000), dice.lognormal(3, 2, 50_000), dice.exponential(1e-6, 50_000)):
        exact = np.quantile(values, percent / 100, method="inverted_cdf")
        (estimate,) = quantiles(sketch_of(values), percent / 100)[0].tolist()
        assert within(estimate, float(exact))


def test_a_rank_is_not_moved_by_the_rounding_of_its_share() -> None:
    # 0.07 * 100 is 7.000000000000001.
    (estimate,) = quantiles(sketch_of(np.exp2(np.arange(100, dtype=np.float64))), 0.07)[0].tolist()

    assert within(estimate, 2.0**6)


def test_rows_without_a_value_have_no_quantile() -> None:
    state = SparseState(
        name="b",
        kind="map_add",
        lengths=np.array([0, 2, 0], dtype=np.uint32),
        indexes=bucket_indexes(np.array([1.0, 8.0])),
        values=np.array([3, 1]),
    )

    for quantile, value in ((0.0, 1.0), (0.75, 1.0), (0.76, 8.0), (1.0, 8.0)):
        estimates, readings = quantiles(state, quantile)
        assert readings.tolist() == [0, 4, 0]
        assert within(estimates[1], value)
