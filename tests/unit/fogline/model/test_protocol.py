import pytest

from fogline.model.errors import InvalidInput
from fogline.model.protocol import PROTOCOL, SPOKEN, Spoken

BEFORE = Spoken(oldest=1, newest=2)
NOW = Spoken(oldest=2, newest=3)
LATER = Spoken(oldest=4, newest=5)


@pytest.mark.parametrize(("child", "parent"), [(NOW, NOW), (BEFORE, NOW), (NOW, BEFORE), (LATER, LATER)])
def test_neighbouring_releases_speak_what_the_older_one_knows(child: Spoken, parent: Spoken) -> None:
    assert child.answered(parent.greeted(child.newest)) == min(child.newest, parent.newest)


@pytest.mark.parametrize(("child", "parent"), [(LATER, BEFORE), (BEFORE, LATER)])
def test_releases_that_are_further_apart_say_so(child: Spoken, parent: Spoken) -> None:
    with pytest.raises(InvalidInput, match=f"protocol {child.newest} is not spoken here"):
        parent.greeted(child.newest)


def test_a_parent_that_chose_what_the_child_does_not_know_is_left() -> None:
    with pytest.raises(InvalidInput, match=r"the parent speaks protocol 5, this child 2 to 3"):
        NOW.answered(5)


def test_this_release_speaks_its_own_version_and_the_one_before() -> None:
    assert SPOKEN.newest == PROTOCOL
    assert SPOKEN.oldest == max(1, PROTOCOL - 1)
