"""Two cloud processes on one store: the lock on the offsets decides who is first, and nobody is turned away."""

import asyncio

from tests.contract.conftest import OpenStore
from tests.contract.installation import Installation, Reading, origin

ROUNDS = 20
NODES = 6


async def test_the_same_parts_through_two_stores_count_once(open_store: OpenStore) -> None:
    async with open_store() as one, open_store() as other:
        first, second = Installation(one), Installation(other)
        await first.deploy()
        await second.deploy()
        for number in range(ROUNDS):
            answers = await asyncio.gather(
                *(
                    installation.push([Reading(1, "north", 20.0)], first=number, of=origin(f"n{node}"))
                    for node in range(NODES)
                    for installation in (first, second)
                )
            )
            assert not any(answer.refused for answer in answers)
            assert all(set(answer.offsets.values()) == {number + 1} for answer in answers)
        await first.finish()
        said = await first.said()
    assert said[0, "north"][0] == ROUNDS * NODES


async def test_two_finishing_passes_at_once_tell_every_result_once(open_store: OpenStore) -> None:
    async with open_store() as one, open_store() as other:
        first, second = Installation(one), Installation(other)
        await first.deploy()
        await second.catalog.refresh(other)
        for number in range(ROUNDS):
            await first.push([Reading(number, "north", 20.0)], first=number)
            second.finisher.committed("main", first.plan_id)
            before = await one.newest_change("main", "greenhouse")
            await asyncio.gather(first.finish(), second.finish())
            assert await other.newest_change("main", "greenhouse") == before + 1
