"""A group on one machine: an aggregator that the cloud has let in, and nodes with engines of their own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

from fog_node.ingest.listener import ListenerSettings
from fog_node.node import run_node
from fog_node.runtimes.docker.creation import NODE
from fog_node.runtimes.settings import RuntimeSettings
from fog_node.settings import NodeSettings
from fogline.identity.holder import Holder
from fogline.model.clock import SystemClock
from fogline.testing.parents import IMPATIENT
from tests.engine import running_engine
from tests.images import ImageFile, make_image, program_layer

HANG_S = 120.0
SPEC = """
name: {name}
streams:
  air: {{mqtt: "house/{{room}}", format: json, time: ts, fields: {{temp: float}}}}
steps:
  all: {{sql: "SELECT count(*) AS n FROM air GROUP BY TUMBLE(ts, INTERVAL '10 seconds')"}}
services:
  still: {{image: "{image}", cpu: 0.1, memory: 32Mi}}
"""


def sleeper(seconds: int = 100_000) -> ImageFile:
    """A small image that stays; another number is another image with the same layer."""
    return make_image((program_layer("sleep"),), entrypoint=("/usr/bin/sleep", str(seconds)))


@asynccontextmanager
async def node(
    folder: Path, name: str, *parents: str, docker: str, holder: Holder | None
) -> AsyncIterator[None]:
    """A node that runs."""
    settings = NodeSettings(
        name=name,
        folder=folder,
        parents=parents,
        listener=ListenerSettings(enabled=False),
        runtimes=RuntimeSettings(docker=docker, reserve=0, backoff=0.2, backoff_cap=1.0),
        link=IMPATIENT,
    )
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(run_node(settings, stopping, clock=SystemClock(), rng=Random(2), holder=holder))
        yield
        stopping.set()


async def runs(url: str, name: str, image: str) -> dict[str, Any]:
    """Wait until a container of a node runs that has this image; what its Engine knows of it."""

    def look() -> dict[str, Any] | None:
        with running_engine(url) as engine:
            found = engine.containers(f"{NODE}={name}")
            seen = next((one for one in found if one["State"] == "running"), None)
            return None if seen is None else engine.inspect(seen["Id"])

    async with asyncio.timeout(HANG_S):
        while (seen := await asyncio.to_thread(look)) is None or seen["Image"] != image:  # noqa: ASYNC110
            await asyncio.sleep(0.1)  # the Engine is asked
    return seen
