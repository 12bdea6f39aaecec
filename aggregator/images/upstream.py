"""Where an aggregator has pieces of images from: its own parent's cache, and the registry that the image names."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Final, Protocol

from aggregator.images.named import Wanted
from aggregator.images.settings import ImageSettings
from fogline.registry.hosts import PlainHosts
from fogline.registry.logins import read_logins
from fogline.registry.parent import ParentCache

if TYPE_CHECKING:
    from fogline.registry.client import Kind, Registries

CONNECT_S: Final = 5.0
READ_S: Final = 60.0
"""A registry that sends nothing for so long is given up: some fetch a whole layer themselves before its first byte."""


class Filling(Protocol):
    """A piece that is being filled. Blocks."""

    @property
    def size(self) -> int:
        """Bytes that are here."""
        ...

    def begins(self, at: int) -> None:
        """What comes begins at this byte: at the end of what is here, or at 0."""
        ...

    def write(self, chunk: bytes) -> None:
        """The next bytes. Raises what ends the transfer."""
        ...


class Upstream(Protocol):
    """One place to have pieces from."""

    @property
    def name(self) -> str:
        """For people and metrics: parent or registry."""
        ...

    async def fetch(self, wanted: Wanted, filling: Filling) -> None:
        """Fill a piece. Raises :class:`fogline.model.errors.FogError`, and what the filling raises."""
        ...

    def close(self) -> None:
        """Nothing is fetched any more."""
        ...


class FromParent:
    """The cache of the parent, if that is an aggregator which has one."""

    name: Final = "parent"

    def __init__(self, cache: ParentCache) -> None:
        self._cache: Final = cache

    def close(self) -> None:
        """Nothing is open between two pieces."""

    async def fetch(self, wanted: Wanted, filling: Filling) -> None:
        """From the beginning: a parent is nearer than a registry."""
        chunks = self._cache.read(str(wanted.reference), wanted.piece.digest)
        async with aclosing(chunks):
            begun = False
            async for chunk in chunks:
                if not begun:
                    # Not before: what is here is worth keeping if the parent has nothing.
                    await asyncio.to_thread(filling.begins, 0)
                    begun = True
                await asyncio.to_thread(filling.write, chunk)


class FromRegistry:
    """The registry of each image. Its client blocks, and so has threads."""

    name: Final = "registry"

    def __init__(self, settings: ImageSettings) -> None:
        self._settings: Final = settings
        self._making: Final = Lock()
        self._made: Registries | None = None

    def close(self) -> None:
        """No more; what still comes ends with its own deadline, and holds up nobody."""
        if self._made is not None:
            self._made.__exit__(None, None, None)

    async def fetch(self, wanted: Wanted, filling: Filling) -> None:
        """From where the filling stands, if the registry can do that."""
        await _apart(lambda: self._fetch(wanted, filling))

    def _fetch(self, wanted: Wanted, filling: Filling) -> None:
        kind: Kind = "manifests" if wanted.piece.is_manifest else "blobs"
        registries, offset = self._registries(), filling.size
        with registries.opened(wanted.reference, kind, wanted.piece.digest, offset=offset) as opened:
            filling.begins(opened.begins)
            for chunk in opened.chunks:
                filling.write(chunk)

    def _registries(self) -> "Registries":
        """The client; made by the first who needs it: its library takes several MiB."""
        from fogline.registry.client import Registries  # noqa: PLC0415

        with self._making:
            if self._made is None:
                settings = self._settings
                logins = read_logins(Path(settings.registry_logins)) if settings.registry_logins else None
                self._made = Registries(
                    PlainHosts(settings.insecure_registries),
                    logins,
                    tier="aggregator",
                    connect_s=CONNECT_S,
                    read_s=READ_S,
                )
            return self._made


async def _apart(work: Callable[[], None]) -> None:
    """Do it in a thread that the process does not wait for when it ends: a registry may be silent for long."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle(error: BaseException | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def run() -> None:
        error: BaseException | None = None
        try:
            work()
        except BaseException as raised:  # noqa: BLE001 - told to who waits
            error = raised
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, error)

    Thread(target=run, name="registry", daemon=True).start()
    await done
