from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from fog_node.ingest.repeats import AHEAD, Repeats

Message = tuple[int, int]
"""Packet id and content."""
IDS = 7
"""Packet ids come round that soon here."""


def columns(messages: Sequence[Message]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([m[0] for m in messages], np.uint16), np.array([m[1] for m in messages], np.int64)


def repeats(*messages: Message) -> Repeats:
    return Repeats(*columns(messages))


def held(known: Repeats, *messages: Message) -> list[bool]:
    return [bool(answer) for answer in known.held(*columns(messages))]


def sent(contents: Sequence[int]) -> list[Message]:
    """As a broker sends them: packet ids one after the other, and round."""
    return [(number % IDS + 1, content) for number, content in enumerate(contents)]


def test_repeats_are_found_wherever_they_begin_and_followed_to_the_end_of_the_journal() -> None:
    messages = sent(range(100))
    known = repeats(*messages[:80])
    assert held(known, *messages[30:50]) == [True] * 20
    assert held(known, *messages[50:100]) == [True] * 30 + [False] * 20


def test_equal_messages_are_told_apart_by_their_place() -> None:
    messages = sent([0] * 30 + [1] + [0] * 30)
    known = repeats(*messages[:50])
    assert held(known, *messages[30:]) == [True] * 20 + [False] * 11


def test_what_came_right_before_the_first_sure_repeat_of_a_read_is_a_repeat_too() -> None:
    messages = sent([0] * 30 + [1] + [0] * 30)
    assert held(repeats(*messages), *messages[20:40]) == [True] * 20


def test_messages_that_are_all_equal_are_never_taken_for_repeats() -> None:
    messages = sent([0] * 60)
    assert not any(held(repeats(*messages[:40]), *messages[40:]))


def test_the_same_content_under_another_packet_id_is_no_repeat() -> None:
    assert held(repeats((1, 11), (2, 22)), (2, 11), (2, 22)) == [False, True]


def test_what_the_journal_never_held_does_not_break_the_order() -> None:
    known = repeats((1, 11), (2, 22), (3, 33))
    assert held(known, (1, 11), (9, 99), (2, 22), (8, 88), (3, 33)) == [True, False, True, False, True]


def test_what_is_not_repeated_is_passed_over() -> None:
    known = repeats((1, 5), (2, 6), (3, 5), (4, 6), (5, 7))
    assert held(known, (5, 7)) == [True]
    known = repeats((1, 1), (2, 5), (3, 6), (4, 5), (5, 6))
    assert held(known, (1, 1), (4, 5), (5, 6)) == [True, True, True]


def test_nothing_before_the_last_repeat_is_repeated_again() -> None:
    known = repeats((1, 11), (2, 22), (3, 33))
    assert held(known, (2, 22), (1, 11), (3, 33)) == [True, False, True]


def test_an_equal_message_is_not_looked_for_farther_ahead_than_packet_ids_reach() -> None:
    far = [(2, 0)] * 2 + [(3, 0)] * AHEAD + [(4, 0)]
    known = repeats((1, 1), *far)
    assert held(known, (1, 1), (4, 0)) == [True, False]


@given(st.data())
def test_repeats_behind_a_sure_one_are_known_and_new_messages_never_are(data: st.DataObject) -> None:
    contents = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=120))
    sure = data.draw(st.sets(st.integers(0, len(contents) - 1), max_size=10))
    messages = sent([100 + place if place in sure else content for place, content in enumerate(contents)])
    journaled = data.draw(st.integers(0, len(messages)))
    acknowledged = data.draw(st.integers(0, journaled))
    held_contents = Counter(content for _, content in messages[:journaled])
    single = [place for place in range(journaled) if held_contents[messages[place][1]] == 1]
    # A new message that equals an old one of which there is but one, under its very packet id: one in 65,535 of these.
    assume({messages[place] for place in single}.isdisjoint(messages[journaled:]))
    cuts = data.draw(st.lists(st.integers(acknowledged, len(messages)), max_size=4))
    known, answers = repeats(*messages[:journaled]), []
    for first, end in pairwise([acknowledged, *sorted(cuts), len(messages)]):
        answers += held(known, *messages[first:end])
    assert not any(answers[journaled - acknowledged :])
    begun = next((place for place in single if place >= acknowledged), journaled)
    assert all(answers[begun - acknowledged : journaled - acknowledged])
