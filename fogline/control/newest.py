"""The newest value of something, held in one place and waited for by many."""

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Newest(Generic[T]):
    """Level-triggered: whoever waits sees the newest value, not each one."""

    def __init__(self) -> None:
        self._value: T | None = None
        self._number = 0
        self._changed = asyncio.Event()

    @property
    def value(self) -> T | None:
        """The newest value; None before there was any."""
        return self._value

    @property
    def number(self) -> int:
        """Counts the values; 0 before there was any."""
        return self._number

    def set(self, value: T) -> None:
        """This is the newest now."""
        self._value = value
        self._number += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def after(self, number: int) -> tuple[int, T]:
        """Wait until there is a newer value than the one of this number; 0 takes any."""
        while self._value is None or self._number <= number:
            await self._changed.wait()
        return self._number, self._value
