import asyncio

from fogline.control.desired import Desired
from fogline.testing.control import desired_state


async def test_whoever_waits_sees_the_newest_state_only() -> None:
    desired = Desired()
    waiting = asyncio.ensure_future(desired.newer_than(-1))
    await asyncio.sleep(0)
    assert desired.offer(desired_state(1, "a"))
    assert desired.offer(desired_state(2, "b"))
    assert await waiting == desired_state(2, "b")


async def test_an_older_or_equal_state_wakes_nobody() -> None:
    desired = Desired(desired_state(5))
    waiting = asyncio.ensure_future(desired.newer_than(5))
    await asyncio.sleep(0)
    assert not desired.offer(desired_state(4))
    assert not desired.offer(desired_state(5, "x"))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert desired.offer(desired_state(6))
    assert (await waiting).generation == 6
