"""Equal values become one object, and each pure step is computed once.

A world is a handful of components, and few of them differ between neighbouring worlds. With one object for
each value, worlds are compared by the identity of their components, and a step that some component has taken
before, in whatever surroundings, is looked up.
"""

from collections.abc import Callable, Hashable
from typing import ParamSpec, TypeVar

V = TypeVar("V", bound=Hashable)
P = ParamSpec("P")
R = TypeVar("R", bound=Hashable)


class Memory:
    """Values and steps of one exploration."""

    def __init__(self) -> None:
        self._values: dict[Hashable, Hashable] = {}
        self._known: set[int] = set()
        self._steps: dict[tuple[object, ...], object] = {}

    def one(self, value: V) -> V:
        """Return the one object of this value."""
        # What is kept here lives as long as this, so its identity belongs to nothing else.
        if id(value) in self._known:
            return value
        kept = self._values.setdefault(value, value)
        self._known.add(id(kept))
        return kept  # type: ignore[return-value]  # equal values have one type

    def step(self, function: Callable[P, R], *arguments: P.args, **none: P.kwargs) -> R:
        """Return ``function(*arguments)``; arguments must have come out of here, or live for ever."""
        key = (function.__qualname__, *map(id, arguments))
        if key not in self._steps:
            result: object = function(*arguments, **none)
            if type(result) is tuple:
                result = tuple(self.one(each) for each in result)
            # The arguments are kept: their identity must not be given to anything else.
            self._steps[key] = (self.one(result), arguments)
        return self._steps[key][0]  # type: ignore[index,no-any-return]  # what was put there
