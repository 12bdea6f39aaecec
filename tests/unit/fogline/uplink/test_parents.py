import pytest

from fogline.uplink.parents import Parents


def test_a_child_without_parents_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one parent"):
        Parents(addresses=())


def test_the_next_parent_is_dialled_after_k_failures_in_a_row() -> None:
    parents = Parents(addresses=("a", "b"), tries=3)
    dialled = []
    for _ in range(8):
        dialled.append(parents.address)
        parents = parents.failed()
    assert dialled == ["a", "a", "a", "b", "b", "b", "a", "a"]


def test_an_answer_wipes_out_the_failures_before_it() -> None:
    parents = Parents(addresses=("a", "b"), tries=2).failed().worked().failed()
    assert parents.address == "a"


def test_the_back_off_grows_also_across_parents() -> None:
    parents = Parents(addresses=("a", "b"), tries=1)
    for _ in range(5):
        parents = parents.failed()
    assert parents.attempt == 5
    assert parents.worked().attempt == 0


def test_a_single_parent_is_never_left() -> None:
    parents = Parents(addresses=("a",), tries=1)
    for _ in range(5):
        parents = parents.failed()
    assert parents.address == "a"
    assert parents.is_preferred


def test_a_return_goes_to_the_preferred_parent() -> None:
    parents = Parents(addresses=("a", "b"), tries=1).failed()
    assert not parents.is_preferred
    assert parents.returned() == Parents(addresses=("a", "b"), tries=1)
