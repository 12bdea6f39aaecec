"""Room for images: what is pulled is remembered, and what nobody wants any more goes when room is short."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from fog_node.reconcile.images import Pulled, superfluous, vanished
from fog_node.runtimes.runtime import ContainerFault, Runtime
from fog_node.runtimes.settings import RuntimeSettings
from fogline.model.clock import Clock

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


Named = Callable[[], frozenset[str]]
"""The images that desired state names now."""


class ImageKeeper:
    """Pulls images of all runtimes within their disk."""

    def __init__(self, path: Path, settings: RuntimeSettings, clock: Clock) -> None:
        self._path: Final = path
        self._settings: Final = settings
        self._clock: Final = clock
        self._pulled: Pulled | None = None
        self._wanted: frozenset[str] = frozenset()
        self._coming: Final[set[str]] = set()
        """Images that are being pulled."""
        self._writing: Final = asyncio.Lock()

    async def make_room(self, runtime: Runtime, image: str, named: Named) -> None:
        """Before a pull: remember that it is the node's, and see to room. Raises :class:`ContainerFault`: disk_full."""
        self._coming.add(image)
        try:
            async with self._writing:
                pulled = await self._known()
                await asyncio.to_thread(pulled.note, image, self._clock.now_us())
        except OSError as error:
            raise ContainerFault(
                f"the node's record cannot be written: {error}", reason="disk_full"
            ) from error
        await self._clean(runtime, named)
        free = await runtime.free_bytes()
        if free < self._settings.reserve:
            raise ContainerFault(
                f"{free // 1024**2} MiB of disk are free, and {self._settings.reserve // 1024**2} MiB stay so",
                reason="disk_full",
                hint="make room on the node, or give it a smaller runtimes.reserve",
            )

    async def settled(self, runtime: Runtime, image: str) -> None:
        """A pull has ended. If nothing came of it, whoever brings the image by hand now shall find it his own."""
        self._coming.discard(image)
        with suppress(OSError, ContainerFault):
            here = await runtime.images()
            async with self._writing:
                pulled = await self._known()
                if vanished({image: 0}, here, frozenset()):
                    await asyncio.to_thread(pulled.forget, image)

    async def tidy(self, runtime: Runtime, named: Named) -> None:
        """Now and then: note what is not wanted any more, and keep images within their disk.

        Raises :class:`ContainerFault`; nothing is asked of a runtime for which nothing was pulled.
        """
        async with self._writing:
            pulled = await self._known()
            wanted = named()
            ceased, self._wanted = self._wanted - wanted, wanted
            with suppress(OSError):
                for image in ceased & pulled.wanted_us.keys():
                    await asyncio.to_thread(pulled.note, image, self._clock.now_us())
        if pulled.wanted_us:
            await self._clean(runtime, named)

    async def _clean(self, runtime: Runtime, named: Named) -> None:
        """Remove pulled images beyond the budget that desired state does not name. What is in use stays."""
        here = await runtime.images()

        def staying() -> frozenset[str]:
            return named() | self._coming

        missing = self._settings.reserve - await runtime.free_bytes()
        async with self._writing:
            pulled = await self._known()
            with suppress(OSError):
                for image in vanished(pulled.wanted_us, here, staying()):
                    await asyncio.to_thread(pulled.forget, image)
            chosen = superfluous(
                pulled.wanted_us,
                here,
                staying(),
                budget_bytes=self._settings.images,
                missing_bytes=max(0, missing),
            )
            for image in chosen:
                if image in staying():
                    continue  # since a moment ago
                try:
                    await runtime.remove_image(image)
                    await asyncio.to_thread(pulled.forget, image)
                except (ContainerFault, OSError) as error:
                    _log.warning("image not removed", image=image, error=error)
                else:
                    _log.info("image removed", image=image)

    async def _known(self) -> Pulled:
        if self._pulled is None:
            self._pulled = await asyncio.to_thread(Pulled, self._path)
        return self._pulled
