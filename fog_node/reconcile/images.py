"""Images that the node has pulled: which it is, and which may go when they take too much disk.

Only what the node itself pulled is ever removed, and never what desired state names: an image loaded by hand is the
owner's, and one that may be started again without an uplink is worth more than its disk.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
import structlog

from fog_node.runtimes.naming import kept_as, without_tag
from fog_node.runtimes.runtime import Image
from fogline.service.files import write_whole

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    version: int = 1
    wanted_us: dict[str, int] = field(default_factory=dict)


class Pulled:
    """Images that this node pulled, and when each was last wanted. Blocks on the disk."""

    def __init__(self, path: Path) -> None:
        """Read what was kept; a file that cannot be read is said: its images then stay."""
        self._path: Final = path
        self._wanted_us: dict[str, int] = {}
        try:
            self._wanted_us = msgspec.json.decode(path.read_bytes(), type=_File).wanted_us
        except FileNotFoundError:
            pass
        except (OSError, msgspec.MsgspecError) as error:
            _log.error("list of pulled images cannot be read; they stay", path=str(path), error=error)

    @property
    def wanted_us(self) -> Mapping[str, int]:
        """By image: when it was last wanted."""
        return self._wanted_us.copy()

    def note(self, image: str, now_us: int) -> None:
        """The image is about to be pulled, or was wanted until now. Raises :class:`OSError`."""
        self._write({**self._wanted_us, image: now_us})

    def forget(self, image: str) -> None:
        """The image was removed. Raises :class:`OSError`."""
        if image not in self._wanted_us:
            return
        self._write({name: at_us for name, at_us in self._wanted_us.items() if name != image})

    def _write(self, wanted_us: dict[str, int]) -> None:
        write_whole(self._path, msgspec.json.encode(_File(wanted_us=wanted_us)))
        self._wanted_us = wanted_us


def superfluous(
    pulled: Mapping[str, int],
    here: tuple[Image, ...],
    named: frozenset[str],
    *,
    budget_bytes: int,
    missing_bytes: int = 0,
) -> tuple[str, ...]:
    """Pulled images to remove, the longest unwanted first, until they fit the budget and so much more is free.

    ``named``: images of desired state, and whatever else must stay.
    """
    sizes = {image: found.size_bytes for image in pulled if (found := _found(image, here)) is not None}
    kept_ids = {found.id for image in named if (found := _found(image, here, by_id=True)) is not None}
    excess = max(sum(sizes.values()) - budget_bytes, missing_bytes)
    chosen = []
    for image in sorted(sizes, key=lambda image: (pulled[image], image)):
        found = _found(image, here)
        if excess <= 0:
            break
        if image not in named and found is not None and found.id not in kept_ids:
            chosen.append(image)
            excess -= sizes[image]
    return tuple(chosen)


def vanished(pulled: Mapping[str, int], here: tuple[Image, ...], named: frozenset[str]) -> tuple[str, ...]:
    """Images that the node has pulled, that are not here any more, and that nobody names: no longer its concern."""
    return tuple(image for image in pulled if image not in named and _found(image, here) is None)


def _found(image: str, here: tuple[Image, ...], *, by_id: bool = False) -> Image | None:
    """The image by the names that pulling and loading by the node give; ``by_id``: also one that was loaded by hand."""
    names = {without_tag(image), kept_as(image), *([image.partition("@")[2]] if by_id else ())}
    return next((one for one in here if names.intersection(one.names)), None)
