"""The newest delivery of each client and packet id, so that sessions are rebuilt from the journal."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from heapq import merge
from pathlib import Path
from typing import NamedTuple

from fog_node.journal.files import Files
from fog_node.journal.index import Place
from fog_node.journal.scan import load, scan
from fog_node.journal.values import Delivery
from fog_node.messages import QOS_BITS, Block
from fogline.model.errors import DataLoss
from fogline.model.part import Origin

Source = tuple[Origin, Sequence[tuple[Path, int, int]]]
"""An origin and its segments: path, first and end."""


class _Spot(NamedTuple):
    origin: Origin
    path: Path
    place: Place


@dataclass(slots=True, kw_only=True)
class Newest:
    """Collects deliveries, newest first, within bounds."""

    messages: int
    """How many messages are looked at."""
    window: int
    """How many packet ids of one client are kept."""
    found: dict[str, dict[int, Delivery]] = field(default_factory=dict)

    def take(self, block: Block) -> None:
        """Look at a block, its newest message first."""
        packet_ids, flags = block.packet_ids.tolist(), block.flags.tolist()
        for number in range(len(block) - 1, max(len(block) - 1 - self.messages, -1), -1):
            if flags[number] & QOS_BITS:
                self._take_one(block, number, packet_ids[number], flags[number])
        self.messages -= len(block)

    def _take_one(self, block: Block, number: int, packet_id: int, flags: int) -> None:
        known = self.found.setdefault(block.clients[block.client_codes[number]], {})
        if packet_id not in known and len(known) < self.window:
            known[packet_id] = Delivery(
                flags=flags,
                topic=block.topics[block.topic_codes[number]],
                digest=payload_digest(block.payloads[number]),
                arrival_us=int(block.arrival_us[number]),
            )


def payload_digest(payload: bytes) -> bytes:
    """8 bytes that tell one payload from another when a packet id comes again."""
    return blake2b(payload, digest_size=8).digest()


def collect(files: Files, sources: Sequence[Source], newest: Newest) -> dict[str, dict[int, Delivery]]:
    """Go back over the blocks of all origins by arrival, until the bound is reached. Blocks."""
    spots = merge(*(_backwards(files, source) for source in sources), key=lambda s: -s.place.latest_us)
    for spot in spots:
        if newest.messages <= 0:
            break
        try:
            newest.take(load(files, spot.path, spot.place, spot.origin))
        except (DataLoss, FileNotFoundError):
            continue  # a lane that reads it makes it a gap; here it only cannot help
    return newest.found


def _backwards(files: Files, source: Source) -> Iterator[_Spot]:
    origin, segments = source
    for path, first, end in reversed(segments):
        try:
            index = scan(files, path, origin.epoch, first=first, end=end, bodies=False).index
        except FileNotFoundError:
            continue
        for number in reversed(range(len(index))):
            yield _Spot(origin, path, index.place(number))
