"""A mapping that never changes: what protocol states are made of."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, Generic, TypeVar, overload

if TYPE_CHECKING:
    from _collections_abc import dict_items, dict_values

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")

_FEW: Final = 16
"""So many changes are copied with each further one before they join the rest."""


class FrozenMap(Mapping[K, V], Generic[K, V]):
    """A mapping as a value: hashable if its values are, changed by making a new one.

    A change of a large map copies only what changed lately, so that a thousand children cost each of them little.
    """

    __slots__ = ("_changes", "_hash", "_items", "_size")

    def __init__(self, items: Mapping[K, V] | Iterable[tuple[K, V]] = ()) -> None:
        self._items: dict[K, V] = dict(items)
        self._changes: dict[K, V] = {}
        self._size = len(self._items)
        self._hash: int | None = None

    def __getitem__(self, key: K) -> V:
        changes = self._changes
        return changes[key] if key in changes else self._items[key]

    @overload
    def get(self, key: K, /) -> V | None: ...
    @overload
    def get(self, key: K, /, default: V | T) -> V | T: ...
    def get(self, key: K, /, default: V | T | None = None) -> V | T | None:
        """The value of a key, or the default."""
        changes = self._changes
        return changes[key] if key in changes else self._items.get(key, default)

    def __iter__(self) -> Iterator[K]:
        return iter(self._joined())

    def __len__(self) -> int:
        return self._size

    def __contains__(self, key: object) -> bool:
        return key in self._items or key in self._changes

    def __eq__(self, other: object) -> bool:
        if isinstance(other, FrozenMap):
            return self._joined() == other._joined()
        return NotImplemented

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self._joined().items()))
        return self._hash

    def __repr__(self) -> str:
        return f"FrozenMap({self._joined()!r})"

    def including(self, changes: Mapping[K, V]) -> "FrozenMap[K, V]":
        """The same with these entries added or replaced."""
        made: FrozenMap[K, V] = FrozenMap.__new__(FrozenMap)
        items, lately = self._items, self._changes
        made._items, made._changes, made._hash = items, {**lately, **changes}, None
        made._size = self._size + len([key for key in changes if key not in items and key not in lately])
        if len(made._changes) > _FEW and len(made._changes) ** 2 > len(items):
            made._joined()
        return made

    def without(self, keys: Iterable[K]) -> "FrozenMap[K, V]":
        """The same without these entries; a key that is not there is no error."""
        gone = set(keys)
        return FrozenMap({key: value for key, value in self._joined().items() if key not in gone})

    def items(self) -> "dict_items[K, V]":
        """Keys with their values."""
        return self._joined().items()

    def values(self) -> "dict_values[K, V]":
        """The values, in the order of the keys."""
        return self._joined().values()

    def _joined(self) -> dict[K, V]:
        """All entries in one dictionary, which others may share: nobody writes into it."""
        if self._changes:
            self._items, self._changes = {**self._items, **self._changes}, {}
        return self._items
