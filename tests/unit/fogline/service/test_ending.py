"""Ending a call's answers, whatever they wait for."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from fogline.model.errors import FogError, TokenRevoked
from fogline.service.ending import until


async def counted(closed: list[bool]) -> AsyncGenerator[int, None]:
    try:
        yield 1
        yield 2
        await asyncio.Event().wait()
    finally:
        closed.append(True)


async def never() -> FogError:
    await asyncio.Event().wait()
    raise AssertionError


async def test_all_answers_come_and_nobody_watches_on() -> None:
    async def two() -> AsyncGenerator[int, None]:
        yield 1
        yield 2

    assert [answer async for answer in until(two(), never)] == [1, 2]
    assert [answer async for answer in until(two(), lambda: None)] == [1, 2]


async def test_a_wait_for_the_next_answer_is_broken_off() -> None:
    closed: list[bool] = []
    over: asyncio.Future[FogError] = asyncio.get_running_loop().create_future()
    answers = until(counted(closed), lambda: over)
    assert [await anext(answers), await anext(answers)] == [1, 2]
    asyncio.get_running_loop().call_soon(over.set_result, TokenRevoked("taken back"))
    with pytest.raises(TokenRevoked):
        await anext(answers)
    assert closed == [True]
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_what_is_done_with_an_answer_is_not_broken_off() -> None:
    over: asyncio.Future[FogError] = asyncio.get_running_loop().create_future()
    answers = until(counted([]), lambda: over)
    assert await anext(answers) == 1
    over.set_result(TokenRevoked("taken back"))
    await asyncio.sleep(0)  # a write, during which it ends
    with pytest.raises(TokenRevoked):
        await anext(answers)


async def test_who_cancels_the_call_is_not_told_another_reason() -> None:
    answers = until(counted([]), never)
    await anext(answers)
    await anext(answers)
    waiting: asyncio.Task[int] = asyncio.ensure_future(anext(answers))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await answers.aclose()
