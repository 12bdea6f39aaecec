"""What devices repeat: found whatever the cuts, and wherever a lane starts again."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fog_node.decode.identity import Repeats
from fogline.engine.batch import Batch, NumberColumn, text_column
from fogline.model.clock import SECOND
from fogline.model.plan import Identity

WITHIN = 10 * SECOND
IDENTITY = Identity(names=("device", "seq"), within_us=WITHIN)
Reading = tuple[str | None, int | None]


def batch(readings: list[Reading]) -> Batch:
    seqs = [seq for _, seq in readings]
    return Batch(
        rows=len(readings),
        time_us=np.zeros(len(readings), np.int64),
        columns={
            "device": text_column([device for device, _ in readings]),
            "seq": NumberColumn(
                values=np.array([seq or 0 for seq in seqs], np.int64),
                valid=np.array([seq is not None for seq in seqs], np.bool_),
            ),
        },
    )


def judge(repeats: Repeats, readings: list[tuple[Reading, int]]) -> list[bool]:
    arrival = np.array([at for _, at in readings], np.int64)
    return [bool(b) for b in repeats.judge(batch([reading for reading, _ in readings]), arrival)]


def test_the_same_identity_within_the_time_is_a_repeat_and_after_it_is_not() -> None:
    told = judge(
        Repeats(IDENTITY),
        [
            (("a", 1), 0),
            (("a", 2), 0),
            (("b", 1), 0),
            (("a", 1), WITHIN),
            (("b", 1), WITHIN + 1),
            ((None, None), WITHIN + 1),
            ((None, None), WITHIN + 2),
        ],
    )
    assert told == [False, False, False, True, False, False, True]


def test_repeats_keep_an_identity_alive() -> None:
    told = judge(Repeats(IDENTITY), [(("a", 1), 0), (("a", 1), 6 * SECOND), (("a", 1), 12 * SECOND)])
    assert told == [False, True, True]


arrivals = st.lists(
    st.tuples(
        st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from([1, 2, None])),
        st.integers(min_value=0, max_value=4 * SECOND),
    ),
    max_size=30,
)


@given(arrivals, st.data())
def test_a_lane_that_starts_again_judges_as_before(
    steps: list[tuple[Reading, int]], data: st.DataObject
) -> None:
    at, readings = 0, []
    for reading, pause in steps:
        at += pause
        readings.append((reading, at))
    whole = judge(Repeats(IDENTITY), readings)
    again = data.draw(st.integers(min_value=0, max_value=len(readings)))
    if again == len(readings):
        return
    repeats = Repeats(IDENTITY)
    since = readings[again][1] - WITHIN
    before = [(reading, when) for reading, when in readings[:again] if when >= since]
    if before:
        repeats.remember(batch([r for r, _ in before]), np.array([when for _, when in before], np.int64))
    assert judge(repeats, readings[again:]) == whole[again:]
