"""Where things lie in the journal's folder.

LOCK                                         held by the one writer
ledger                                       small durable facts (ledger.py)
reserve                                      disk kept for them
streams/TENANT/STREAM/SEQUENCE-EPOCH/FIRST.blocks
                                     .../FIRST.note   made out of it (notes.py)
"""

import re
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

from fogline.model.part import Origin

LOCK: Final = "LOCK"
LEDGER: Final = "ledger"
RESERVE: Final = "reserve"
STREAMS: Final = "streams"
LONGEST_NAME: Final = 255
"""What Linux file systems take. Unit: bytes."""

_EPOCH: Final = re.compile(r"(\d{8,18})-([0-9a-f]{32})")
_SEGMENT: Final = re.compile(r"(\d{20})\.blocks")


def name_of(word: str) -> str:
    """Give a folder name from which the word can be told again."""
    return quote(word, safe="").replace(".", "%2E")


def word_of(name: str) -> str:
    """Give the word back; the inverse of :func:`name_of`."""
    return unquote(name)


def tenant_folder(root: Path, tenant: str) -> Path:
    """Folder of one tenant's streams."""
    return root / STREAMS / name_of(tenant)


def epoch_folder(root: Path, origin: Origin, sequence: int) -> Path:
    """Folder of one origin's segments; ``sequence`` counts the runs of the writer."""
    return (
        tenant_folder(root, origin.tenant) / name_of(origin.stream) / f"{sequence:08d}-{origin.epoch.hex()}"
    )


def epoch_of(name: str) -> tuple[int, bytes] | None:
    """Sequence and epoch that a folder's name tells; None if it is no epoch's."""
    match = _EPOCH.fullmatch(name)
    return (int(match[1]), bytes.fromhex(match[2])) if match else None


def segment_name(first: int) -> str:
    """File name of the segment whose first message is ``first``."""
    return f"{first:020d}.blocks"


def note_path(segment: Path) -> Path:
    """Where a segment's note lies."""
    return segment.with_suffix(".note")


def segment_of(name: str) -> int | None:
    """Offset that a segment's file name tells; None if it is none."""
    match = _SEGMENT.fullmatch(name)
    return int(match[1]) if match else None
