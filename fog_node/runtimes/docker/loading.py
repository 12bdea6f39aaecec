"""Loads images through the cache that the parent offers: it crosses the WAN once for the whole group."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final, Protocol

from fog_node.runtimes.docker.archive import Loading, archive
from fog_node.runtimes.docker.engine import SILENCE_S, Engine
from fog_node.runtimes.docker.manifests import Manifests
from fog_node.runtimes.docker.words import fault_of
from fog_node.runtimes.naming import kept_as
from fog_node.runtimes.runtime import ContainerFault, RuntimeAway
from fogline.model.errors import FogError
from fogline.registry.manifest import (
    MAX_MANIFEST,
    Manifest,
    Piece,
    is_digest_of,
    parse_layers,
    parse_manifest,
)

MIB: Final = 1024**2
_OWN_STORE: Final = "io.containerd.snapshotter"
"""In the driver's status: containerd keeps the images, and wants every layer."""
_OURS: Final = frozenset({"disk_full", "wrong_architecture"})
"""Faults that another source of the image would not mend."""


class Cache(Protocol):
    """Where pieces of images come from: :class:`fogline.registry.parent.ParentCache`."""

    @property
    def parent(self) -> str:
        """Who offers them now; empty: nobody."""
        ...

    def read(
        self, image: str, digest: str, progress: Callable[[int, int], None] | None = None
    ) -> AsyncGenerator[bytes, None]:
        """One piece of an image. Raises :class:`FogError`."""
        ...


class Loader:
    """Has one Engine load images from a cache."""

    def __init__(self, engine: Engine, cache: Cache, manifests: Manifests) -> None:
        self._engine: Final = engine
        self._cache: Final = cache
        self._manifests: Final = manifests

    async def load(
        self, image: str, digest: str, architectures: tuple[str, ...], progress: Callable[[str], None]
    ) -> str | None:
        """Have an image loaded; None if it is, else what the cache said. Raises :class:`ContainerFault` for what is
        wrong on this node, or with the image itself.
        """
        parent = self._cache.parent
        try:
            loading = await self._asked(image, digest, architectures)
            here = await self._here(loading.config)
            try:
                await self._send(image, loading, here, progress)
            except RuntimeAway:
                raise
            except ContainerFault as fault:
                if not here or fault.reason in _OURS:
                    raise
                # A layer that was here is gone: all of them, then.
                await self._send(image, loading, 0, progress)
        except RuntimeAway:
            raise
        except ContainerFault as fault:
            if fault.reason in _OURS:
                raise
            return f"the parent at {parent}: {fault.message}"
        except FogError as error:
            return f"the parent at {parent}: {error.message}" if parent else error.message
        except OSError as error:
            raise ContainerFault(f"a manifest cannot be kept: {error}", reason="disk_full") from error
        return None

    async def _asked(self, image: str, digest: str, architectures: tuple[str, ...]) -> Loading:
        """All of an image but its layers; its manifests are kept."""
        content = await self._small(image, Piece(digest=digest, size=0))
        manifest = parse_manifest(content)
        await asyncio.to_thread(self._manifests.keep, digest, content)
        if manifest.config is None:
            chosen = manifest.for_architecture(*architectures)
            if chosen is None:
                has = ", ".join(sorted({piece.architecture for piece in manifest.pieces}))
                raise ContainerFault(
                    f"{image} is for {has}, and this node is {architectures[0]}",
                    reason="wrong_architecture",
                    hint="build the image for this node's architecture, too",
                )
            digest = chosen.digest
            content = await self._small(image, chosen)
            manifest = parse_manifest(content)
            await asyncio.to_thread(self._manifests.keep, digest, content)
        if manifest.config is None:
            raise ContainerFault(f"{image} is a list of lists", reason="bad_digest")
        config = await self._small(image, manifest.config)
        return Loading(name=kept_as(image), digest=digest, content=content, manifest=manifest, config=config)

    async def _small(self, image: str, piece: Piece) -> bytes:
        """A piece that fits into memory, checked."""
        content = b""
        async with aclosing(self._cache.read(image, piece.digest)) as chunks:
            async for chunk in chunks:
                content += chunk
                if len(content) > MAX_MANIFEST:
                    break
        if not is_digest_of(piece.digest, content):
            raise ContainerFault(f"what came is not what {piece.digest} names", reason="bad_digest")
        return content

    async def _here(self, config: bytes) -> int:
        """How many of an image's lowest layers the Engine has from others, and needs not be given again."""
        info = await self._engine.get("/info")
        if any(_OWN_STORE in str(one) for one in info.get("DriverStatus") or ()):
            return 0
        wanted, most = parse_layers(config), 0
        for seen in await self._engine.get("/images/json"):
            other = await self._engine.get(f"/images/{seen['Id']}/json")
            layers = (other.get("RootFS") or {}).get("Layers") or ()
            alike = 0
            while alike < min(len(wanted), len(layers)) and wanted[alike] == layers[alike]:
                alike += 1
            most = max(most, alike)
        return most

    async def _send(self, image: str, loading: Loading, here: int, progress: Callable[[str], None]) -> None:
        coming = _Coming(loading.manifest, here, self._cache.parent, progress)

        def read(piece: Piece) -> AsyncGenerator[bytes, None]:
            return coming.counted(self._cache.read(image, piece.digest, coming.waits))

        for said in await self._engine.send(
            "/images/load", archive(loading, here, read), silence_s=SILENCE_S
        ):
            if "error" in said:
                raise fault_of(500, str(said["error"]))


class _Coming:
    """How much of an image has come, in words."""

    def __init__(self, manifest: Manifest, here: int, parent: str, progress: Callable[[str], None]) -> None:
        self._all: Final = sum(piece.size for piece in manifest.pieces[here:])
        self._parent: Final = parent
        self._progress: Final = progress
        self._have = 0

    def waits(self, have: int, size: int) -> None:
        """The parent itself has so much of a piece."""
        self._progress(f"the parent at {self._parent} has {have // MIB} of {size // MIB} MiB of a layer")

    async def counted(self, chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        """The same bytes."""
        async with aclosing(chunks):
            async for chunk in chunks:
                self._have += len(chunk)
                self._progress(
                    f"{self._have // MIB} of {self._all // MIB} MiB from the parent at {self._parent}"
                )
                yield chunk
