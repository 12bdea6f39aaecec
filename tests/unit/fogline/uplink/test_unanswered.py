from fogline.model.part import Contribution, Origin
from fogline.uplink.unanswered import Unanswered

A = Origin(tenant="main", node="n", stream="s", epoch=b"a" * 16)
B = Origin(tenant="main", node="n", stream="s", epoch=b"b" * 16)


def ranges(**ends: int) -> list[Contribution]:
    origins = {"a": A, "b": B}
    return [Contribution(origin=origins[k], start=0, first=0, end=end) for k, end in ends.items()]


def test_nothing_in_flight_is_no_silence() -> None:
    assert Unanswered().silent_for(1_000.0) == 0.0


def test_silence_counts_from_the_oldest_part() -> None:
    unanswered = Unanswered()
    unanswered.sent(ranges(a=5), 10.0)
    unanswered.sent(ranges(a=9), 20.0)
    assert unanswered.silent_for(25.0) == 15.0


def test_an_answer_starts_the_count_again_as_long_as_something_is_in_flight() -> None:
    unanswered = Unanswered()
    unanswered.sent(ranges(a=5), 10.0)
    unanswered.sent(ranges(a=9), 20.0)
    unanswered.told({A: 5}, 24.0)
    assert unanswered.silent_for(25.0) == 1.0
    unanswered.told({A: 9}, 26.0)
    assert unanswered.silent_for(100.0) == 0.0


def test_a_part_of_two_origins_is_answered_when_both_are_told() -> None:
    unanswered = Unanswered()
    unanswered.sent(ranges(a=5, b=7), 0.0)
    unanswered.told({A: 5}, 1.0)
    assert len(unanswered) == 1
    unanswered.told({B: 7}, 2.0)
    assert len(unanswered) == 0


def test_a_round_that_ended_is_not_waited_for() -> None:
    unanswered = Unanswered()
    unanswered.sent(ranges(a=5), 0.0)
    unanswered.forget()
    assert unanswered.silent_for(100.0) == 0.0
