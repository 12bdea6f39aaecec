"""Images of one Engine: found by digest or id, fetched by digest only: by the parent's cache, else by the registry."""

import asyncio
import platform
from collections.abc import Callable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final

from fog_node.runtimes.docker.engine import SILENCE_S, Engine
from fog_node.runtimes.docker.loading import Cache, Loader
from fog_node.runtimes.docker.manifests import Manifests
from fog_node.runtimes.docker.words import fault_of
from fog_node.runtimes.naming import kept_as, without_tag
from fog_node.runtimes.runtime import ContainerFault, Image, RuntimeAway

ARCHITECTURES: Final[Mapping[str, str]] = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}
"""The kernel's word, and images' word."""

_MISSING: Final = frozenset({"image_missing", "registry_away", "not_started"})
"""What a registry's fault may be for the image to be only missing, and not wrong."""


class Images:
    """The images of one Engine, as far as a node cares."""

    def __init__(self, engine: Engine, folder: Path, cache: Cache | None = None) -> None:
        """``folder``: where manifests are kept; ``cache``: what the parent offers."""
        self._engine: Final = engine
        self._manifests: Final = Manifests(folder)
        self._loader: Final = None if cache is None else Loader(engine, cache, self._manifests)

    async def find(self, image: str) -> str:
        """The id of an image that can be started here. Raises :class:`ContainerFault`: image_missing or
        wrong_architecture.

        By a registry's digest; else by its own id, as an image is known that was loaded or built here; else by what
        the manifest of that digest says.
        """
        name, digest = split(image)
        seen = await self._inspect(f"{name}@{digest}") or await self._inspect(digest)
        if seen is None:
            for found in await asyncio.to_thread(lambda: list(self._manifests.ids(digest))):
                seen = seen or await self._inspect(found)
        if seen is None:
            raise fault_of(404, f"no such image: {image}")
        if seen.get("Architecture") not in await self._architectures(str(seen.get("Architecture"))):
            raise ContainerFault(
                f"{image} is for {seen.get('Architecture')}, and this node is {_own()}",
                reason="wrong_architecture",
                hint="build the image for this node's architecture, too",
            )
        return str(seen["Id"])

    async def present(self, image: str) -> bool:
        """Whether it can be started, or cannot for another reason than that it is not here."""
        try:
            await self.find(image)
        except RuntimeAway:
            raise
        except ContainerFault as fault:
            # One of another architecture is here: starting it says what is wrong, pulling it again would not help.
            return fault.reason != "image_missing"
        return True

    async def pull(self, image: str, progress: Callable[[str], None]) -> None:
        """Fetch an image by its digest. Raises :class:`ContainerFault`, which says what each source said."""
        said = await self._loaded(image, progress)
        if said is None:
            return
        try:
            await self._pull(image, progress)
            await self.find(image)
        except RuntimeAway:
            raise
        except ContainerFault as fault:
            if not said:
                raise
            both = f"{image} is not here; {said}; its registry: {fault.message}"
            reason = "image_missing" if fault.reason in _MISSING else fault.reason
            raise ContainerFault(both, reason=reason, hint=fault.hint) from fault

    async def _loaded(self, image: str, progress: Callable[[str], None]) -> str | None:
        """None: it came from the parent's cache; else what that said, if there is any."""
        if self._loader is None:
            return ""
        _, digest = split(image)
        said = await self._loader.load(image, digest, await self._architectures(), progress)
        if said is None:
            await self.find(image)
        return said

    async def _pull(self, image: str, progress: Callable[[str], None]) -> None:
        """By the Engine, from the registry that the image names; layers that are here are not fetched again."""
        name, digest = split(image)
        layers: dict[str, tuple[int, int]] = {}
        pulling = self._engine.lines(
            "POST", "/images/create", silence_s=SILENCE_S, fromImage=name, tag=digest
        )
        async with aclosing(pulling):  # type: ignore[type-var]  # it is a generator
            async for said in pulling:
                if "error" in said:
                    raise fault_of(500, str(said["error"]))
                detail = said.get("progressDetail") or {}
                if said.get("status") == "Downloading" and detail.get("total"):
                    layers[said.get("id", "")] = (int(detail["current"]), int(detail["total"]))
                    have, all_bytes = (sum(column) for column in zip(*layers.values(), strict=True))
                    progress(f"{have // 1024**2} of {all_bytes // 1024**2} MiB")

    async def all(self) -> tuple[Image, ...]:
        """All images of the Engine, whoever brought them."""
        return tuple(
            Image(
                id=str(seen["Id"]),
                names=(
                    str(seen["Id"]),
                    *(seen.get("RepoDigests") or ()),
                    *(seen.get("RepoTags") or ()),
                ),
                size_bytes=int(seen.get("Size", 0)),
            )
            for seen in await self._engine.get("/images/json")
        )

    async def remove(self, image: str) -> None:
        """Let go of one that was pulled, by the names that pulling gave it; other names of it stay."""
        removed = False
        for name in (without_tag(image), kept_as(image)):
            try:
                await self._engine.delete(f"/images/{name}")
            except ContainerFault as fault:
                if fault.reason != "image_missing":
                    raise
            else:
                removed = True
        if not removed:
            raise fault_of(404, f"no such image: {image}")
        await asyncio.to_thread(self._manifests.forget, split(image)[1])

    async def _architectures(self, enough: str = "") -> tuple[str, ...]:
        """What runs here, the best first; the Engine is asked unless the machine's own is ``enough``."""
        own = _own()
        return (own,) if own == enough else (own, str((await self._engine.get("/version"))["Arch"]))

    async def _inspect(self, name: str) -> Mapping[str, Any] | None:
        try:
            seen: Mapping[str, Any] = await self._engine.get(f"/images/{name}/json")
        except ContainerFault as fault:
            if fault.reason in {"image_missing", "not_started"}:
                return None
            raise
        return seen


def split(image: str) -> tuple[str, str]:
    """Name without tag, and digest. Raises :class:`ContainerFault` if there is none."""
    name, _, digest = without_tag(image).partition("@")
    if not digest.startswith("sha256:"):
        raise ContainerFault(f"{image} names no digest, and only digests are run", reason="bad_digest")
    return name, digest


def _own() -> str:
    return ARCHITECTURES.get(platform.machine(), platform.machine())
