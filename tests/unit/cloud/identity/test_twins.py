"""Two machines with one identity are told from one that was started again."""

from hypothesis import given
from hypothesis import strategies as st

from cloud.identity.twins import SAID_FOR_US, Twins, words
from fogline.model.clock import SECOND


def said(*turns: tuple[str, int]) -> bool:
    """Whether two are said to share the name after these words: instance, and when it made it."""
    twins, answer = Twins(), False
    for second, (instance, at) in enumerate(turns):
        answer = twins.heard("n1", instance, at * SECOND, second * SECOND)
    return answer


def test_two_that_take_turns_share_an_identity() -> None:
    assert said(("a", 1), ("b", 1), ("a", 2), ("b", 2), ("a", 3))


@given(st.lists(st.integers(1, 6), min_size=1, max_size=6))
def test_a_machine_that_is_started_again_and_again_is_one(words_of_each: list[int]) -> None:
    at = 0
    turns = []
    for life, count in enumerate(words_of_each):
        for _ in range(count):
            at += 1
            turns.append((f"life {life}", at))
    assert not said(*turns)


def test_a_last_word_that_was_late_is_no_second_machine() -> None:
    assert not said(("a", 1), ("b", 3), ("a", 2), ("b", 4), ("b", 5))


def test_a_parent_that_repeats_the_last_word_of_a_silent_child_says_nothing_new() -> None:
    assert not said(("a", 1), ("b", 2), ("a", 1), ("b", 3), ("a", 1), ("b", 4), ("a", 1))


def test_tiers_that_do_not_name_their_process_are_never_two() -> None:
    assert not said(("", 1), ("", 2), ("", 1), ("", 2))


def test_it_is_said_for_a_while_after_the_last_turn() -> None:
    twins = Twins()
    for turn, instance in enumerate("ababab"):
        twins.heard("n1", instance, turn, turn)
    assert twins.heard("n1", "b", 99, SAID_FOR_US)
    assert not twins.heard("n1", "b", 100, SAID_FOR_US + 10)
    assert not twins.heard("n2", "b", 100, 0)
    twins.forget("n1")
    assert "fogline node revoke n1" in words("node", "n1")
