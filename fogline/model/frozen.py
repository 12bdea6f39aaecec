"""A mapping that never changes: what protocol states are made of."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class FrozenMap(Mapping[K, V], Generic[K, V]):
    """A mapping as a value: hashable if its values are, changed by making a new one."""

    __slots__ = ("_hash", "_items")

    def __init__(self, items: Mapping[K, V] | Iterable[tuple[K, V]] = ()) -> None:
        self._items: dict[K, V] = dict(items)
        self._hash: int | None = None

    def __getitem__(self, key: K) -> V:
        return self._items[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, key: object) -> bool:
        return key in self._items

    def __eq__(self, other: object) -> bool:
        if isinstance(other, FrozenMap):
            return self._items == other._items
        return NotImplemented

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self._items.items()))
        return self._hash

    def __repr__(self) -> str:
        return f"FrozenMap({self._items!r})"

    def including(self, changes: Mapping[K, V]) -> "FrozenMap[K, V]":
        """The same with these entries added or replaced."""
        return FrozenMap({**self._items, **changes})

    def without(self, keys: Iterable[K]) -> "FrozenMap[K, V]":
        """The same without these entries; a key that is not there is no error."""
        gone = set(keys)
        return FrozenMap({key: value for key, value in self._items.items() if key not in gone})
