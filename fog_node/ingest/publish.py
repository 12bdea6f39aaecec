"""PUBLISH packets of both versions by the batch: the one place that every message passes.

A device says the same header again and again: fixed header, length and topic differ between a few dozen forms
at most. So the parser looks a header up as one slice, in a table of headers that were checked when they were
first seen, and only packet ids, properties and payloads are new each time; those are taken for the whole
read at once.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from fog_node.ingest.fields import Property, Reader
from fog_node.ingest.frames import frame_end, read_topic
from fog_node.ingest.packets import PUBLISH, MalformedPacket, Reason
from fog_node.ingest.topics import Router

KNOWN_HEADERS: Final = 4096
"""Headers remembered for a connection; at the limit all are forgotten and learned anew."""

IN_PUBLISH: Final = frozenset(
    {
        Property.PAYLOAD_FORMAT,
        Property.MESSAGE_EXPIRY,
        Property.CONTENT_TYPE,
        Property.RESPONSE_TOPIC,
        Property.CORRELATION,
        Property.USER_PROPERTY,
    }
)

DUP: Final = 0x08
RETAIN: Final = 0x01


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A topic that the connection publishes under."""

    text: str
    streams: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Messages that arrived together on one connection, in order. Columns have one entry a message."""

    topics: list[Topic]
    """All topics of the connection so far, more than these messages use."""
    topic_codes: npt.NDArray[np.intp]
    packet_ids: npt.NDArray[np.uint16]
    """0 for QoS 0."""
    flags: npt.NDArray[np.uint8]
    """Bits 0-1 QoS, 2 DUP, 3 RETAIN."""
    payloads: list[bytes]
    lengths: npt.NDArray[np.intp]
    """Of the payloads: known from the parse, and dear to measure again."""

    def __len__(self) -> int:
        return len(self.payloads)

    def only(self, rows: npt.NDArray[np.bool_]) -> "Published":
        """These messages and no others."""
        return Published(
            topics=self.topics,
            topic_codes=self.topic_codes[rows],
            packet_ids=self.packet_ids[rows],
            flags=self.flags[rows],
            payloads=[self.payloads[index] for index in np.flatnonzero(rows).tolist()],
            lengths=self.lengths[rows],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a parse found: messages, how far it came, and what stopped it."""

    published: Published | None
    end: int
    """Index of the first byte that is not part of ``published``."""
    fault: MalformedPacket | None = None
    """The packet at ``end`` can never be taken."""


