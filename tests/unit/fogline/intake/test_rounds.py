import pytest

from fogline.intake.rounds import Rounds, accepts, opened, refused
from fogline.model.errors import MalformedPart


def test_a_refusal_ends_the_round_until_the_next_is_opened() -> None:
    rounds = opened(None, 0)
    assert accepts(rounds, 0)
    rounds = refused(rounds)
    assert not accepts(rounds, 0)
    rounds = opened(rounds, 1)
    assert not accepts(rounds, 0)
    assert accepts(rounds, 1)


def test_rounds_only_grow() -> None:
    with pytest.raises(MalformedPart, match="only grow"):
        opened(Rounds(number=2), 2)


def test_a_part_of_a_round_that_was_never_opened_is_malformed() -> None:
    with pytest.raises(MalformedPart, match="before that round"):
        accepts(Rounds(number=2), 3)
