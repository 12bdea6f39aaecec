"""Room for one more piece: what no desired state names goes, the longest unused first."""

from collections.abc import Collection
from typing import Final

import structlog

from aggregator.images.blobs import Blobs
from aggregator.images.settings import ImageSettings
from fogline.model.errors import Unavailable

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class CacheFull(Unavailable):
    """Nothing more fits, and all that is here is named by desired state."""


class Room:
    """Keeps pieces within their disk. Blocks on the disk; for one caller at a time."""

    def __init__(self, blobs: Blobs, settings: ImageSettings) -> None:
        self._blobs: Final = blobs
        self._settings: Final = settings
        self.evicted = 0
        """Pieces that went."""

    def make(self, need: int, *, promised: int, named: Collection[str], coming: Collection[str]) -> None:
        """See to room for so many bytes beside what is ``promised`` to pieces that are ``coming``.

        Raises :class:`CacheFull`.
        """
        idle = self._blobs.sweep({*named, *coming}) - self._blobs.partly(coming)
        used = self._blobs.held_bytes + promised + idle + need
        over = max(used - self._settings.disk, self._settings.reserve + need - self._blobs.free_bytes)
        sizes, last_used = self._blobs.sizes, self._blobs.last_used()
        for digest in sorted(sizes.keys() - named, key=lambda one: (last_used[one], one)):
            if over <= 0:
                break
            self._blobs.remove(digest)
            self.evicted += 1
            over -= sizes[digest]
            _log.info("piece of an image removed from the cache", digest=digest, bytes=sizes[digest])
        if over > 0:
            raise CacheFull(
                f"the aggregator's disk for images lacks {over} bytes for this one, and all else there is wanted",
                hint="give it a larger images.disk, or make room on its disk",
            )
