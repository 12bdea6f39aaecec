"""A block's bytes: header, meta, columns, payloads (docs/journal.md says it field by field).

The checksum is CRC-32 as zlib has it: every language can check it, it finds every burst up to 32 bits, it
releases the interpreter on big buffers, and at 1 to 2.5 GB/s it is a small part of a commit.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from fog_node.journal.header import HEADER, Header, pack_header
from fog_node.journal.values import Counters
from fog_node.messages import Block, Messages
from fogline.model.errors import DataLoss, InvalidInput
from fogline.model.part import Origin

_UNSIGNED: Final[dict[int, np.dtype[Any]]] = {1: np.dtype("<u1"), 2: np.dtype("<u2"), 4: np.dtype("<u4")}
_RUN: Final = np.dtype([("client", "<u4"), ("count", "<u4"), ("arrival", "<i8")])

Integers = npt.NDArray[np.integer[Any]]


class _Meta(msgspec.Struct, omit_defaults=True):
    stream: str
    topics: list[str]
    clients: list[str]
    refused: dict[str, int] = {}


_META: Final = msgspec.json.Decoder(_Meta)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    runs: npt.NDArray[Any]
    codes: Integers
    packet_ids: npt.NDArray[np.uint16]
    flags: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A batch with its columns checked and turned into arrays."""

    messages: Messages
    lengths: Integers
    topic_codes: Integers
    packet_ids: npt.NDArray[np.uint16]
    payload_bytes: int

    @property
    def count(self) -> int:
        """Messages in the batch."""
        return len(self.lengths)

    @property
    def size(self) -> int:
        """Bytes on disk if the batch gets a block of its own; together batches take less."""
        return HEADER.size + 128 + self.own_bytes + 2 * sum(map(len, self.messages.topics))

    @property
    def own_bytes(self) -> int:
        """Bytes that the batch adds to a block that is there."""
        return self.payload_bytes + 11 * self.count + _RUN.itemsize


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """A block ready to be written, and the same block for readers."""

    header: Header
    pieces: tuple[bytes, bytes]
    block: Block


def weigh(messages: Messages) -> Weighed:
    """Check that the columns fit together. Raises InvalidInput."""
    count = len(messages.payloads)
    try:
        codes = np.asarray(messages.topic_codes, np.uint32)
        packet_ids = np.asarray(messages.packet_ids, np.uint16)
    except (OverflowError, ValueError) as error:
        raise InvalidInput(f"a topic code or packet id is out of range: {error}") from error
    if not len(codes) == len(packet_ids) == len(messages.flags) == count:
        raise InvalidInput("the columns of a batch differ in length")
    if count and int(codes.max()) >= len(messages.topics):
        raise InvalidInput("a topic code names no topic of the batch")
    lengths = _lengths(messages)
    if len(lengths) != count:
        raise InvalidInput("the lengths of a batch are not those of its payloads")
    return Weighed(
        messages=messages,
        lengths=lengths,
        topic_codes=codes,
        packet_ids=packet_ids,
        payload_bytes=int(lengths.sum(dtype=np.int64)),
    )


def encode(origin: Origin, first: int, batches: Sequence[Weighed], counters: Counters) -> Encoded:
    """Make one block of some batches; ``counters`` are the epoch's once this block is on disk."""
    topics, codes = _shared_topics(batches)
    clients, runs = _runs(batches)
    lengths = _joined([b.lengths for b in batches])
    packet_ids = _joined([b.packet_ids for b in batches])
    flags = b"".join(bytes(b.messages.flags) for b in batches)
    payloads = batches[0].messages.payloads
    if len(batches) > 1:
        payloads = list(chain.from_iterable(b.messages.payloads for b in batches))
    joined = b"".join(payloads)
    if int(lengths.sum(dtype=np.int64)) != len(joined):
        # Whoever handed the lengths in was wrong; believing it would make the block unreadable.
        lengths = np.fromiter(map(len, payloads), np.uint32, len(payloads))
    meta = msgspec.json.encode(
        _Meta(stream=origin.stream, topics=topics, clients=clients, refused=dict(counters.refused))
    )
    widths = (_width(int(lengths.max(initial=0))), _width(len(topics)))
    columns = b"".join(
        (
            runs.tobytes(),
            lengths.astype(_UNSIGNED[widths[0]]).tobytes(),
            codes.astype(_UNSIGNED[widths[1]]).tobytes(),
            packet_ids.astype("<u2").tobytes(),
            flags,
        )
    )
    header = Header(
        epoch=origin.epoch,
        first=first,
        count=len(lengths),
        runs=len(runs),
        meta_bytes=len(meta),
        columns_bytes=len(columns),
        payload_bytes=len(joined),
        earliest_us=int(runs["arrival"].min()),
        latest_us=int(runs["arrival"].max()),
        received=counters.received,
        redelivered=counters.redelivered,
        retained=counters.retained,
        widths=widths,
        body_crc=zlib.crc32(joined, zlib.crc32(columns, zlib.crc32(meta))),
    )
    columns_now = _Columns(runs=runs, codes=codes, packet_ids=packet_ids, flags=flags)
    block = _block(origin, header, _Meta(origin.stream, topics, clients), columns_now, payloads)
    return Encoded(header=header, pieces=(pack_header(header) + meta + columns, joined), block=block)


