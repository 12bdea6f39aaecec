"""What a hostile operator or service tries in a container of the node's, and what stops it (docs/threat-model.md)."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from fog_node.runtimes.docker.creation import NODE
from fog_node.runtimes.docker.networks import bridge_of, network_name
from fog_node.runtimes.docker.runtime import DockerRuntime
from fog_node.runtimes.runtime import ContainerSpec, Limits, Slot
from fogline.model.clock import SystemClock
from tests.contract.lodging import HANG_S, guest_image
from tests.engine import DockerEngine
from tests.images import layer, make_image

INTRUDER = Path(__file__).parents[2] / "contract/intruder.py"
LIMITS = Limits(cpu_millis=1000, memory_bytes=128 * 1024**2, pids=24, tmp_bytes=8 * 1024**2)


@pytest.fixture
def node(docker_engine: DockerEngine) -> Iterator[str]:
    name = f"test-{uuid4().hex[:12]}"
    yield name
    docker_engine.remove_all(f"{NODE}={name}")
    docker_engine.remove_network(network_name("main", name))


@pytest.fixture
async def runtime(docker_engine: DockerEngine, node: str, tmp_path: Path) -> AsyncIterator[DockerRuntime]:
    async with DockerRuntime(
        tmp_path / "docker", url=docker_engine.url, node=node, clock=SystemClock()
    ) as one:
        yield one


@pytest.fixture
def image(docker_engine: DockerEngine) -> str:
    layers = (*guest_image().layers, layer({"/app/intruder.py": INTRUDER}))
    return docker_engine.load(make_image(layers, entrypoint=("python3", "/app/intruder.py")))


@pytest.fixture
def service() -> Iterator[int]:
    """A service of the host's, on all its addresses."""
    with closing(socket.create_server(("0.0.0.0", 0))) as server:
        yield server.getsockname()[1]


async def test_a_hostile_operator_reaches_nothing(runtime: DockerRuntime, image: str, service: int) -> None:
    tried = await _tried(runtime, _spec(image, "operator", service, host=_own_address()))
    stopped = {
        "internet": {"ENETUNREACH"},
        "host_service": {"ENETUNREACH"},
        "docker_socket": {"ENOENT"},
        "host_abstract_sockets": {"reached: 0"},
        "root_files": {"EROFS", "EACCES"},
        "host_passwords": {"EACCES", "EPERM", "ENOENT"},
        "kernel_settings": {"EROFS", "EACCES"},
        "become_root": {"EPERM"},
        "mount": {"EPERM"},
        "new_user_namespace": {"EPERM"},
        "load_bpf": {"EPERM"},
        "disk_at_tmp": {"ENOSPC"},
        "disk_at_shm": {"ENOSPC"},
        "disk_at_socket": {"ENOSPC"},
        "files_at_socket": {"ENOSPC"},
        "capabilities": {"0000000000000000"},
        "seccomp": {"2"},
        "no_new_privileges": {"1"},
        "user": {"65532"},
    }
    assert {what: tried[what] for what in stopped if tried[what] not in stopped[what]} == {}
    assert tried["fork_bomb"].startswith("reached: EAGAIN after")
    assert tried["host_processes"] in {"reached: 1", "reached: 2", "reached: 3"}


async def test_a_service_with_a_network_does_not_reach_the_hosts_own_services(
    runtime: DockerRuntime, docker_engine: DockerEngine, image: str, node: str, service: int
) -> None:
    name = network_name("main", node)
    made = await asyncio.to_thread(
        docker_engine.client.create_network,
        name,
        options={"com.docker.network.bridge.name": bridge_of(name)},
        labels={NODE: node},
    )
    seen = await asyncio.to_thread(docker_engine.client.inspect_network, made["Id"])
    for host in (seen["IPAM"]["Config"][0]["Gateway"], _own_address()):
        spec = replace(_spec(image, "service", service, host=host), networks=(node,))
        tried = await _tried(runtime, spec)
        assert tried["host_service"] == "TimeoutError"


async def _tried(runtime: DockerRuntime, spec: ContainerSpec) -> dict[str, str]:
    container = await runtime.start(spec)
    heard = b""
    async with asyncio.timeout(HANG_S):
        async for output in runtime.logs(container, tail=100, follow=True):
            heard += output.data
            if heard.endswith(b"}\n"):
                break
    await runtime.stop(container, 0)
    found: dict[str, str] = json.loads(heard)
    return found


def _spec(image: str, kind: str, port: int, *, host: str) -> ContainerSpec:
    slot = (
        Slot(kind="operator", plan="0123456789abcdef", name="intruder")
        if kind == "operator"
        else Slot(kind="service", plan="0123456789abcdef", name="intruder")
    )
    return ContainerSpec(
        slot=slot,
        tenant="main",
        image=image,
        limits=LIMITS,
        environment=(("HOST", host), ("PORT", str(port))),
    )


def _own_address() -> str:
    """An address of this machine that is not loopback: where it would send from. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])
