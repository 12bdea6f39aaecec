"""A cache of images at work, over a folder, with upstreams that do as they are told."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from aggregator.images.cache import ImageCache
from aggregator.images.named import Wanted
from aggregator.images.settings import ImageSettings
from aggregator.images.upstream import Filling
from fogline.control.desired import Desired
from fogline.control.word import Word
from fogline.model.caller import Caller, Right
from fogline.model.errors import FogError, Unavailable
from fogline.v1 import control_pb2
from tests.images import ImageFile, digest

NODE = Caller(tenant="main", rights=frozenset(Right), role="node", name="n1")
NO_RESERVE = ImageSettings(reserve=0)


@dataclass
class Staged:
    """An upstream."""

    name: str = "registry"
    pieces: dict[str, bytes] = field(default_factory=dict)
    fault: FogError | None = None
    asked: list[tuple[str, int]] = field(default_factory=list)
    """Digests, and from which byte on."""
    held: asyncio.Event | None = None
    """Not set: who asks waits."""
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    breaks_after: int = 0
    """Bytes after which it breaks off; 0: it does not."""
    closed: bool = False

    def has(self, image: ImageFile) -> str:
        """Have an image; its reference."""
        named = digest(image.manifest)
        self.pieces |= {named: image.manifest, image.id: image.config}
        self.pieces |= {digest(one): one for one in image.layers}
        return f"r.example/acme/clean@{named}"

    async def fetch(self, wanted: Wanted, filling: Filling) -> None:
        self.asked.append((wanted.piece.digest, filling.size))
        self.reached.set()
        if self.held is not None:
            await self.held.wait()
        if self.fault is not None:
            raise self.fault
        content = self.pieces[wanted.piece.digest]
        filling.begins(filling.size)
        end = self.breaks_after or len(content)
        for at in range(filling.size, min(end, len(content)), 100):
            filling.write(content[at : min(at + 100, end)])
        if end < len(content):
            raise Unavailable("the line broke")

    def close(self) -> None:
        self.closed = True


def desiring(*images: str, nodes: Sequence[str] = ()) -> Desired:
    """A desired state that names these."""
    return Desired(Word(state=state_of(*images, nodes=nodes)))


def state_of(*images: str, nodes: Sequence[str] = (), generation: int = 1) -> control_pb2.DesiredState:
    """The state itself."""
    operators = [
        control_pb2.OperatorRelease(step=f"s{number}", image=image) for number, image in enumerate(images)
    ]
    grant = control_pb2.Grant(plan="p", operators=operators, nodes=nodes)
    return control_pb2.DesiredState(generation=generation, grants=[grant])


@asynccontextmanager
async def running_cache(
    folder: Path, desired: Desired, *upstreams: Staged, settings: ImageSettings = NO_RESERVE
) -> AsyncIterator[ImageCache]:
    """One life of a cache over a folder."""
    cache = ImageCache(folder, settings, desired=desired, upstreams=upstreams)
    running = asyncio.create_task(cache.run())
    await cache.ready.wait()
    try:
        yield cache
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def ask(cache: ImageCache, image: str, piece: str, caller: Caller = NODE) -> bytes:
    """One piece, as a child gets it."""
    wanted = await cache.find(image, piece, caller)
    async for _ in cache.fetched(wanted):
        pass
    return b"".join([chunk async for chunk in cache.chunks(wanted)])


async def ask_all(cache: ImageCache, image: str, file: ImageFile) -> list[bytes]:
    """Every piece, from the top."""
    pieces = [digest(file.manifest), file.id, *map(digest, file.layers)]
    return [await ask(cache, image, piece) for piece in pieces]
