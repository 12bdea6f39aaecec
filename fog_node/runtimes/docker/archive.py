"""An image as Engines load it, piece by piece as it comes: nothing of it is kept in memory or on the node's disk.

The archive is one that every Engine reads: those with an image store of their own by ``manifest.json``, those that
leave images to containerd by the OCI layout's ``index.json``.
"""

import hashlib
import tarfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from fog_node.runtimes.runtime import ContainerFault
from fogline.registry.manifest import Manifest, Piece

_LAYOUT: Final = b'{"imageLayoutVersion":"1.0.0"}'
_BLOCK: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """An image that shall be loaded."""

    name: str
    """With a tag."""
    digest: str
    """Of the manifest for one architecture."""
    content: bytes
    """The manifest."""
    manifest: Manifest
    config: bytes


async def archive(
    loading: Loading, here: int, read: Callable[[Piece], AsyncGenerator[bytes, None]]
) -> AsyncGenerator[bytes, None]:
    """The archive without the lowest ``here`` layers, which the Engine has; ``read`` has a layer's bytes.

    Raises :class:`ContainerFault` at a layer that is not what it should be, and what ``read`` raises: the Engine then
    keeps nothing.
    """
    manifest = loading.manifest
    assert manifest.config is not None, "a list of images is not loaded"
    small = {
        "oci-layout": _LAYOUT,
        "index.json": _index(loading),
        "manifest.json": _manifest(loading),
        _path(manifest.config.digest): loading.config,
        _path(loading.digest): loading.content,
    }
    for name, content in small.items():
        yield _head(name, len(content)) + content + _padding(len(content))
    for piece in dict.fromkeys(manifest.pieces[here:]):
        yield _head(_path(piece.digest), piece.size)
        async for chunk in checked(piece, read(piece)):
            yield chunk
        yield _padding(piece.size)
    yield bytes(2 * _BLOCK)


async def checked(piece: Piece, chunks: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    """The same bytes, if they are what the digest names. Raises :class:`ContainerFault`: bad_digest."""
    found, size = hashlib.sha256(), 0
    try:
        async for chunk in chunks:
            found.update(chunk)
            size += len(chunk)
            if size > piece.size:
                break
            yield chunk
    finally:
        await chunks.aclose()
    if size != piece.size or piece.digest != f"sha256:{found.hexdigest()}":
        raise ContainerFault(f"what came is not what {piece.digest} names", reason="bad_digest")


def _index(loading: Loading) -> bytes:
    media = loading.manifest.media_type or "application/vnd.oci.image.manifest.v1+json"
    named = {
        "io.containerd.image.name": loading.name,
        "org.opencontainers.image.ref.name": loading.name.rpartition(":")[2],
    }
    only = {
        "mediaType": media,
        "digest": loading.digest,
        "size": len(loading.content),
        "annotations": named,
    }
    return msgspec.json.encode({"schemaVersion": 2, "manifests": [only]})


def _manifest(loading: Loading) -> bytes:
    assert loading.manifest.config is not None
    only = {
        "Config": _path(loading.manifest.config.digest),
        "RepoTags": [loading.name],
        "Layers": [_path(piece.digest) for piece in loading.manifest.pieces],
    }
    return msgspec.json.encode([only])


def _path(digest: str) -> str:
    return f"blobs/sha256/{digest.removeprefix('sha256:')}"


def _head(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size = size
    return member.tobuf(tarfile.GNU_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % _BLOCK)
