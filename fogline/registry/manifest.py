"""What an image consists of, as its manifests say: each names the digests and sizes of what is below it. Pure."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from fogline.model.errors import InvalidInput
from fogline.model.image import DIGEST

MAX_MANIFEST: Final = 4 * 1024**2
"""Bytes of one manifest, and of a configuration: registries take no larger ones."""
MOST_PIECES: Final = 512
"""Layers, or architectures, of one image."""


class MalformedManifest(InvalidInput):
    """Bytes that are no manifest, or one of a kind that cannot be run."""

    code = "malformed_manifest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What a manifest names."""

    digest: str
    size: int
    """In bytes."""
    media_type: str = ""
    is_manifest: bool = False
    architecture: str = ""
    """Of a manifest for one architecture: amd64, arm64, arm."""
    system: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Either of one image, or a list of one for each architecture."""

    media_type: str
    config: Piece | None = None
    """None: it is a list."""
    pieces: tuple[Piece, ...]
    """Layers, the lowest first; or manifests."""

    @property
    def all(self) -> tuple[Piece, ...]:
        """Everything that it names."""
        return self.pieces if self.config is None else (self.config, *self.pieces)

    def for_architecture(self, *architectures: str) -> Piece | None:
        """Of a list: the manifest for the first of these that it has."""
        for architecture in architectures:
            for piece in self.pieces:
                if piece.architecture == architecture and piece.system in ("", "linux"):
                    return piece
        return None


class _Platform(msgspec.Struct, frozen=True):
    architecture: str = ""
    os: str = ""


class _Descriptor(msgspec.Struct, frozen=True, rename="camel"):
    digest: str
    size: int
    media_type: str = ""
    platform: _Platform = _Platform()


class _Any(msgspec.Struct, frozen=True, rename="camel"):
    media_type: str = ""
    config: _Descriptor | None = None
    layers: list[_Descriptor] | None = None
    manifests: list[_Descriptor] | None = None


class _Root(msgspec.Struct, frozen=True):
    diff_ids: list[str]


class _Config(msgspec.Struct, frozen=True):
    rootfs: _Root


def parse_manifest(content: bytes) -> Manifest:
    """Read a manifest. Raises :class:`MalformedManifest`."""
    try:
        found = msgspec.json.decode(content, type=_Any)
    except msgspec.MsgspecError as error:
        raise MalformedManifest(f"it is no manifest of an image: {error}") from None
    if found.manifests is not None:
        pieces = tuple(_piece(one, is_manifest=True) for one in _few(found.manifests))
        return Manifest(media_type=found.media_type, pieces=pieces)
    if found.config is None or found.layers is None:
        raise MalformedManifest(
            "it is no manifest of an image", hint="push the image again with a newer client"
        )
    layers = tuple(_piece(one) for one in _few(found.layers))
    return Manifest(media_type=found.media_type, config=_piece(found.config), pieces=layers)


def parse_layers(config: bytes) -> tuple[str, ...]:
    """The digests of an image's layers, unpacked, by its configuration. Raises :class:`MalformedManifest`."""
    try:
        return tuple(msgspec.json.decode(config, type=_Config).rootfs.diff_ids)
    except msgspec.MsgspecError as error:
        raise MalformedManifest(f"it is no configuration of an image: {error}") from None


def is_digest_of(digest: str, content: bytes) -> bool:
    """Whether a digest is that of these bytes."""
    return digest == f"sha256:{hashlib.sha256(content).hexdigest()}"


def _few(descriptors: Sequence[_Descriptor]) -> Sequence[_Descriptor]:
    if len(descriptors) > MOST_PIECES:
        raise MalformedManifest(f"its manifest names more than {MOST_PIECES} pieces")
    return descriptors


def _piece(descriptor: _Descriptor, *, is_manifest: bool = False) -> Piece:
    if not DIGEST.fullmatch(descriptor.digest) or descriptor.size < 0:
        raise MalformedManifest("its manifest names a piece without a digest or size")
    return Piece(
        digest=descriptor.digest,
        size=descriptor.size,
        media_type=descriptor.media_type,
        is_manifest=is_manifest,
        architecture=descriptor.platform.architecture,
        system=descriptor.platform.os,
    )
