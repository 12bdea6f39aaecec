"""A gate: the code under test stops at it, the test decides when it goes on."""

import asyncio
from typing import Final


class Gate:
    """Open until closed. ``await gate.pass_()`` stands in the code, the rest in the test."""

    def __init__(self, *, closed: bool = False) -> None:
        self._open: Final = asyncio.Event()
        self._reached: Final = asyncio.Event()
        if not closed:
            self._open.set()

    async def pass_(self) -> None:
        """Say that the gate was reached, and wait until it is open."""
        self._reached.set()
        await self._open.wait()

    async def reached(self) -> None:
        """Wait until somebody stands at the gate, or has passed since it was closed."""
        await self._reached.wait()

    def close(self) -> None:
        """Stop whoever comes next."""
        self._reached.clear()
        self._open.clear()

    def open(self) -> None:
        """Let everybody go on."""
        self._open.set()
