"""A node moves while its messages are merged with another's and still on their way up at the old aggregator."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

from aggregator.main import Aggregator
from aggregator.settings import AggregatorSettings
from fogline.model.clock import SystemClock
from fogline.testing.relay import Relay
from tests.faults.device import Device
from tests.faults.house import (
    House,
    aggregator_in,
    at_work,
    cloud_in,
    deploy,
    free_port,
    publish,
    running,
    wrong_results,
)
from tests.faults.truth import PIPELINE, Truth

N = 500


def merged_and_on_the_way(old: Aggregator) -> bool:
    """Whether the aggregator holds a sealed part of both nodes' messages."""
    parts = [part for lane in old.sink._plans.values() for part in lane._state.inflight]
    return any(len({c.origin.node for c in part.contributions if c.messages}) == 2 for part in parts)


async def counts_differ(name: str, server: str, truth: Truth) -> bool:
    wrong = await wrong_results(server, truth, settle=False)
    return any(f"'{name}')" in words and "must be" in words for words in wrong)


async def test_a_part_of_which_a_piece_is_committed_already_is_refused_whole(tmp_path: Path) -> None:
    rng, truth, spec = Random(5), Truth(), tmp_path / "drill.yaml"
    spec.write_text(PIPELINE)
    cloud = cloud_in(tmp_path / "cloud")
    new = aggregator_in(tmp_path / "new", "new", cloud.address)
    async with running(cloud, new), AsyncExitStack() as stack:
        above = await stack.enter_async_context(Relay(cloud.address))
        settings = AggregatorSettings(
            name="old",
            listen=f"127.0.0.1:{free_port()}",
            parents=(above.address,),
            folder=tmp_path / "old",
        )
        settings.folder.mkdir()
        old, stopping = Aggregator(settings, clock=SystemClock(), rng=Random(6)), asyncio.Event()
        serving = asyncio.create_task(old.run(stopping), name="old aggregator")
        stack.callback(serving.cancel)
        below = await stack.enter_async_context(Relay(settings.listen))
        mover = House(tmp_path / "mover", below.address, new.address, name="mover")
        stayer = House(tmp_path / "stayer", settings.listen, name="stayer")
        devices = [Device(f"device-{h.port}", "127.0.0.1", h.port, in_flight=N) for h in (mover, stayer)]
        for house, device in zip((mover, stayer), devices, strict=True):
            await stack.enter_async_context(at_work(house, device))
        await deploy(spec, cloud.address)
        first, both = True, ((devices[0], "d0"), (devices[1], "d1"))
        while first or not merged_and_on_the_way(old):
            for device, name in both:
                ids = range(truth.messages, truth.messages + N)
                await publish(device, truth, rng, ids, name=name)
            if first:
                assert not await wrong_results(cloud.address, truth)
                above.up.close()
                first = False
        below.refusing = True
        below.cut()
        await devices[0].all_taken()
        while await counts_differ("d0", cloud.address, truth):
            pass  # the mover's messages come by the new way
        above.up.open()
        wrong = await wrong_results(cloud.address, truth)
    assert not wrong, wrong[:5]
    assert old.sink.counters.refusals, "nothing was mixed"
