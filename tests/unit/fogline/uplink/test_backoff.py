from random import Random

from hypothesis import given
from hypothesis import strategies as st

from fogline.uplink.backoff import Backoff


@given(attempt=st.integers(0, 10_000), seed=st.integers(0, 2**32))
def test_a_delay_lies_between_nothing_and_the_capped_doubling(attempt: int, seed: int) -> None:
    backoff = Backoff(base=0.1, cap=15.0)
    delay = backoff.delay(attempt, Random(seed))
    assert 0 <= delay <= backoff.ceiling(attempt) <= 15.0


def test_the_ceiling_doubles_up_to_the_cap() -> None:
    backoff = Backoff(base=1.0, cap=5.0)
    assert [backoff.ceiling(attempt) for attempt in range(5)] == [1.0, 2.0, 4.0, 5.0, 5.0]


def test_the_same_seed_gives_the_same_delays() -> None:
    backoff = Backoff()
    delays = [[backoff.delay(attempt, rng) for attempt in range(8)] for rng in (Random(7), Random(7))]
    assert delays[0] == delays[1]
