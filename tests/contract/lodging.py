"""Each runtime with a guest that it can run, for the contract that holds for all of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fog_node.runtimes.docker.runtime import DockerRuntime
from fog_node.runtimes.door import open_door
from fog_node.runtimes.process.runtime import ProcessRuntime
from fog_node.runtimes.runtime import Container, ContainerSpec, Limits, Output, Runtime, Slot
from fogline.model.clock import SystemClock
from tests.bundles import make_bundle
from tests.engine import DockerEngine
from tests.images import ImageFile, layer, make_image, python_layer
from tests.registry import Registry

GUEST = Path(__file__).with_name("guest.py")
HANG_S = 60.0
LIMITS = Limits(cpu_millis=1000, memory_bytes=96 * 1024**2, pids=32, tmp_bytes=8 * 1024**2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lodging:
    """A runtime and what it needs to run the guest."""

    open: Callable[[], AbstractAsyncContextManager[Runtime]]
    """The same again at each call, as after a restart of the agent."""
    image: str
    absent: str
    """An image that is nowhere."""
    survives: bool
    """Whether containers go on without the agent."""

    def spec(
        self, act: str, *, limits: Limits = LIMITS, replica: int = 0, greeting: str = ""
    ) -> ContainerSpec:
        """The guest as a replica of one step."""
        return ContainerSpec(
            slot=Slot(kind="operator", plan="0123456789abcdef", name="guest", replica=replica),
            tenant="main",
            image=self.image,
            limits=limits,
            environment=(("GREETING", greeting),) if greeting else (),
            command=(act,),
        )


def process_lodging(folder: Path) -> Lodging:
    """The process runtime with the guest as a bundle."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Runtime]:
        clock = SystemClock()
        async with ProcessRuntime(
            folder / "process", bundles=folder / "bundles", node="n1", clock=clock
        ) as runtime:
            yield runtime

    image = make_bundle(folder / "bundles", {"__main__.py": GUEST.read_text()})
    return Lodging(open=opened, image=image, absent=f"process:no@sha256:{'0' * 64}", survives=False)


def docker_lodging(folder: Path, engine: DockerEngine, registry: Registry) -> Lodging:
    """The Docker runtime with the guest as an image; the node's name is the test's own."""
    node = f"test-{folder.name}"

    @asynccontextmanager
    async def opened() -> AsyncIterator[Runtime]:
        async with DockerRuntime(
            folder / "docker", url=engine.url, node=node, clock=SystemClock()
        ) as runtime:
            yield runtime

    absent = f"127.0.0.1:{registry.port}/nobody/nothing@sha256:{'0' * 64}"
    return Lodging(open=opened, image=engine.load(guest_image()), absent=absent, survives=True)


@cache
def guest_image() -> ImageFile:
    """The guest with this machine's Python."""
    layers = (python_layer(), layer({"/app/guest.py": GUEST}))
    return make_image(layers, entrypoint=("python3", "/app/guest.py"))


async def found(runtime: Runtime, container: str) -> Container:
    """What the runtime says about one container."""
    return next(one for one in await runtime.list() if one.id == container)


async def becomes(runtime: Runtime, container: str, fits: Callable[[Container], bool]) -> Container:
    """Look until what the runtime says fits."""
    async with asyncio.timeout(HANG_S):
        while not fits(seen := await found(runtime, container)):  # noqa: ASYNC110 - some changes are told to nobody
            await asyncio.sleep(0.02)
        return seen


async def says(runtime: Runtime, container: str, words: str) -> bytes:
    """Read what it writes until the words come."""
    heard = b""
    async with asyncio.timeout(HANG_S):
        async for output in runtime.logs(container, tail=100, follow=True):
            heard += output.data
            if words.encode() in heard:
                break
    assert words.encode() in heard, heard
    return heard


async def said(runtime: Runtime, container: str, *, tail: int = 1000) -> list[Output]:
    """All that it wrote."""
    return [output async for output in runtime.logs(container, tail=tail, follow=False)]


async def ask(path: Path, question: str) -> str:
    """Ask the guest on its socket."""
    door = await asyncio.to_thread(open_door, path)
    assert door is not None
    with door:
        return await dial(door.path, question)


async def dial(path: Path, question: str) -> str:
    """Ask the guest by the path of its open door."""
    async with asyncio.timeout(HANG_S):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(f"{question}\n".encode())
        answer = await reader.readline()
        writer.close()
        await writer.wait_closed()
        return answer.decode().strip()


async def until_true(look: Callable[[], Awaitable[bool]]) -> None:
    """Look until it holds."""
    async with asyncio.timeout(HANG_S):
        while not await look():  # noqa: ASYNC110 - the kernel's counters tell nobody
            await asyncio.sleep(0.02)
