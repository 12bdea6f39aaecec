"""Output that waits for its reader."""

from hypothesis import given
from hypothesis import strategies as st

from fog_node.runtimes.runtime import Output
from fog_node.sessions.buffer import Buffer
from fogline.control.sessions import CHUNK


def drain(buffer: Buffer) -> tuple[bytes, int]:
    data, dropped = b"", 0
    while (piece := buffer.take(CHUNK)) is not None:
        data += piece.data
        dropped += piece.dropped
    return data, dropped


def test_pieces_are_of_one_channel_and_no_more_than_was_allowed() -> None:
    buffer = Buffer(lossy=False)
    buffer.add(Output(1, b"ab"))
    buffer.add(Output(1, b"cd"))
    buffer.add(Output(2, b"ef"))
    first, second, third = buffer.take(3), buffer.take(9), buffer.take(9)
    assert first is not None
    assert second is not None
    assert third is not None
    assert [(p.channel, p.data) for p in (first, second, third)] == [(1, b"abc"), (1, b"d"), (2, b"ef")]
    assert buffer.take(9) is None
    assert buffer.empty


def test_nothing_is_taken_without_credit() -> None:
    buffer = Buffer(lossy=False)
    buffer.add(Output(1, b"ab"))
    assert buffer.take(0) is None


def test_a_holding_buffer_makes_its_writer_wait() -> None:
    buffer = Buffer(lossy=False, most=4)
    buffer.add(Output(1, b"abcd"))
    assert buffer.full
    buffer.take(1)
    assert not buffer.full


def test_a_lossy_buffer_lets_the_oldest_go_and_says_how_much() -> None:
    buffer = Buffer(lossy=True, most=4)
    buffer.add(Output(1, b"abc"))
    buffer.add(Output(1, b"de"))
    piece = buffer.take(9)
    assert piece is not None
    assert (piece.data, piece.dropped) == (b"de", 3)


@given(st.lists(st.binary(max_size=9)), st.booleans())
def test_every_byte_comes_out_or_is_counted(chunks: list[bytes], lossy: bool) -> None:  # noqa: FBT001 - hypothesis
    buffer = Buffer(lossy=lossy, most=16)
    for chunk in chunks:
        buffer.add(Output(1, chunk))
    whole = b"".join(chunks)
    data, dropped = drain(buffer)
    assert whole.endswith(data)
    assert len(data) + dropped == len(whole)
    assert lossy or dropped == 0
