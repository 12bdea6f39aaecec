"""The image of all tiers, run by a real Engine."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.engine import DockerEngine

pytestmark = pytest.mark.timeout(600)
WITHIN_S = 100


@contextmanager
def running(engine: DockerEngine, image: str, command: list[str]) -> Iterator[str]:
    host = engine.client.create_host_config(read_only=True, network_mode="none", cap_drop=["ALL"])
    # The image's own check, asked more often than on a small machine.
    often = {"interval": 1_000_000_000}
    made = engine.client.create_container(image, command, host_config=host, healthcheck=often)
    try:
        engine.client.start(made)
        yield str(made["Id"])
    finally:
        engine.client.remove_container(made, force=True, v=True)


def wait_healthy(engine: DockerEngine, container: str) -> None:
    end = time.monotonic() + WITHIN_S
    while (state := engine.inspect(container)["State"])["Health"]["Status"] != "healthy":
        assert state["Running"], engine.client.logs(container).decode()
        assert time.monotonic() < end, state["Health"]
        time.sleep(0.2)


@pytest.mark.parametrize(
    "command",
    [
        ["node", "--name", "n", "--parents", "127.0.0.1:1", "--plaintext"],
        ["aggregator", "--name", "a", "--parents", "127.0.0.1:1", "--plaintext"],
        ["cloud"],
    ],
    ids=lambda command: command[0],
)
def test_a_tier_runs_as_nobody_is_healthy_and_leaves_when_told(
    command: list[str], docker_engine: DockerEngine, tier_image: str
) -> None:
    with running(docker_engine, tier_image, command) as container:
        wait_healthy(docker_engine, container)
        assert docker_engine.inspect(container)["Config"]["User"] == "10001:10001"
        docker_engine.client.stop(container, timeout=60)
        assert docker_engine.inspect(container)["State"]["ExitCode"] == 0


def test_without_a_tier_it_says_what_there_is(docker_engine: DockerEngine, tier_image: str) -> None:
    with running(docker_engine, tier_image, []) as container:
        docker_engine.client.wait(container)
        assert "aggregator" in docker_engine.client.logs(container).decode()
