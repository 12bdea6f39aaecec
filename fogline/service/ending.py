"""Ending a call's answers when what let its caller in holds no longer."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeVar

from fogline.model.errors import FogError

T = TypeVar("T")


async def until(
    answers: AsyncGenerator[T, Any], ended: Callable[[], Awaitable[FogError] | None]
) -> AsyncGenerator[T, None]:
    """Yield the answers; once what ``ended`` returns says why, raise that instead of waiting for the next one.

    Only the wait for an answer is broken off, never what is done with one: a write to a gRPC stream that is cancelled
    leaves it without a status (:mod:`fogline.service.writing`).
    """
    async with aclosing(answers):
        # Asked for here: a coroutine of a call that is never read would be one that nobody awaits.
        end_of_it = ended()
        if end_of_it is None:
            async for answer in answers:
                yield answer
            return
        waits: asyncio.Task[object] | None = None
        why: list[FogError] = []

        def end(done: "asyncio.Future[FogError]") -> None:
            if not done.cancelled():
                why.append(done.result())
                if waits is not None:
                    waits.cancel()

        watching = asyncio.ensure_future(end_of_it)
        watching.add_done_callback(end)
        try:
            while not why:
                waits = asyncio.current_task()
                try:
                    answer = await anext(answers)
                except StopAsyncIteration:
                    return
                except asyncio.CancelledError:
                    if not why or (waits is not None and waits.uncancel()):
                        raise
                    break
                finally:
                    waits = None
                yield answer
            raise why[0]
        finally:
            watching.cancel()
