"""The agent is killed at every step of starting and stopping a container; the next one knows what there is of it."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from fog_node.runtimes.docker.creation import NODE
from fog_node.runtimes.runtime import Condition
from tests.contract.lodging import guest_image
from tests.engine import DockerEngine
from tests.integration.containers.yard import HANG_S, one_container, replica, yard

STEPS = 10
ROOT = Path(__file__).parents[3]


@pytest.fixture
def node(docker_engine: DockerEngine) -> Iterator[str]:
    name = f"test-{uuid4().hex[:12]}"
    yield name
    docker_engine.remove_all(f"{NODE}={name}")


async def test_whichever_step_it_dies_at_one_container_runs_in_the_end_and_then_none(
    docker_engine: DockerEngine, node: str, tmp_path: Path
) -> None:
    image = docker_engine.load(guest_image())
    for step in range(STEPS + 1):
        ended = await asyncio.to_thread(_doomed, tmp_path / "docker", docker_engine.url, node, image, step)
        if step == STEPS:
            assert (ended.returncode, ended.stdout) == (0, f"{STEPS}\n"), ended.stderr
            break
        assert ended.returncode == -signal.SIGKILL, ended.stderr
    async with yard(tmp_path, docker=docker_engine.url, node=node) as one:
        one.want(replica(image, "serve"))
        await one_container(one, lambda seen: seen.condition is Condition.RUNNING)
        await one.becomes("guest", "running")
        assert len(docker_engine.containers(f"{NODE}={node}")) == 1
        one.want()
        await one.nothing_left()
        assert not docker_engine.containers(f"{NODE}={node}")


def _doomed(folder: Path, url: str, node: str, image: str, step: int) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tests.integration.containers.doomed", folder, url, node, image, str(step)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )
