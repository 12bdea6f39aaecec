"""Operators that break the protocol, in containers of a real Engine: what is said of each, and what becomes of it."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from fog_node.messages import Range
from fog_node.operators.gateway import Operators
from fog_node.operators.settings import OperatorSettings
from fog_node.runtimes.docker.creation import NODE
from fogline.model.clock import SystemClock
from tests.engine import DockerEngine
from tests.faults.operator_image import sdk_image
from tests.integration.containers.yard import LIMITS, replica, yard
from tests.integration.operators.workshop import HERE, ORIGIN, OUTPUT, batch, spec

SAID = {
    "stranger": ("bad_answer", "an answer for batch 1000, which was not asked"),
    "twice": ("bad_answer", "which was not asked or is answered"),
    "flood": ("bad_answer", "which was not asked"),
    "garbled": ("bad_answer", "9 bytes that are no message of this protocol"),
    "hanging": ("timed_out", "no answer within 2 s"),
}
PLAN = "0123456789abcdef"


@pytest.fixture
def node(docker_engine: DockerEngine) -> Iterator[str]:
    """A node's name, never used before; its containers are gone at the end."""
    name = f"test-{uuid4().hex[:12]}"
    yield name
    docker_engine.remove_all(f"{NODE}={name}")


async def test_who_breaks_the_protocol_is_started_anew_and_waits_and_that_is_said(
    docker_engine: DockerEngine, node: str, tmp_path: Path
) -> None:
    image = await asyncio.to_thread(
        lambda: docker_engine.load(sdk_image(HERE / "rogues.py", "/app/rogues.py"))
    )
    settings = OperatorSettings(timeout=2.0, greeting_within=60.0)
    operators = Operators(settings, folder=tmp_path / "operators", clock=SystemClock())
    (step,) = spec(OUTPUT).steps
    plan = replace(spec(OUTPUT), steps=tuple(replace(step, name=way) for way in SAID))
    steps = operators.row_steps(PLAN, plan)
    carrying = asyncio.create_task(operators.run())
    asking = [
        asyncio.create_task(steps[way].answer(batch([2]), Range(ORIGIN, n, n + 1)))
        for n, way in enumerate(SAID)
    ]
    roomy = replace(LIMITS, memory_bytes=256 * 1024**2, pids=64)
    try:
        async with yard(tmp_path, docker=docker_engine.url, node=node, operators=operators) as one:
            operators.broken = one.reconciler.broken
            one.want(*(replica(image, way, name=way, limits=roomy) for way in SAID))
            for way, (event, words) in SAID.items():
                assert words in (await one.event(way, event)).detail
            # It has answered its only batch, and is well until the next one.
            await one.becomes("twice", "running")
            for way in SAID.keys() - {"twice"}:
                await one.becomes(way, "backing_off", words=SAID[way][1])
    finally:
        for task in (carrying, *asking):
            task.cancel()
        await asyncio.wait((carrying, *asking))
