"""Manifests of images that the node has loaded itself, each under its digest.

An Engine that loads an image knows it by its configuration's digest, and forgets the manifest's, which is what was
signed. The manifest leads from the one to the other, and its own digest says that nobody has changed it. Blocks.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from fogline.registry.manifest import MalformedManifest, Manifest, is_digest_of, parse_manifest
from fogline.service.files import write_whole


class Manifests:
    """A folder of manifests."""

    def __init__(self, folder: Path) -> None:
        self._folder: Final = folder

    def keep(self, digest: str, content: bytes) -> None:
        """Remember one; on the disk when this returns. Raises :class:`OSError`."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(self._path(digest), content)

    def forget(self, digest: str) -> None:
        """Its image is gone."""
        with suppress(OSError):
            self._path(digest).unlink(missing_ok=True)

    def ids(self, digest: str) -> Iterator[str]:
        """What Engines call the image of this digest: by its configuration, or by its manifest for one architecture."""
        manifest = self._read(digest)
        if manifest is None:
            return
        if manifest.config is not None:
            yield manifest.config.digest
            yield digest
            return
        for piece in manifest.pieces:
            below = self._read(piece.digest)
            if below is not None and below.config is not None:
                yield below.config.digest
                yield piece.digest

    def _read(self, digest: str) -> Manifest | None:
        try:
            content = self._path(digest).read_bytes()
            return parse_manifest(content) if is_digest_of(digest, content) else None
        except (OSError, MalformedManifest):
            return None

    def _path(self, digest: str) -> Path:
        return self._folder / digest.removeprefix("sha256:")
