from collections.abc import Sequence

import numpy as np

from fog_node.ingest.rebuild import LARGEST_WINDOW, rebuild_sessions
from fog_node.ingest.session import Session, Sessions, content_hashes
from fog_node.journal import Gap, SegmentState
from fog_node.messages import Block
from fogline.model.part import Origin

SENDER = "fogline-node@broker:1883"
WINDOW = 1000
EACH = 10_000


class Past:
    """A journal of numbered messages in each stream, all from one sender; ``arrivals`` are those of its blocks."""

    def __init__(self, arrivals: Sequence[int]) -> None:
        self._arrivals = arrivals

    def segments(self, stream: str) -> Sequence[SegmentState]:
        return [SegmentState(_origin(stream), 0, EACH * len(self._arrivals), closed=False)]

    async def note(self, segment: SegmentState) -> bytes | None:
        return None

    def leave_note(self, segment: SegmentState, content: bytes) -> None:
        raise AssertionError(segment)

    async def read(self, origin: Origin, first: int) -> Block | Gap | None:
        number = first // EACH
        begin = number * EACH
        return Block(
            origin=origin,
            first=begin,
            end=begin + EACH,
            arrival_us=np.full(EACH, self._arrivals[number], np.int64),
            topics=(origin.stream,),
            topic_codes=np.zeros(EACH, np.uint32),
            clients=(SENDER,),
            client_codes=np.zeros(EACH, np.uint32),
            packet_ids=(np.arange(begin, begin + EACH) % 65_535 + 1).astype(np.uint16),
            flags=np.ones(EACH, np.uint8),
            payloads=[b"%d" % place for place in range(begin, begin + EACH)],
        )


def _origin(stream: str) -> Origin:
    return Origin(tenant="t", node="node", stream=stream, epoch=b"\0" * 16)


async def rebuilt(past: Past, *streams: str, brokers: Sequence[str] = (SENDER,)) -> tuple[Session, Sessions]:
    sessions = Sessions(keep_us=10**15, most_sessions=10, most_entries=10**7)
    await rebuild_sessions(
        past, streams, sessions, newest=10**7, keep_us=10**15, now_us=10**6, brokers=brokers
    )
    session, _ = sessions.enter(SENDER, clean=False, window=WINDOW, now_us=0, reach=10**6)
    return session, sessions


def repeated(session: Session, sessions: Sessions, stream: str, first: int, end: int) -> int:
    """How many of these messages are recognised by their order."""
    payloads = [b"%d" % place for place in range(first, end)]
    contents = content_hashes([stream], np.zeros(len(payloads), np.intp), payloads)
    ids = (np.arange(first, end) % 65_535 + 1).astype(np.uint16)
    held = session.held(sessions.stream_number(stream), ids, contents)
    return 0 if held is None else int(held.sum())


async def test_of_a_broker_more_is_recalled_than_packet_ids_tell_apart() -> None:
    session, sessions = await rebuilt(Past(range(20)), "air", "soil")
    assert session.remembered == 40 * EACH
    for stream in ("air", "soil"):
        assert repeated(session, sessions, stream, 3, 20 * EACH + 5) == 20 * EACH - 3


async def test_of_a_device_no_more_is_recalled_than_packet_ids_tell_apart() -> None:
    session, _ = await rebuilt(Past(range(20)), "air", "soil", brokers=())
    assert session.remembered == LARGEST_WINDOW


async def test_a_clock_that_was_set_back_does_not_change_the_order_that_is_recalled() -> None:
    session, sessions = await rebuilt(Past([100, 900, 200, 300]), "air")
    assert repeated(session, sessions, "air", 0, 4 * EACH) == 4 * EACH
