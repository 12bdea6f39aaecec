import asyncio

import pytest

from fog_node.runtimes.process.output import KEPT_BYTES, Kept
from fog_node.runtimes.runtime import STDERR, STDOUT, Output


async def _kept(*pieces: tuple[int, bytes]) -> Kept:
    kept = Kept()
    for channel, data in pieces:
        await kept.add(Output(channel, data))
    return kept


@pytest.mark.parametrize(
    ("lines", "tail"), [(0, b""), (1, b"c\n"), (2, b"b\nc\n"), (3, b"a\nb\nc\n"), (9, b"a\nb\nc\n")]
)
async def test_the_tail_is_of_whole_lines(lines: int, tail: bytes) -> None:
    kept = await _kept((STDOUT, b"a\nb"), (STDERR, b"\n"), (STDOUT, b"c\n"))
    assert b"".join([output.data async for output in kept.follow(tail=lines, follow=False)]) == tail


async def test_only_the_newest_is_kept() -> None:
    kept = await _kept(*((STDOUT, bytes(KEPT_BYTES // 4)) for _ in range(9)))
    heard = [len(output.data) async for output in kept.follow(tail=1, follow=False)]
    assert sum(heard) <= KEPT_BYTES


async def test_a_follower_hears_what_comes_until_the_end() -> None:
    kept = await _kept((STDOUT, b"before\n"))
    heard: list[bytes] = []

    async def follow() -> None:
        async for output in kept.follow(tail=1, follow=True):
            heard.append(output.data)  # noqa: PERF401 - read meanwhile

    following = asyncio.create_task(follow())
    while not heard:  # noqa: ASYNC110 - the follower tells nobody
        await asyncio.sleep(0)
    await kept.add(Output(STDERR, b"after\n"))
    await kept.end()
    await following
    assert heard == [b"before\n", b"after\n"]
