"""Specs are read by processes of their own, the next of which may stand ready."""

import asyncio
from asyncio.subprocess import Process

import pytest

from cloud.planner.reader import RegistrySettings, read_apart
from cloud.planner.reading import BEHIND_S, LOOK_EVERY_S, SPARE_S, Readers, end
from fogline.model.faults import SpecErrors
from fogline.testing.clock import ManualClock
from fogline.testing.until import until

SPEC = """\
name: plain
streams: {air: {mqtt: "air/{zone}", fields: {temp: float}}}
steps: {all: {sql: "SELECT count(*) AS n FROM air GROUP BY TUMBLE(arrival, INTERVAL '1 minute')"}}
"""


def spare_of(readers: Readers) -> Process | None:
    return readers._spare


async def read(readers: Readers, text: str = SPEC) -> bytes:
    return (await read_apart(text, "plain.yaml", "main", RegistrySettings(), readers)).plan


async def test_a_reader_that_stands_ready_reads_one_spec_and_is_let_go_of_after_a_rest() -> None:
    clock = ManualClock()
    readers = Readers(clock)
    running = asyncio.create_task(readers.run())
    first = await read(readers)
    await clock.advance(BEHIND_S + LOOK_EVERY_S)
    await until(lambda: spare_of(readers) is not None, within=60)
    spare = spare_of(readers)
    assert await read(readers) == first
    assert spare is not None
    assert spare.returncode == 0
    with pytest.raises(SpecErrors):
        await read(readers, "name: [")
    await clock.advance(BEHIND_S + LOOK_EVERY_S)
    await until(lambda: spare_of(readers) is not None, within=60)
    rested = spare_of(readers)
    await clock.advance(SPARE_S)
    await until(lambda: spare_of(readers) is None, within=60)
    assert rested is not None
    await rested.wait()
    running.cancel()
    await asyncio.wait((running,))


async def test_a_reader_that_has_died_meanwhile_is_replaced() -> None:
    clock = ManualClock()
    readers = Readers(clock)
    running = asyncio.create_task(readers.run())
    first = await read(readers)
    await clock.advance(BEHIND_S + LOOK_EVERY_S)
    await until(lambda: spare_of(readers) is not None, within=60)
    spare = spare_of(readers)
    assert spare is not None
    await end(spare)
    assert await read(readers) == first
    running.cancel()
    await asyncio.wait((running,))
