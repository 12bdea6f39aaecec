from hypothesis import given
from hypothesis import strategies as st

from fogline.model.frozen import FrozenMap


def test_a_frozen_map_is_a_value() -> None:
    one = FrozenMap({"a": 1, "b": 2})
    assert one == FrozenMap([("b", 2), ("a", 1)])
    assert hash(one) == hash(FrozenMap([("b", 2), ("a", 1)])) == hash(one)
    assert one != {"a": 1}
    assert "a" in one
    assert len(one) == 2
    assert repr(one) == "FrozenMap({'a': 1, 'b': 2})"


def test_changes_make_a_new_one() -> None:
    one = FrozenMap({"a": 1})
    assert dict(one.including({"b": 2})) == {"a": 1, "b": 2}
    assert dict(one.without(["a", "z"])) == {}
    assert dict(one) == {"a": 1}


@given(
    st.lists(
        st.dictionaries(st.integers(0, 60), st.integers(), max_size=4)
        | st.sets(st.integers(0, 60), max_size=2),
        max_size=60,
    )
)
def test_any_row_of_changes_gives_what_a_dictionary_gives(changes: list[dict[int, int] | set[int]]) -> None:
    frozen: FrozenMap[int, int] = FrozenMap({n: -n for n in range(0, 60, 2)})
    plain = dict(frozen)
    for change in changes:
        before, copy = frozen, dict(plain)
        if isinstance(change, dict):
            frozen = frozen.including(change)
            plain |= change
        else:
            frozen = frozen.without(change)
            plain = {key: value for key, value in plain.items() if key not in change}
        assert len(frozen) == len(plain)
        assert all(frozen.get(key) == plain.get(key) for key in range(60))
        assert all((key in frozen) == (key in plain) for key in range(60))
        assert (len(before), before.get(7)) == (len(copy), copy.get(7)), "what is changed stays as it was"
    assert list(frozen.items()) == list(plain.items())
    assert list(frozen.values()) == list(plain.values())
    assert (frozen, hash(frozen)) == (FrozenMap(plain), hash(FrozenMap(plain)))
