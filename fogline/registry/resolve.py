"""Puts digests behind the tags of a spec's images: several registries at once, each one image after another."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from fogline.model.errors import FogError
from fogline.model.image import ImageReference, parse_image
from fogline.registry.client import Registries
from fogline.registry.errors import RegistryAway

AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What became of images."""

    images: Mapping[str, str]
    """By the text of the spec: with a digest."""
    faults: Mapping[str, FogError]
    """By the text of the spec: why there is no digest."""


def resolve(images: Iterable[str], registries: Registries) -> Resolved:
    """Ask for the digest of every image that has none. Blocks."""
    by_host: dict[str, list[ImageReference]] = {}
    for text in images:
        reference = parse_image(text)
        if not reference.digest:
            by_host.setdefault(reference.host, []).append(reference)
    found: dict[str, str] = {}
    faults: dict[str, FogError] = {}
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="registry") as threads:
        for digests, errors in threads.map(lambda some: _of_host(some, registries), by_host.values()):
            found |= digests
            faults |= errors
    return Resolved(images=found, faults=faults)


def _of_host(
    references: Iterable[ImageReference], registries: Registries
) -> tuple[dict[str, str], dict[str, FogError]]:
    """A registry that is away is asked once."""
    found: dict[str, str] = {}
    faults: dict[str, FogError] = {}
    away: FogError | None = None
    for reference in references:
        if away is not None:
            faults[str(reference)] = away
            continue
        try:
            found[str(reference)] = str(reference.at(registries.digest_of(reference)))
        except FogError as error:
            faults[str(reference)] = error
            away = error if isinstance(error, RegistryAway) else None
    return found, faults
