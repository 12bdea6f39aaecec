"""Finding the blocks of a segment file, also of a damaged one. Blocks; runs in a thread."""

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fog_node.journal.block import body_is_whole, decode
from fog_node.journal.files import Files
from fog_node.journal.header import HEADER, MAGIC, Header, parse_header
from fog_node.journal.index import BlockIndex, Place
from fog_node.messages import Block
from fogline.model.errors import DataLoss
from fogline.model.part import Origin

_STRIDE: Final = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """Bytes of a segment that are no block."""

    position: int
    end: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """The blocks of one segment and what lies between them."""

    index: BlockIndex
    damages: tuple[Damage, ...]
    last: Header | None
    size: int

    @property
    def whole_bytes(self) -> int:
        """Bytes up to the end of the last block."""
        place = self.index.place(len(self.index) - 1) if len(self.index) else None
        return place.position + place.size if place else 0


def scan(files: Files, path: Path, epoch: bytes, *, first: int, bodies: bool, end: int | None = None) -> Scan:
    """Hop from block to block; after damage search for the next one. ``bodies``: check those too.

    Only offsets in [``first``, ``end``) may stand in this file. Raises OSError.
    """
    size = files.size(path)
    index, damages = BlockIndex(), list[Damage]()
    position, expected, last = 0, first, None
    read = _Strides(files, path)
    while position < size:
        header, why = _block_at(read, position, size, bodies=bodies)
        if header is not None and (header.epoch != epoch or header.first < expected):
            header, why = None, "a block of another epoch or place"
        if header is not None and end is not None and header.end > end:
            break  # a commit that was never acknowledged, behind an end that is certain
        if header is None:
            following = _next_magic(files, path, position + 1, size)
            damages.append(Damage(position=position, end=following, why=why))
            position = following
            continue
        index.add(header, position)
        position, expected, last = position + header.size, header.end, header
    return Scan(index=index, damages=_joined(damages), last=last, size=size)


def read_or_nothing(files: Files, path: Path, position: int, length: int) -> bytes:
    """Read, or give nothing for a place that the disk cannot read: one bad sector is one damage, not the end."""
    try:
        return files.read(path, position, length)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return b""


def load_run(files: Files, path: Path, run: Sequence[Place], origin: Origin) -> list[Block]:
    """Read blocks that stand behind each other, up to the first that is damaged.

    Raises DataLoss if that is the first of all, OSError if the file cannot be read.
    """
    start = run[0].position
    data = files.read(path, start, run[-1].position + run[-1].size - start)
    blocks: list[Block] = []
    for place in run:
        at = place.position - start
        try:
            blocks.append(_decoded(data[at : at + place.size], place, origin))
        except DataLoss:
            if not blocks:
                raise
            break
    return blocks


def _decoded(data: bytes, place: Place, origin: Origin) -> Block:
    header = parse_header(data)
    if (header.first, header.end) != (place.first, place.end):
        raise DataLoss("another block stands there")
    return decode(origin, header, data[HEADER.size :])


class _Strides:
    """Reads a file from its begin to its end in large pieces: small blocks stand close together."""

    def __init__(self, files: Files, path: Path) -> None:
        self._files, self._path = files, path
        self._at, self._piece = 0, b""

    def __call__(self, position: int, length: int) -> bytes:
        """As :func:`read_or_nothing`."""
        start = position - self._at
        if not 0 <= start <= start + length <= len(self._piece):
            piece = read_or_nothing(self._files, self._path, position, max(length, _STRIDE))
            if not piece and length < _STRIDE:  # the bad sector may lie behind what is wanted
                return read_or_nothing(self._files, self._path, position, length)
            self._at, self._piece, start = position, piece, 0
        return self._piece[start : start + length]


def _block_at(read: _Strides, position: int, size: int, *, bodies: bool) -> tuple[Header | None, str]:
    try:
        header = parse_header(read(position, HEADER.size))
    except DataLoss as error:
        return None, error.message
    if position + header.size > size:
        return None, "the file ends inside a block"
    if bodies and not body_is_whole(header, read(position + HEADER.size, header.body_bytes)):
        return None, "a block's body fails its checksum"
    return header, ""


def _next_magic(files: Files, path: Path, position: int, size: int) -> int:
    """Where the next block may begin; the end of the file if nowhere."""
    while position < size:
        found = read_or_nothing(files, path, position, _STRIDE + len(MAGIC) - 1).find(MAGIC)
        if found >= 0:
            return position + found
        position += _STRIDE
    return size


def _joined(damages: list[Damage]) -> tuple[Damage, ...]:
    """Neighbouring damages as one: a magic inside a payload splits them."""
    joined: list[Damage] = []
    for damage in damages:
        if joined and joined[-1].end == damage.position:
            damage = Damage(position=joined.pop().position, end=damage.end, why=damage.why)  # noqa: PLW2901
        joined.append(damage)
    return tuple(joined)