class PublishParser:
    """Parses one connection's PUBLISH packets. Sans-IO; what it remembers is only a cache."""

    def __init__(
        self, *, version: int, max_packet_bytes: int, router: Router, retained: bool | None = None
    ) -> None:
        """``retained``: whether messages may have the RETAIN flag; None: in 3.1.1, which cannot forbid it."""
        self._properties: Final = version == 5
        self._retained: Final = version != 5 if retained is None else retained
        self._limit: Final = max_packet_bytes
        self._router: Final = router
        self._generation = router.generation
        self._known: dict[bytes, int] = {}
        self._topic_numbers: dict[str, int] = {}
        self._topics: list[Topic] = []
        self._packet_bytes: list[int] = []
        self._columns = np.empty((4, 0), np.intp)
        self._guess = 0
        self._uneven = False

    def parse(self, data: bytes, at: int) -> Run:
        """Take every whole PUBLISH packet from ``at`` on, up to the first packet that is something else."""
        if self._generation != self._router.generation or len(self._known) > KNOWN_HEADERS:
            self._forget()
        heads, fault = self._headers(data, at)
        if not heads:
            return Run(published=None, end=at, fault=fault)
        return self._take(data, at, heads, fault)

    def _forget(self) -> None:
        self._generation = self._router.generation
        self._known, self._topic_numbers, self._topics = {}, {}, []
        self._packet_bytes = []
        self._columns = np.empty((4, 0), np.intp)
        self._guess, self._uneven = 0, False

    def _headers(self, data: bytes, at: int) -> tuple[list[int], MalformedPacket | None]:
        """The header number of every whole packet; the fault of the packet after the last of them."""
        heads: list[int] = []
        try:
            while at < len(data):
                at = self._mixed(data, at, heads) if self._uneven else self._even(data, at, heads)
                if at >= len(data) or (head := self._look(data, at)) is None:
                    break
                heads.append(head)
                at += self._packet_bytes[head]
        except MalformedPacket as fault:
            return heads, fault
        if at > len(data):
            heads.pop()
        return heads, None

    def _even(self, data: bytes, at: int, heads: list[int]) -> int:
        """Take packets while their headers are known and as long as the first one was; where that ended.

        This loop and the next are most of what a message costs: keep them bare.
        """
        known, lengths, guess, stop = self._known, self._packet_bytes, self._guess, len(data)
        try:
            while at < stop:
                head = known[data[at : at + guess]]
                heads.append(head)
                at += lengths[head]
        except KeyError:
            pass
        return at

    def _mixed(self, data: bytes, at: int, heads: list[int]) -> int:
        """The same for headers of different lengths. What this cannot read is simply not known."""
        known, lengths, stop = self._known, self._packet_bytes, len(data)
        try:
            while at < stop:
                if data[at + 1] < 0x80:
                    head = known[data[at : at + 4 + data[at + 3]]]
                else:
                    head = known[data[at : at + 5 + data[at + 4]]]
                heads.append(head)
                at += lengths[head]
        except LookupError:
            pass
        return at

    def _look(self, data: bytes, at: int) -> int | None:
        """The number of a header of any length; None if it is not whole or no PUBLISH."""
        if data[at] >> 4 != PUBLISH:
            return None
        end = frame_end(data, at, self._limit)
        if end is None:
            return None
        length_end = at + 2
        while data[length_end - 1] & 0x80:
            length_end += 1
        if length_end + 2 > end:
            raise MalformedPacket("a message without a topic")
        if length_end + 2 > len(data):
            return None
        header_end = length_end + 2 + int.from_bytes(data[length_end : length_end + 2], "big")
        first = data[at]
        self._check(first, header_end, end)
        if header_end > len(data):
            return None
        raw = data[at:header_end]
        number = self._known.get(raw)
        if number is None:
            number = self._learn(raw, first, read_topic(data[length_end + 2 : header_end]), end - at)
        return number

    def _check(self, first: int, header_end: int, end: int) -> None:
        qos = first >> 1 & 3
        if qos == 3:
            raise MalformedPacket("a message of QoS 3")
        if first & DUP and not qos:
            raise MalformedPacket("a repeated message of QoS 0")
        if first & RETAIN and not self._retained:
            raise MalformedPacket("a retained message", reason=Reason.RETAIN_NOT_SUPPORTED)
        if header_end + (2 if qos else 0) + self._properties > end:
            raise MalformedPacket("a topic that is longer than its packet")

    def _learn(self, raw: bytes, first: int, topic: str, packet_bytes: int) -> int:
        code = self._topic_numbers.get(topic)
        if code is None:
            code = self._topic_numbers[topic] = self._number(topic, self._router.route(topic))
        self._uneven = self._uneven or self._guess not in (0, len(raw))
        self._guess = len(raw)
        number = self._known[raw] = len(self._packet_bytes)
        self._packet_bytes.append(packet_bytes)
        flags = first >> 1 & 3 | first >> 1 & 4 | first << 3 & 8
        column = np.array([[packet_bytes], [len(raw)], [code], [flags]], np.intp)
        self._columns = np.concatenate((self._columns, column), axis=1)
        return number

    def _number(self, topic: str, streams: tuple[str, ...]) -> int:
        """The code of a topic that goes to these streams."""
        self._topics.append(Topic(text=topic, streams=streams))
        return len(self._topics) - 1

    def _take(self, data: bytes, at: int, heads: list[int], fault: MalformedPacket | None) -> Run:
        numbers = np.fromiter(heads, np.intp, len(heads))
        packet_bytes, header_bytes, codes, flags = (column[numbers] for column in self._columns)
        ends = packet_bytes.cumsum() + at
        ids_at = ends - packet_bytes + header_bytes
        octets = np.frombuffer(data, np.uint8)
        with_id = flags & 3 != 0
        if with_id.all():
            ids = (octets[ids_at].astype(np.uint16) << 8) | octets[ids_at + 1]
            starts = ids_at + 2
        else:
            ids = np.zeros(len(heads), np.uint16)
            where = ids_at[with_id]
            ids[with_id] = (octets[where].astype(np.uint16) << 8) | octets[where + 1]
            starts = ids_at + np.where(with_id, 2, 0)
        good = len(heads)
        wrong = np.flatnonzero(with_id & (ids == 0))
        if wrong.size:
            good, fault = int(wrong[0]), MalformedPacket("packet id 0")
        if self._properties:
            good, fault = self._read_properties(data, octets, starts, ends[:good], codes, fault)
        if not good:
            return Run(published=None, end=at, fault=fault)
        spans = zip(starts[:good].tolist(), ends[:good].tolist(), strict=True)
        published = Published(
            topics=self._topics,
            topic_codes=codes[:good],
            packet_ids=ids[:good],
            flags=flags[:good].astype(np.uint8),
            lengths=ends[:good] - starts[:good],
            payloads=[data[first:last] for first, last in spans],
        )
        return Run(published=published, end=int(ends[good - 1]), fault=fault)

    def _read_properties(  # noqa: PLR0917  (columns of one table)
        self,
        data: bytes,
        octets: npt.NDArray[np.uint8],
        starts: npt.NDArray[np.intp],
        ends: npt.NDArray[np.intp],
        codes: npt.NDArray[np.intp],  # noqa: ARG002  (what a broker says of a message may change them)
        fault: MalformedPacket | None,
    ) -> tuple[int, MalformedPacket | None]:
        """Move ``starts`` past the properties; nearly always these are one zero byte.

        How many messages are good, and the fault of the next.
        """
        good = len(ends)
        for index in np.flatnonzero(octets[starts[:good]]).tolist():
            try:
                rest = Reader(data[starts[index] : ends[index]])
                rest.properties(IN_PUBLISH)
            except MalformedPacket as found:
                good, fault = index, found
                break
            starts[index] = ends[index] - rest.left - 1
        starts += 1
        return good, fault
