"""Images of one Engine: found by digest or id, fetched by digest only."""

import platform
from collections.abc import Callable, Mapping
from typing import Any, Final

from fog_node.runtimes.docker.engine import SILENCE_S, Engine
from fog_node.runtimes.docker.words import fault_of
from fog_node.runtimes.runtime import ContainerFault, Image

ARCHITECTURES: Final[Mapping[str, str]] = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}
"""The kernel's word, and images' word."""


async def find_image(engine: Engine, image: str) -> str:
    """The id of an image that can be started here. Raises :class:`ContainerFault`: image_missing, wrong_architecture.

    By a registry's digest; else by its own id, as an image is known that was loaded or built here.
    """
    name, digest = split(image)
    seen = await _inspect(engine, f"{name}@{digest}") or await _inspect(engine, digest)
    if seen is None:
        raise fault_of(404, f"no such image: {image}")
    own = ARCHITECTURES.get(platform.machine(), platform.machine())
    if seen.get("Architecture") != own and seen.get("Architecture") != await _of(engine):
        raise ContainerFault(
            f"{image} is for {seen.get('Architecture')}, and this node is {own}",
            reason="wrong_architecture",
            hint="build the image for this node's architecture, too",
        )
    return str(seen["Id"])


async def pull_image(engine: Engine, image: str, progress: Callable[[str], None]) -> None:
    """Fetch an image by its digest; layers that are here are not fetched again."""
    name, digest = split(image)
    layers: dict[str, tuple[int, int]] = {}
    async for said in engine.lines("POST", "/images/create", silence_s=SILENCE_S, fromImage=name, tag=digest):
        if "error" in said:
            raise fault_of(500, str(said["error"]))
        detail = said.get("progressDetail") or {}
        if said.get("status") == "Downloading" and detail.get("total"):
            layers[said.get("id", "")] = (int(detail["current"]), int(detail["total"]))
            have, all_bytes = (sum(column) for column in zip(*layers.values(), strict=True))
            progress(f"{have // 1024**2} of {all_bytes // 1024**2} MiB")


async def images(engine: Engine) -> tuple[Image, ...]:
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
        for seen in await engine.get("/images/json")
    )


def split(image: str) -> tuple[str, str]:
    """Name without tag, and digest. Raises :class:`ContainerFault` if there is none."""
    name, at, digest = image.partition("@")
    if not at or not digest.startswith("sha256:"):
        raise ContainerFault(f"{image} names no digest, and only digests are run", reason="bad_digest")
    before, colon, tag = name.rpartition(":")
    return (before if colon and "/" not in tag else name), digest


async def _inspect(engine: Engine, name: str) -> Mapping[str, Any] | None:
    try:
        seen: Mapping[str, Any] = await engine.get(f"/images/{name}/json")
    except ContainerFault as fault:
        if fault.reason in {"image_missing", "not_started"}:
            return None
        raise
    return seen


async def _of(engine: Engine) -> str:
    return str((await engine.get("/version"))["Arch"])
