"""Who sent what, as columns: what is remembered of messages, taken from the journal's blocks or from its notes."""

import zlib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple, Self

import msgspec
import numpy as np
import numpy.typing as npt

from fog_node.ingest.session import content_hashes
from fog_node.messages import QOS_BITS, Block

VERSION: Final = 1

_Arrivals = npt.NDArray[np.int64]
_Contents = npt.NDArray[np.int64]
_Ids = npt.NDArray[np.uint16]
_Codes = npt.NDArray[np.uint32]


class _Noted(msgspec.Struct, array_like=True):
    version: int
    clients: list[str]
    rows: int
    packed: bytes
    """Arrivals, packet ids and client codes, which repeat themselves."""
    contents: bytes


_DECODER: Final = msgspec.msgpack.Decoder(_Noted)


class Sent(NamedTuple):
    """Messages with packet ids, in the journal's order. All columns have one entry a message."""

    clients: Sequence[str]
    codes: _Codes
    """Indexes into ``clients``."""
    arrivals: _Arrivals
    ids: _Ids
    contents: _Contents
    """As :func:`fog_node.ingest.session.content_hashes` gives them."""

    @classmethod
    def of(cls, block: Block) -> Self:
        """The messages of a block that can be repeated."""
        rows = np.flatnonzero((block.flags & QOS_BITS > 0) & (block.packet_ids > 0))
        contents = content_hashes(block.topics, block.topic_codes.astype(np.intp), block.payloads)
        return cls(
            clients=block.clients,
            codes=block.client_codes[rows],
            arrivals=block.arrival_us[rows],
            ids=block.packet_ids[rows],
            contents=contents[rows],
        )

    def by_client(self) -> Iterator[tuple[str, _Arrivals, _Ids, _Contents]]:
        """Each client's messages, in their order."""
        order = np.argsort(self.codes, kind="stable")
        codes = self.codes[order]
        bounds = np.flatnonzero(np.diff(codes.astype(np.int64), prepend=-1, append=-1)).tolist()
        for start, end in pairwise(bounds):
            rows = order[start:end]
            yield self.clients[codes[start]], self.arrivals[rows], self.ids[rows], self.contents[rows]


def noted(parts: Sequence[Sent]) -> bytes:
    """A note of messages that follow each other."""
    places: dict[str, int] = {}
    codes = [np.empty(0, np.uint32)]
    for part in parts:
        table = np.array([places.setdefault(client, len(places)) for client in part.clients], np.uint32)
        codes.append(table[part.codes])
    arrivals = np.concatenate([np.empty(0, np.int64), *(part.arrivals for part in parts)])
    ids = np.concatenate([np.empty(0, np.uint16), *(part.ids for part in parts)])
    contents = np.concatenate([np.empty(0, np.int64), *(part.contents for part in parts)])
    columns = (arrivals.astype("<i8"), ids.astype("<u2"), np.concatenate(codes).astype("<u4"))
    return msgspec.msgpack.encode(
        _Noted(
            version=VERSION,
            clients=list(places),
            rows=len(ids),
            packed=zlib.compress(b"".join(column.tobytes() for column in columns), 1),
            contents=contents.astype("<i8").tobytes(),
        )
    )


def from_note(note: bytes) -> Sent | None:
    """What :func:`noted` was given; None for a note that another release wrote."""
    try:
        read = _DECODER.decode(note)
        packed = zlib.decompress(read.packed)
    except (msgspec.DecodeError, zlib.error):
        return None
    n = read.rows
    if read.version != VERSION or len(packed) != 14 * n or len(read.contents) != 8 * n:
        return None
    sent = Sent(
        clients=read.clients,
        codes=np.frombuffer(packed, "<u4", n, 10 * n),
        arrivals=np.frombuffer(packed, "<i8", n),
        ids=np.frombuffer(packed, "<u2", n, 8 * n),
        contents=np.frombuffer(read.contents, "<i8", n),
    )
    return sent if not n or int(sent.codes.max()) < len(read.clients) else None
