"""Waiting for what has no event of its own, with a deadline."""

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], bool], *, within: float = 10.0) -> None:
    """Look again and again until it is true. Raises :class:`TimeoutError` after ``within`` seconds."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 - a counter elsewhere has no event to wait for
            await asyncio.sleep(0.002)
