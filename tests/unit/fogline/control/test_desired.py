import asyncio

from fogline.control.desired import Desired
from fogline.control.word import Word
from fogline.testing.control import CHAIN, desired_state


def word(generation: int, *plans: str) -> Word:
    return CHAIN.word(desired_state(generation, *plans))


async def test_whoever_waits_sees_the_newest_state_only() -> None:
    desired = Desired()
    waiting = asyncio.ensure_future(desired.newer_than(-1))
    await asyncio.sleep(0)
    assert desired.offer(word(1, "a"))
    assert desired.offer(word(2, "b"))
    assert await waiting == desired_state(2, "b")


async def test_an_older_or_equal_state_wakes_nobody() -> None:
    desired = Desired(word(5))
    waiting = asyncio.ensure_future(desired.newer_than(5))
    await asyncio.sleep(0)
    assert not desired.offer(word(4))
    assert not desired.offer(word(5, "x"))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert desired.offer(word(6))
    assert (await waiting).generation == 6


async def test_what_nobody_has_signed_is_not_passed_on_until_somebody_has() -> None:
    desired = Desired(Word(state=desired_state(5, "a")))
    telling = asyncio.ensure_future(desired.to_tell(0))
    await asyncio.sleep(0)
    assert not telling.done()
    assert desired.offer(word(5, "a"))
    _, told = await telling
    assert told.signed is not None
    assert not desired.offer(Word(state=desired_state(5, "b")))
