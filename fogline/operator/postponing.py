"""Imports a package without those of its imports that it hardly ever needs."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType


class _Later(ModuleType):
    """Stands for a module, which is imported once something of it is asked for."""

    def __getattr__(self, name: str) -> object:
        _withdraw(self)
        return getattr(import_module(self.__name__), name)


@contextmanager
def postponed(*names: str) -> Iterator[None]:
    """Give who imports one of these modules within this, at its top, something that imports it once it is used.

    Afterwards an import of any of them is like any other. For before there is a second thread.
    """
    standing = [_Later(name) for name in names if name not in sys.modules]
    sys.modules.update({one.__name__: one for one in standing})
    try:
        yield
    finally:
        for one in standing:
            _withdraw(one)


def _withdraw(one: ModuleType) -> None:
    if sys.modules.get(one.__name__) is one:
        del sys.modules[one.__name__]
