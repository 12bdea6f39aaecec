import numpy as np
import pytest

from fogline.engine.batch import NumberColumn
from fogline.engine.groups import Groups, greatest_maps
from fogline.engine.registers import Hashes, distinct, hash_numbers, hash_text, register_and_rank
from fogline.engine.state import SparseState

STANDARD_ERROR = 1.04 / 64


def sketch_of(hashes: Hashes) -> SparseState:
    groups = Groups(of_row=np.zeros(len(hashes), dtype=np.intp), count=1)
    maps = greatest_maps(groups, *register_and_rank(hashes))
    return SparseState(
        name="d",
        kind="map_max",
        lengths=maps.lengths,
        indexes=maps.indexes,
        values=maps.values.astype(np.uint8),
    )


def estimate(hashes: Hashes) -> int:
    return int(distinct(sketch_of(hashes))[0])


def texts(count: int, seed: int) -> Hashes:
    return np.array([hash_text(f"{seed}-{number}") for number in range(count)], dtype=np.uint64)


@pytest.mark.parametrize("count", [0, 1, 2, 10, 64])
def test_a_handful_is_counted_to_within_one(count: int) -> None:
    assert abs(estimate(texts(count, 1)) - count) <= 1


@pytest.mark.parametrize("count", [1_000, 8_000, 12_000, 20_000, 50_000])
def test_the_error_over_many_draws_is_the_published_one(count: int) -> None:
    draws = np.array([estimate(hash_numbers(_integers(count, seed))) / count - 1 for seed in range(40)])

    # 40 draws know the spread to 11 % and the mean to a sixth of it; four times that is the margin.
    assert np.sqrt(np.mean(draws**2)) < STANDARD_ERROR * 1.45
    assert abs(draws.mean()) < STANDARD_ERROR * 0.65


def _integers(count: int, seed: int) -> NumberColumn:
    return NumberColumn(values=np.arange(count, dtype=np.int64) + seed * 1_000_000)


@pytest.mark.parametrize("count", [1_000, 20_000])
def test_texts_and_fractions_are_estimated_as_well_as_integers(count: int) -> None:
    fractions = NumberColumn(values=np.arange(count, dtype=np.float64) * 0.01 + 0.005)

    assert abs(estimate(texts(count, 3)) / count - 1) < 4 * STANDARD_ERROR
    assert abs(estimate(hash_numbers(fractions)) / count - 1) < 4 * STANDARD_ERROR


def test_registers_that_are_nearly_full_still_give_a_finite_estimate() -> None:
    full = SparseState(
        name="d",
        kind="map_max",
        lengths=np.array([4096, 4096, 4096], dtype=np.uint32),
        indexes=np.tile(np.arange(4096, dtype=np.int32), 3),
        values=np.concatenate([np.full(4096, 52), np.full(4096, 53), np.arange(4096) % 53 + 1]).astype(
            np.uint8
        ),
    )
    estimates = distinct(full)

    assert estimates[0] > 2**60
    assert estimates[1] == 2**63 - 1
    assert 0 < estimates[2] < 2**63


def test_no_rows_have_no_estimates() -> None:
    nothing = np.zeros(0, dtype=np.uint8)
    state = SparseState(
        name="d",
        kind="map_max",
        lengths=nothing.astype(np.uint32),
        indexes=nothing.astype(np.int32),
        values=nothing,
    )

    assert distinct(state).tolist() == []


def test_a_hash_is_the_same_in_every_process() -> None:
    # The texts' bytes as `b2sum -l 64` prints them, the numbers from a calculation with unbounded integers.
    assert hash_text("").to_bytes(8, "little").hex() == "e4a6a0577479b2b4"
    assert hash_text("d1").to_bytes(8, "little").hex() == "fcd38eb77616f227"
    assert hash_numbers(NumberColumn(values=np.array([0, 1, -1]))).tolist() == [
        0x48218226FF3CD4BF,
        0xDCE423FC82C0D5B8,
        0x445018E305810B78,
    ]
    assert hash_numbers(NumberColumn(values=np.array([0.5]))).tolist() == [0xB1947A4335AB6E7B]


def test_a_number_hashes_alike_as_integer_and_as_float() -> None:
    integers = np.array([0, 5, -5, 2**53, -(2**63)])
    floats = integers.astype(np.float64)

    assert np.array_equal(
        hash_numbers(NumberColumn(values=integers)), hash_numbers(NumberColumn(values=floats))
    )
    assert np.array_equal(
        hash_numbers(NumberColumn(values=np.array([-0.0]))),
        hash_numbers(NumberColumn(values=np.array([0.0]))),
    )


def test_a_text_that_is_no_proper_unicode_can_be_hashed() -> None:
    assert hash_text("\ud800") != hash_text("\ud801")


def test_the_rank_counts_the_zeros_that_lead_behind_the_register() -> None:
    hashes = np.array([0, 1, 2**51, 2**52 - 1, 2**52, 2**64 - 1], dtype=np.uint64)
    registers, ranks = register_and_rank(hashes)

    assert registers.tolist() == [0, 0, 0, 0, 1, 4095]
    assert ranks.tolist() == [53, 52, 1, 1, 53, 1]
