"""How followers hear of changes, also of those that other processes make."""

import asyncio

from cloud.changes import Changes

NAME = ("main", "p")


async def waits(changes: Changes) -> asyncio.Task[None]:
    """A follower that has read everything and waits."""
    event = changes.next(*NAME)
    task = asyncio.ensure_future(changes.wait(event, 60))
    await asyncio.sleep(0)
    assert changes.followed
    return task


async def test_a_follower_hears_what_this_process_tells() -> None:
    changes = Changes()
    follower = await waits(changes)
    changes.tell(*NAME)
    await follower
    assert not changes.followed


async def test_a_number_that_moves_in_the_store_is_told() -> None:
    changes = Changes()
    first = await waits(changes)
    changes.compare({NAME: 5})
    await first
    second = await waits(changes)
    changes.compare({NAME: 5})
    assert not second.done()
    changes.compare({NAME: 6})
    await second


async def test_what_was_told_here_is_not_told_again_at_once() -> None:
    changes = Changes()
    changes.compare({NAME: 5})
    changes.tell(*NAME)
    follower = await waits(changes)
    changes.compare({NAME: 6})
    await asyncio.sleep(0)
    assert not follower.done(), "the follower read it when it was told"
    changes.compare({NAME: 6})
    await follower


async def test_a_pause_without_followers_leaves_nothing_unheard() -> None:
    changes = Changes()
    changes.compare({NAME: 5})
    changes.forget()
    follower = await waits(changes)
    changes.compare({NAME: 5})
    await follower
