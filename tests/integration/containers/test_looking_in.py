"""The whole way with the real Engine: a service on a node that nobody can dial, looked into from the cloud."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import uuid4

import pytest

from fog_node.runtimes.docker.creation import NODE
from fog_node.runtimes.docker.networks import network_name
from fogline.client import AsyncClient
from fogline.model.errors import FogError
from tests.engine import DockerEngine
from tests.images import make_image, python_layer
from tests.integration.cloud.conftest import Running
from tests.integration.cloud.conftest import running as running  # noqa: PLC0414 - a fixture
from tests.integration.control.test_attaching import aggregating

HANG_S = 120.0
SETTINGS = """
name = "{name}"
folder = "{folder}"
parents = ["{parent}"]
plaintext = true
labels = ["place=attic"]
permit = "{permit}"
[listener]
enabled = false
[runtimes]
docker = "{docker}"
"""
PERMIT = """
[[tenants]]
name = "main"
networks = true
ports = [{port}]
allow_exec = true
"""
SPEC = """
name: attic
streams:
  air: {{mqtt: "house/{{room}}", format: json, time: ts, fields: {{temp: float}}}}
steps:
  all: {{sql: "SELECT count(*) AS n FROM air GROUP BY TUMBLE(ts, INTERVAL '10 seconds')"}}
services:
  greeter:
    image: {image}
    command: ["-u", "-c", "{code}"]
    env: {{GREETING: hello from the attic}}
    cpu: 0.5
    memory: 64Mi
    networks: [{network}]
    ports: ["{port}:8080"]
    volumes: ["data:/data"]
    on: {{place: attic}}
  elsewhere:
    image: {image}
    command: ["-c", "pass"]
    on: {{place: cellar}}
  forbidden:
    image: {image}
    command: ["-c", "pass"]
    networks: [{network}]
    ports: ["1:8080/udp"]
"""
CODE = """
import os, socket
server = socket.create_server(('', 8080))
open('/data/started', 'a').write('x')
print('listening', flush=True)
while True:
    caller, _ = server.accept()
    print('somebody came', flush=True)
    caller.sendall(os.environ['GREETING'].encode())
    caller.close()
"""


@pytest.fixture
def name(docker_engine: DockerEngine) -> Iterator[str]:
    """A node's name, never used before; nothing is left of it in the Engine."""
    made = f"test-{uuid4().hex[:12]}"
    yield made
    docker_engine.remove_all(f"{NODE}={made}")
    docker_engine.remove_network(network_name("main", made))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def node_process(folder: Path, name: str, parent: str, docker: str, port: int) -> AsyncIterator[int]:
    """A fog node without any port of its own; its process id."""
    permit, settings = folder / "permit.toml", folder / "node.toml"
    permit.write_text(PERMIT.format(port=port))
    settings.write_text(
        SETTINGS.format(name=name, folder=folder / "node", parent=parent, permit=permit, docker=docker)
    )
    with (folder / "node.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "fog_node", "--settings", str(settings), stdout=log, stderr=log
        )
    try:
        yield process.pid
    finally:
        process.terminate()
        await process.wait()


async def standing(client: AsyncClient, name: str, state: str) -> None:
    """Wait until a container stands so."""
    seen = []
    try:
        async with asyncio.timeout(HANG_S):
            while True:
                seen = [one async for one in client.containers(pipeline="attic")]
                if any((one.name, one.state) == (name, state) for one in seen):
                    return
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"{name} is not {state}: {seen}") from None


def listening(process: int) -> set[str]:
    """TCP ports that a process listens on, as the kernel writes them."""
    mine = set()
    for fd in Path(f"/proc/{process}/fd").iterdir():
        with suppress(OSError):  # it was closed in between
            mine.add(str(fd.readlink()))
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{process}/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == "0A" and f"socket:[{rest[5]}]" in mine:
                found.add(local)
    return found


async def greeting(port: int) -> bytes:
    """What the service says to who connects; it may only just have started."""
    async with asyncio.timeout(HANG_S):
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                said = b""
            else:
                said = await reader.read()
                writer.close()
                await writer.wait_closed()
            if said:
                return said
            await asyncio.sleep(0.1)


@pytest.mark.timeout(300)
async def test_a_service_runs_on_a_node_that_nobody_can_dial_and_is_looked_into(
    docker_engine: DockerEngine, running: Running, name: str, tmp_path: Path
) -> None:
    image = docker_engine.load(make_image((python_layer(),), entrypoint=("python3",)))
    port = free_port()
    code = CODE.strip().replace("\n", "\\n")
    spec = SPEC.format(image=image, code=code, network=name, port=port)
    async with (
        AsyncClient(running.address) as client,
        aggregating(tmp_path / "group", running.address) as aggregator,
        node_process(tmp_path, name, aggregator.server.address, docker_engine.url, port) as process,
    ):
        await client.deploy(spec)
        await standing(client, "greeter", "running")
        assert listening(process) == set()
        await _looks_right(docker_engine, client, name)
        assert await greeting(port) == b"hello from the attic"
        async with asyncio.timeout(HANG_S), client.logs("attic", "greeter", follow=True) as logs:
            said = b""
            async for chunk in logs:
                said += chunk.data
                if b"somebody came\n" in said:
                    break
        assert said.startswith(b"listening\n")
        await _is_commanded(client, name, tmp_path)
        async with client.usage(name) as usages:
            (usage,) = await anext(usages)
        assert {one.name for one in usage.containers} == {"greeter", "forbidden"}
        assert all(one.cpu_seconds > 0 for one in usage.containers if one.name == "greeter")


async def _looks_right(engine: DockerEngine, client: AsyncClient, name: str) -> None:
    """One runs with its limits and its hardening, the permit keeps one from it, one is for other nodes."""
    found = {one.name: one async for one in client.containers(node=name)}
    assert found.keys() == {"greeter", "forbidden"}
    assert found["forbidden"].state == "failed"
    assert "no permit for port 1" in found["forbidden"].fault
    seen = (await asyncio.to_thread(engine.inspect, found["greeter"].id))["HostConfig"]
    assert (seen["Memory"], seen["CpuQuota"], seen["ReadonlyRootfs"]) == (64 * 1024**2, 50_000, True)
    assert seen["CapDrop"] == ["ALL"]
    happened = {(one.name, one.event) async for one in client.events(pipeline="attic", node=name)}
    assert ("greeter", "started") in happened


async def _is_commanded(client: AsyncClient, name: str, folder: Path) -> None:
    """A command sees the volume, is fed, and is written down on the node."""
    code = "import sys; sys.stdout.write(open('/data/started').read() + sys.stdin.read()); sys.exit(5)"
    execution = client.exec(name, "greeter", ["python3", "-c", code], stdin=[b" fed"])
    async with asyncio.timeout(HANG_S):
        said = b"".join([chunk.data async for chunk in execution])
    assert (said, execution.exit_code) == (b"x fed", 5)
    kept = folder / "node" / "containers" / "docker" / "volumes" / "main" / "data" / "started"
    assert kept.read_text() == "x"
    assert '"outcome":"5"' in (folder / "node" / "audit" / "exec.jsonl").read_text()
    with pytest.raises(FogError) as raised:
        [chunk async for chunk in client.exec(name, "forbidden", ["ls"])]
    assert raised.value.code == "no_such_container"
