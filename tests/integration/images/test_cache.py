"""The aggregator's cache over real sockets: many ask at once, it is killed, one stands below another."""

import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from fogline.control.keep import write_word
from fogline.model.errors import FogError, NotAllowed, Unavailable
from fogline.registry.client import CHUNK
from fogline.registry.parent import NoCache, ParentCache
from fogline.service.server import Server
from fogline.testing.control import KeyChain
from fogline.testing.until import until
from fogline.uplink.dial import channel_to
from tests.images import ImageFile, digest
from tests.integration.control.told import aggregating
from tests.integration.images.site import HANG_S, sleeper
from tests.registry import Registry
from tests.unit.aggregator.images.group import state_of

NOWHERE = "127.0.0.1:1"
SETTINGS = """
name = "a1"
folder = "{folder}"
parents = ["{nowhere}"]
listen = "127.0.0.1:0"
plaintext = true
log_format = "json"
"""


@pytest.fixture
def image() -> ImageFile:
    return sleeper()


def told(folder: Path, *images: str) -> None:
    """Let an aggregator find in its folder what the cloud has told it."""
    folder.mkdir(exist_ok=True)
    write_word(folder / "desired", KeyChain().word(state_of(*images)))


def child_of(address: str) -> ParentCache:
    return ParentCache(lambda: address, dial=channel_to)


async def read(
    child: ParentCache, image: str, piece: str, progress: Callable[[int, int], None] | None = None
) -> bytes:
    return b"".join([chunk async for chunk in child.read(image, piece, progress)])


async def test_many_children_ask_at_once_and_the_registry_is_asked_once(
    registry: Registry, image: ImageFile, tmp_path: Path
) -> None:
    reference, layer = registry.put("acme/still", image), digest(image.layers[0])
    told(tmp_path / "a1", reference)
    async with aggregating(tmp_path / "a1", NOWHERE) as aggregator:
        child = child_of(aggregator.server.address)
        assert await read(child, reference, digest(image.manifest)) == image.manifest
        registry.holding.set()
        waits: list[tuple[int, int]] = []
        async with asyncio.TaskGroup() as group:
            asking = [
                group.create_task(read(child, reference, layer, lambda *seen: waits.append(seen)))
                for _ in range(8)
            ]
            await until(lambda: len(waits) >= 8, within=HANG_S)
            registry.release()
        assert {task.result() for task in asking} == {image.layers[0]}
        assert waits[0] == (0, len(image.layers[0]))
        assert registry.asked.count(f"/v2/acme/still/blobs/{layer}") == 1
        with pytest.raises(NotAllowed, match="no desired state"):
            await read(child, reference.replace("still", "other"), digest(image.manifest))


async def test_one_below_another_asks_that_one_first(
    registry: Registry, image: ImageFile, tmp_path: Path
) -> None:
    reference = registry.put("acme/still", image)
    told(tmp_path / "a1", reference)
    async with (
        aggregating(tmp_path / "a1", NOWHERE) as above,
        aggregating(tmp_path / "a2", above.server.address, name="a2") as below,
    ):
        await until(lambda: below.generation > 0, within=HANG_S)
        child = child_of(below.server.address)
        for piece in (image.manifest, image.config, *image.layers):
            assert await read(child, reference, digest(piece)) == piece
        assert above.images is not None
        assert below.images is not None
        assert set(below.images.counters.fetched_bytes) == {"parent"}
        assert above.images.counters.served_bytes == below.images.held_bytes == above.images.held_bytes
    assert len([path for path in registry.asked if "sha256:" in path]) == 3


@asynccontextmanager
async def process(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """An aggregator in a process of its own, and where it listens."""
    settings = folder / "a1.toml"
    settings.write_text(SETTINGS.format(folder=folder / "a1", nowhere=NOWHERE))
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "aggregator", "--settings", str(settings)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert running.stderr is not None
    try:
        async with asyncio.timeout(HANG_S):
            async for line in running.stderr:
                said = json.loads(line)
                if said["event"] == "listening":
                    break
        yield running, said["address"]
    finally:
        with suppress(ProcessLookupError):
            running.terminate()
        await running.communicate()


async def test_one_that_is_killed_goes_on_where_it_was(
    registry: Registry, image: ImageFile, tmp_path: Path
) -> None:
    reference, layer = registry.put("acme/still", image), digest(image.layers[0])
    told(tmp_path / "a1", reference)
    partial = tmp_path / "a1" / "images" / "partial" / layer[7:]
    registry.halving.set()
    async with process(tmp_path) as (running, address):
        child = child_of(address)
        await read(child, reference, digest(image.manifest))
        asking = asyncio.create_task(read(child, reference, layer))
        # Half of it has been sent; the last bytes of that may wait for a whole chunk.
        half = len(image.layers[0]) // 2 - CHUNK
        await until(lambda: partial.exists() and partial.stat().st_size > half, within=HANG_S)
        running.send_signal(signal.SIGKILL)
        with pytest.raises(FogError):
            await asking
        await running.wait()
    left = partial.stat().st_size
    registry.release()
    async with process(tmp_path) as (running, address):
        assert await read(child_of(address), reference, layer) == image.layers[0]
    assert registry.ranges == [(layer, left)]
    assert not partial.exists()
    assert (tmp_path / "a1" / "images" / "sha256" / layer[7:]).read_bytes() == image.layers[0]


async def test_a_parent_that_keeps_no_images_or_is_hung_is_said(
    image: ImageFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = f"r.example/acme/still@{digest(image.manifest)}"
    async with Server(listen="127.0.0.1:0") as other:
        with pytest.raises(NoCache, match="keeps no images"):
            await read(child_of(other.address), reference, digest(image.manifest))
    with pytest.raises(NoCache, match="no parent is attached"):
        await read(child_of(""), reference, digest(image.manifest))
    monkeypatch.setattr("fogline.registry.parent.SILENCE_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as hung, pytest.raises(Unavailable, match="has said nothing"):
        await read(child_of(f"127.0.0.1:{hung.getsockname()[1]}"), reference, digest(image.manifest))


async def test_one_that_is_stopped_does_not_wait_for_a_silent_registry(
    registry: Registry, image: ImageFile, tmp_path: Path
) -> None:
    reference, layer = registry.put("acme/still", image), digest(image.layers[0])
    told(tmp_path / "a1", reference)
    registry.holding.set()
    async with process(tmp_path) as (running, address):
        child = child_of(address)
        await read(child, reference, digest(image.manifest))
        asking = asyncio.create_task(read(child, reference, layer))
        assert await asyncio.to_thread(registry.reached.wait, HANG_S)
        running.terminate()
        with pytest.raises(Unavailable):
            await asking
        assert await running.wait() == 0
        assert registry.holding.is_set(), "it was still silent"
