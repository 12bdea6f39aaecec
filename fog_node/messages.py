"""What ingest hands to the journal, and the journal to the steps: messages by the thousand, in columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from fogline.model.part import Origin

QOS_BITS: Final = 0b0000_0011
DUP_FLAG: Final = 0b0000_0100
RETAIN_FLAG: Final = 0b0000_1000
WILL_FLAG: Final = 0b0001_0000


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """Deliveries of one client to one stream that arrived together. All columns have one entry a message."""

    arrival_us: int
    """When they were read from the socket. Unit: microseconds since 1970-01-01 UTC."""
    client: str
    topics: Sequence[str]
    """The distinct topics."""
    topic_codes: Sequence[int] | npt.NDArray[np.integer]
    """Indexes into ``topics``."""
    payloads: Sequence[bytes]
    packet_ids: Sequence[int] | npt.NDArray[np.integer]
    """0 for QoS 0."""
    flags: bytes | bytearray
    """Bits 0-1 QoS, 2 DUP, 3 RETAIN, 4 will."""
    lengths: npt.NDArray[np.integer] | None = None
    """Bytes of each payload, if whoever cut them out has them as a column; else they are measured."""

    def __len__(self) -> int:
        return len(self.payloads)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Messages [first, end) of one origin, of one group commit. Columns have one entry a message."""

    origin: Origin
    first: int
    end: int
    arrival_us: npt.NDArray[np.int64]
    """Never decreases within a block unless the machine's clock was set back."""
    topics: tuple[str, ...]
    topic_codes: npt.NDArray[np.uint32]
    """Indexes into ``topics``."""
    clients: tuple[str, ...]
    client_codes: npt.NDArray[np.uint32]
    """Indexes into ``clients``."""
    packet_ids: npt.NDArray[np.uint16]
    flags: npt.NDArray[np.uint8]
    """As in :class:`Messages`."""
    payloads: Sequence[bytes]

    def __len__(self) -> int:
        return self.end - self.first

    def since(self, first: int) -> "Block":
        """The messages at or after ``first``, which lies in this block."""
        if first <= self.first:
            return self
        rest = slice(first - self.first, None)
        return Block(
            origin=self.origin,
            first=first,
            end=self.end,
            arrival_us=self.arrival_us[rest],
            topics=self.topics,
            topic_codes=self.topic_codes[rest],
            clients=self.clients,
            client_codes=self.client_codes[rest],
            packet_ids=self.packet_ids[rest],
            flags=self.flags[rest],
            payloads=self.payloads[rest],
        )


class Range(NamedTuple):
    """Messages [first, end) of one origin."""

    origin: Origin
    first: int
    end: int


def range_of(blocks: Sequence[Block]) -> Range:
    """The messages of blocks that follow each other in one origin; at least one is needed."""
    return Range(blocks[0].origin, blocks[0].first, blocks[-1].end)


def joined(blocks: Sequence[Block]) -> Block:
    """One block of the messages of several that follow each other in one origin; at least one is needed."""
    first = blocks[0]
    if len(blocks) == 1:
        return first
    topics, topic_codes = _one_table([(block.topics, block.topic_codes) for block in blocks])
    clients, client_codes = _one_table([(block.clients, block.client_codes) for block in blocks])
    return Block(
        origin=first.origin,
        first=first.first,
        end=blocks[-1].end,
        arrival_us=np.concatenate([block.arrival_us for block in blocks]),
        topics=topics,
        topic_codes=topic_codes,
        clients=clients,
        client_codes=client_codes,
        packet_ids=np.concatenate([block.packet_ids for block in blocks]),
        flags=np.concatenate([block.flags for block in blocks]),
        payloads=list(chain.from_iterable(block.payloads for block in blocks)),
    )


def _one_table(
    columns: Sequence[tuple[tuple[str, ...], npt.NDArray[np.uint32]]],
) -> tuple[tuple[str, ...], npt.NDArray[np.uint32]]:
    """The distinct texts of all columns, and one column of codes into them."""
    places: dict[str, int] = {}
    pieces = []
    for texts, codes in columns:
        moved = np.array([places.setdefault(text, len(places)) for text in texts], dtype=np.uint32)
        pieces.append(moved[codes])
    return tuple(places), np.concatenate(pieces)
