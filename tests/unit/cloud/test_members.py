"""Who lives and who keeps house, from beats alone."""

from cloud.members import SILENT_SECONDS, Roll, heard


def test_the_oldest_one_keeps_house() -> None:
    roll, gone = heard(Roll(me=2), {2: 1, 3: 7}, 0.0)
    assert (roll.keeper, gone) == (2, frozenset())
    roll, _ = heard(roll, {1: 4, 2: 2, 3: 8}, 2.0)
    assert roll.keeper == 1


def test_one_whose_beat_stands_still_is_gone_and_the_next_keeps_house() -> None:
    roll, _ = heard(Roll(me=2), {1: 4, 2: 1}, 0.0)
    roll, gone = heard(roll, {1: 4, 2: 2}, SILENT_SECONDS - 1)
    assert (roll.keeper, gone) == (1, frozenset())
    roll, gone = heard(roll, {1: 4, 2: 3}, SILENT_SECONDS)
    assert (roll.keeper, gone, set(roll.silent)) == (2, frozenset({1}), {1})
    roll, gone = heard(roll, {1: 4, 2: 4}, SILENT_SECONDS * 2)
    assert (roll.keeper, gone) == (2, frozenset()), "it goes once"


def test_one_that_leaves_is_gone_at_once() -> None:
    roll, _ = heard(Roll(me=2), {1: 4, 2: 1}, 0.0)
    roll, gone = heard(roll, {2: 2}, 2.0)
    assert (roll.keeper, gone) == (2, frozenset({1}))


def test_one_that_moves_again_lives_again() -> None:
    roll, _ = heard(Roll(me=2), {1: 4, 2: 1}, 0.0)
    roll, _ = heard(roll, {1: 4, 2: 2}, SILENT_SECONDS)
    roll, _ = heard(roll, {1: 5, 2: 3}, SILENT_SECONDS + 2)
    assert roll.keeper == 1


def test_one_that_was_struck_off_learns_of_it() -> None:
    roll, _ = heard(Roll(me=1), {1: 1, 2: 1}, 0.0)
    assert not roll.struck_off
    roll, _ = heard(roll, {2: 9}, 2.0)
    assert roll.struck_off
    alone, _ = heard(Roll(me=1), {}, 0.0)
    assert alone.struck_off


def test_a_process_does_not_take_itself_for_gone() -> None:
    roll, _ = heard(Roll(me=1), {1: 1}, 0.0)
    roll, gone = heard(roll, {1: 1}, SILENT_SECONDS * 3)
    assert (roll.keeper, gone, roll.struck_off) == (1, frozenset(), False)
