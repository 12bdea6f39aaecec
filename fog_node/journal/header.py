"""The fixed part of a block: what it holds and how long it is, with a checksum of its own.

So a scan hops from block to block without reading bodies, and finds its feet again after a damaged one.
"""

import struct
import zlib
from dataclasses import dataclass
from typing import Final

from fogline.model.errors import DataLoss

MAGIC: Final = b"FOGBLOCK"
VERSION: Final = 1
HEADER: Final = struct.Struct("<8sHHI16sQIIIQqqQQQBBHII")
_SIGNED: Final = HEADER.size - 4
_WIDTHS: Final = (1, 2, 4)
LARGEST_BODY: Final = 1 << 30
"""No writer makes a body near this; a header that claims more is damaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a block says about itself before its body."""

    epoch: bytes
    first: int
    count: int
    runs: int
    meta_bytes: int
    columns_bytes: int
    payload_bytes: int
    earliest_us: int
    latest_us: int
    """Least and greatest arrival clock. Unit: microseconds since 1970-01-01 UTC."""
    received: int
    redelivered: int
    retained: int
    widths: tuple[int, int]
    """Bytes a payload's length and a topic's code take."""
    body_crc: int

    @property
    def end(self) -> int:
        """One past the last message."""
        return self.first + self.count

    @property
    def body_bytes(self) -> int:
        """How many bytes follow the header."""
        return self.meta_bytes + self.columns_bytes + self.payload_bytes

    @property
    def size(self) -> int:
        """Bytes of the whole block."""
        return HEADER.size + self.body_bytes


def pack_header(header: Header) -> bytes:
    """Give the header's bytes, checksum included."""
    h = header
    packed = HEADER.pack(
        MAGIC, VERSION, HEADER.size, h.runs, h.epoch, h.first, h.count, h.meta_bytes, h.columns_bytes,
        h.payload_bytes, h.earliest_us, h.latest_us, h.received, h.redelivered, h.retained,
        h.widths[0], h.widths[1], 0, h.body_crc, 0,
    )  # fmt: skip
    return packed[:_SIGNED] + zlib.crc32(packed[:_SIGNED]).to_bytes(4, "little")


def parse_header(data: bytes | bytearray | memoryview, position: int = 0) -> Header:
    """Read the header at ``position``. Raises DataLoss if it is damaged or not one."""
    if len(data) - position < HEADER.size:
        raise DataLoss("the file ends inside a block's header")
    (magic, version, size, runs, epoch, first, count, meta, columns, payload, earliest, latest, received,
     redelivered, retained, width_lengths, width_codes, _, body_crc, header_crc) = HEADER.unpack_from(
        data, position
    )  # fmt: skip
    if magic != MAGIC or zlib.crc32(data[position : position + _SIGNED]) != header_crc:
        raise DataLoss("a block's header fails its checksum")
    if version != VERSION or size != HEADER.size:
        raise DataLoss(f"a block has format {version}, this release reads {VERSION}")
    if first + count >= 1 << 63:
        raise DataLoss("a block claims offsets that no journal has")
    if width_lengths not in _WIDTHS or width_codes not in _WIDTHS or meta + columns + payload > LARGEST_BODY:
        raise DataLoss("a block's header contradicts itself")
    return Header(
        epoch=epoch,
        first=first,
        count=count,
        runs=runs,
        meta_bytes=meta,
        columns_bytes=columns,
        payload_bytes=payload,
        earliest_us=earliest,
        latest_us=latest,
        received=received,
        redelivered=redelivered,
        retained=retained,
        widths=(width_lengths, width_codes),
        body_crc=body_crc,
    )
