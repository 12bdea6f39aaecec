import asyncio

from hypothesis import given
from hypothesis import strategies as st

from fogline.uplink.credit import Credit


async def test_a_part_waits_until_there_is_room_for_it() -> None:
    credit = Credit(100)
    await credit.spend(80)
    waiting = asyncio.ensure_future(credit.spend(30))
    await asyncio.sleep(0)
    assert not waiting.done()
    credit.give(10)
    await waiting
    assert credit.left == 0


async def test_a_part_larger_than_the_whole_credit_goes_when_all_is_back() -> None:
    credit = Credit(100)
    await credit.spend(1)
    waiting = asyncio.ensure_future(credit.spend(1_000))
    await asyncio.sleep(0)
    assert not waiting.done()
    credit.give(1)
    await waiting
    assert credit.left == -900


async def test_a_small_part_does_not_overtake_a_large_one_that_waits() -> None:
    credit = Credit(100)
    await credit.spend(60)
    large = asyncio.ensure_future(credit.spend(100))
    await asyncio.sleep(0)
    small = asyncio.ensure_future(credit.spend(1))
    await asyncio.sleep(0)
    assert not small.done()
    credit.give(60)
    await large
    assert not small.done()
    credit.give(100)
    await small


@given(whole=st.integers(0, 1_000), sizes=st.lists(st.integers(1, 3_000), max_size=30))
def test_whatever_is_spent_and_given_back_a_part_never_waits_for_ever(whole: int, sizes: list[int]) -> None:
    async def go() -> None:
        credit = Credit(whole)
        under_way: list[int] = []
        for size in sizes:
            waiting = asyncio.ensure_future(credit.spend(size))
            await asyncio.sleep(0)
            while not waiting.done():
                credit.give(under_way.pop(0))
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            under_way.append(size)
            assert sum(under_way) <= whole or len(under_way) == 1

    asyncio.run(go())
