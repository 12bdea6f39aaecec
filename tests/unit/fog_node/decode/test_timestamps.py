"""Event times in every unit that devices send."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fog_node.decode.rows import BAD_TIME, NO_TIME, REASONS
from fog_node.decode.timestamps import read_times
from fogline.model.clock import to_rfc3339
from fogline.model.plan import TimeUnit

NOON = 1_769_860_800_000_000
"""2026-01-31T12:00:00Z in microseconds."""


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        (1_769_860_800, "s"),
        (1_769_860_800.0, "s"),
        (1_769_860_800_000, "ms"),
        (1_769_860_800_000_000, "us"),
        (1_769_860_800_000_000_000, "ns"),
        (1_769_860_800, "auto"),
        (1_769_860_800_000, "auto"),
        (1_769_860_800_000_000, "auto"),
        (1_769_860_800_000_000_000, "auto"),
        ("2026-01-31T12:00:00Z", "auto"),
        ("2026-01-31T12:00:00Z", "iso"),
        ("2026-01-31T13:00:00+01:00", "iso"),
        ("2026-01-31T12:00:00", "iso"),
        ("20260131T120000Z", "iso"),
    ],
)
def test_one_instant_in_every_spelling(value: object, unit: TimeUnit) -> None:
    times, verdicts = read_times([value], unit)
    assert times.tolist() == [NOON]
    assert not verdicts.any()


def test_spellings_may_differ_from_reading_to_reading() -> None:
    times, verdicts = read_times(["2026-01-31T12:00:00Z", 1_769_860_800, 1_769_860_800_000.0, None], "auto")
    assert times.tolist()[:3] == [NOON] * 3
    assert [REASONS[v] for v in verdicts] == ["", "", "", NO_TIME]


def test_fractions_of_a_second_are_kept() -> None:
    times, _ = read_times([1_769_860_800.25, "2026-01-31T12:00:00.000001Z"], "auto")
    assert times.tolist() == [NOON + 250_000, NOON + 1]


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        ("yesterday", "auto"),
        ("", "auto"),
        ("2026-01-31T12:00:00Z", "ms"),
        (5, "iso"),
        (10**30, "auto"),
        (-(10**30), "s"),
        (float("inf"), "auto"),
        (float("nan"), "s"),
        (2**63 - 1, "s"),
        ("9999-99-99T00:00:00Z", "iso"),
    ],
)
def test_what_names_no_instant_is_told(value: object, unit: TimeUnit) -> None:
    for values in ([value], [value, "2026-01-31T12:00:00Z"], [value, 5]):
        _, verdicts = read_times(values, unit)
        assert REASONS[verdicts[0]] == BAD_TIME


@given(st.lists(st.integers(min_value=10**15, max_value=4 * 10**15), min_size=1, max_size=20))
def test_microseconds_and_their_text_agree(instants: list[int]) -> None:
    numbers, _ = read_times(list(instants), "us")
    texts, _ = read_times([to_rfc3339(instant) for instant in instants], "iso")
    assert np.array_equal(numbers, texts)
    assert numbers.tolist() == instants
