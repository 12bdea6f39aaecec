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
