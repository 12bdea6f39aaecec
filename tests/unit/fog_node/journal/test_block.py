import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fog_node.journal.block import decode, encode, header_counters, weigh
from fog_node.journal.header import HEADER, parse_header
from fog_node.journal.values import Counters
from fog_node.messages import Messages
from fogline.model.errors import DataLoss
from fogline.model.part import Origin

ORIGIN = Origin(tenant="main", node="n", stream="air ü/\0", epoch=bytes(range(16)))

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@st.composite
def batches(draw: Any) -> Messages:
    topics = draw(st.lists(words, min_size=1, max_size=4, unique=True))
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(0, len(topics) - 1),
                st.binary(max_size=400),
                st.integers(0, 65_535),
                st.integers(0, 31),
            ),
            min_size=1,
            max_size=20,
        )
    )
    return Messages(
        arrival_us=draw(st.integers(-(2**62), 2**62)),
        client=draw(words),
        topics=topics,
        topic_codes=[row[0] for row in rows],
        payloads=[row[1] for row in rows],
        packet_ids=np.array([row[2] for row in rows], np.uint16),
        flags=bytes(row[3] for row in rows),
        lengths=draw(st.sampled_from([None, np.array([len(row[1]) for row in rows], np.int64)])),
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(batches(), min_size=1, max_size=5), st.integers(0, 2**60), st.integers(0, 2**60))
def test_a_block_is_read_as_it_was_written(group: list[Messages], first: int, counted: int) -> None:
    count = sum(map(len, group))
    counters = Counters(
        received=counted, journaled=first + count, refused={"full": counted}, redelivered=1, retained=2
    )
    made = encode(ORIGIN, first, [weigh(m) for m in group], counters)
    data = b"".join(made.pieces)
    header, body = parse_header(data), data[HEADER.size :]
    assert header == made.header
    assert (header.first, header.end, header.size) == (first, first + count, len(data))
    assert header_counters(header, body) == counters
    for block in (decode(ORIGIN, header, body), made.block):
        assert list(block.payloads) == [p for m in group for p in m.payloads]
        assert [block.topics[c] for c in block.topic_codes] == [
            m.topics[c] for m in group for c in m.topic_codes
        ]
        assert [block.clients[c] for c in block.client_codes] == [m.client for m in group for _ in m.payloads]
        assert block.arrival_us.tolist() == [m.arrival_us for m in group for _ in m.payloads]
        assert block.packet_ids.tolist() == [i for m in group for i in m.packet_ids]
        assert bytes(block.flags) == b"".join(bytes(m.flags) for m in group)
        assert len(block) == count
    assert (
        sum(weigh(m).size for m in group)
        >= len(data) - 6 * sum(len(t) for m in group for t in m.topics) - 200
    )


@settings(max_examples=60, deadline=None)
@given(batches(), st.data())
def test_any_single_changed_byte_is_seen(messages: Messages, data: st.DataObject) -> None:
    made = encode(ORIGIN, 5, [weigh(messages)], Counters())
    damaged = bytearray(b"".join(made.pieces))
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DataLoss):
        decode(ORIGIN, parse_header(damaged), bytes(damaged[HEADER.size :]))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes_are_never_a_block(data: bytes) -> None:
    with pytest.raises(DataLoss):
        parse_header(data)


@settings(max_examples=150, deadline=None)
@given(batches(), st.data())
def test_nonsense_with_right_checksums_is_refused_or_whole(messages: Messages, data: st.DataObject) -> None:
    """Someone who can write files can also sign them: nothing worse than a refusal may come of it."""
    made = encode(ORIGIN, 5, [weigh(messages)], Counters())
    raw = bytearray(b"".join(made.pieces))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(12, len(raw) - 1))] = data.draw(st.integers(0, 255))
    body = bytes(raw[HEADER.size :])
    struct.pack_into("<I", raw, HEADER.size - 8, zlib.crc32(body))
    struct.pack_into("<I", raw, HEADER.size - 4, zlib.crc32(raw[: HEADER.size - 4]))
    try:
        block = decode(ORIGIN, parse_header(raw), body)
    except DataLoss:
        return
    assert len(block) == len(block.payloads) == len(block.arrival_us) == len(block.client_codes)
    assert all(code < len(block.topics) for code in block.topic_codes)


def test_a_block_of_a_newer_format_is_refused_by_its_number() -> None:
    made = encode(ORIGIN, 0, [weigh(_one(b"x"))], Counters())
    newer = bytearray(made.pieces[0][: HEADER.size])
    struct.pack_into("<H", newer, 8, 2)
    struct.pack_into("<I", newer, HEADER.size - 4, zlib.crc32(newer[: HEADER.size - 4]))
    with pytest.raises(DataLoss, match="format 2, this release reads 1"):
        parse_header(newer)


@pytest.mark.parametrize("length", [255, 256, 65_535, 65_536])
def test_lengths_take_as_few_bytes_as_they_need(length: int) -> None:
    made = encode(ORIGIN, 0, [weigh(_one(b"x" * length))], Counters())
    assert made.header.widths[0] == (1 if length < 256 else 2 if length < 65_536 else 4)
    data = b"".join(made.pieces)
    assert decode(ORIGIN, made.header, data[HEADER.size :]).payloads == [b"x" * length]


def test_wrong_lengths_are_measured_again() -> None:
    wrong = Messages(
        arrival_us=1,
        client="c",
        topics=["t"],
        topic_codes=[0, 0],
        payloads=[b"abc", b"d"],
        packet_ids=[1, 2],
        flags=b"\1\1",
        lengths=np.array([1, 1]),
    )
    made = encode(ORIGIN, 0, [weigh(wrong)], Counters())
    body = b"".join(made.pieces)[HEADER.size :]
    assert list(decode(ORIGIN, made.header, body).payloads) == [b"abc", b"d"]


def _one(payload: bytes) -> Messages:
    return Messages(
        arrival_us=1,
        client="c",
        topics=["t"],
        topic_codes=[0],
        payloads=[payload],
        packet_ids=[1],
        flags=b"\1",
    )