def body_is_whole(header: Header, body: bytes) -> bool:
    """Whether the body is all there and has the checksum that the header names."""
    return len(body) == header.body_bytes and zlib.crc32(body) == header.body_crc


def decode(origin: Origin, header: Header, body: bytes) -> Block:
    """Turn a body into columns. Raises DataLoss if it fails its checksum or contradicts itself."""
    if not body_is_whole(header, body):
        raise DataLoss("a block's body fails its checksum")
    meta = _decode_meta(header, body)
    n, position = header.count, header.meta_bytes
    wanted = _RUN.itemsize * header.runs + n * (header.widths[0] + header.widths[1] + 3)
    if wanted != header.columns_bytes or meta.stream != origin.stream or header.epoch != origin.epoch:
        raise DataLoss("a block's columns contradict its header")
    runs = np.frombuffer(body, _RUN, header.runs, position)
    position += runs.nbytes
    lengths = np.frombuffer(body, _UNSIGNED[header.widths[0]], n, position)
    position += lengths.nbytes
    codes = np.frombuffer(body, _UNSIGNED[header.widths[1]], n, position)
    position += codes.nbytes
    packet_ids = np.frombuffer(body, "<u2", n, position)
    position += packet_ids.nbytes
    flags = body[position : position + n]
    ends = np.cumsum(lengths, dtype=np.int64) + (position + n)
    named = _Columns(runs=runs, codes=codes, packet_ids=packet_ids, flags=flags)
    _check_columns(meta, named, n)
    if n and int(ends[-1]) != len(body):
        raise DataLoss("a block's payloads contradict its header")
    stops = ends.tolist()
    starts = [position + n, *stops[:-1]]
    payloads = [body[a:b] for a, b in zip(starts, stops, strict=False)]
    return _block(origin, header, meta, named, payloads)


def header_counters(header: Header, body: bytes) -> Counters:
    """Give the epoch's counters as this block recorded them. Raises DataLoss."""
    return Counters(
        received=header.received,
        journaled=header.end,
        refused=_decode_meta(header, body).refused,
        redelivered=header.redelivered,
        retained=header.retained,
    )


def _decode_meta(header: Header, body: bytes) -> _Meta:
    try:
        return _META.decode(body[: header.meta_bytes])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataLoss(f"a block's meta cannot be read: {error}") from error


def _check_columns(meta: _Meta, columns: _Columns, count: int) -> None:
    runs, codes = columns.runs, columns.codes
    if int(runs["count"].sum(dtype=np.int64)) != count:
        raise DataLoss("a block's columns contradict its header")
    if count and (int(codes.max()) >= len(meta.topics) or int(runs["client"].max()) >= len(meta.clients)):
        raise DataLoss("a block names a topic or client that it does not list")


def _block(
    origin: Origin, header: Header, meta: _Meta, columns: _Columns, payloads: Sequence[bytes]
) -> Block:
    runs = columns.runs
    counts = runs["count"].astype(np.int64)
    return Block(
        origin=origin,
        first=header.first,
        end=header.end,
        arrival_us=np.repeat(runs["arrival"].astype(np.int64), counts),
        topics=tuple(meta.topics),
        topic_codes=columns.codes.astype(np.uint32, copy=False),
        clients=tuple(meta.clients),
        client_codes=np.repeat(runs["client"].astype(np.uint32), counts),
        packet_ids=columns.packet_ids.astype(np.uint16, copy=False),
        flags=np.frombuffer(columns.flags, np.uint8),
        payloads=payloads,
    )


def _lengths(messages: Messages) -> Integers:
    if messages.lengths is not None:
        return messages.lengths
    lengths = list(map(len, messages.payloads))
    try:
        # A third faster than an array of numbers, and nearly every sensor's message is that short.
        return np.frombuffer(bytes(lengths), np.uint8)
    except ValueError:
        return np.array(lengths, np.uint32)


def _shared_topics(batches: Sequence[Weighed]) -> tuple[list[str], Integers]:
    """One dictionary for all batches, and the codes in it."""
    places: dict[str, int] = {}
    chunks = []
    for batch in batches:
        table = [places.setdefault(topic, len(places)) for topic in batch.messages.topics]
        same = table == list(range(len(table)))
        chunks.append(batch.topic_codes if same else np.array(table, np.uint32)[batch.topic_codes])
    return list(places), _joined(chunks)


def _runs(batches: Sequence[Weighed]) -> tuple[list[str], npt.NDArray[Any]]:
    """Which client sent how many in a row, and when they arrived."""
    places: dict[str, int] = {}
    rows = [
        (places.setdefault(b.messages.client, len(places)), b.count, b.messages.arrival_us) for b in batches
    ]
    return list(places), np.array(rows, _RUN)


def _joined(chunks: list[Any]) -> Any:
    return chunks[0] if len(chunks) == 1 else np.concatenate(chunks)


def _width(greatest: int) -> int:
    return 1 if greatest < 1 << 8 else 2 if greatest < 1 << 16 else 4
