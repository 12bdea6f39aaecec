"""Operators that break the protocol, each in its own way and at its own socket: ``python rogues.py FOLDER``.

In a container one of them: ``python rogues.py WAY``.
"""

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np

from fogline.v1 import operator_pb2

Answers = Iterator[operator_pb2.ProcessResponse | bytes]
Requests = Iterator[operator_pb2.ProcessRequest]

WIDE = 2_000
"""Rows of one answer of `wide`."""
GREETING = operator_pb2.ProcessResponse(greeting=operator_pb2.OperatorGreeting(protocol=1, software="rogue"))


def rows(batch: operator_pb2.OperatorBatch, number: int) -> operator_pb2.ProcessResponse:
    """The batch's own rows as the answer for this id."""
    n = batch.rows
    seq = next(column for column in batch.columns if column.name == "seq")
    scores = np.zeros(n).tobytes()
    text = operator_pb2.BatchColumn(
        name="device", type="text", dictionary=["d"], codes=np.zeros(n, "<i4").tobytes()
    )
    return operator_pb2.ProcessResponse(
        rows=operator_pb2.BatchRows(
            id=number,
            rows=n,
            input_row=np.arange(n, dtype="<u4").tobytes(),
            columns=[text, seq, operator_pb2.BatchColumn(name="score", type="float", values=scores)],
        )
    )


def stranger(requests: Requests) -> Answers:
    """Answers what it was never asked."""
    yield GREETING
    for request in requests:
        yield rows(request.batch, request.batch.id + 1_000)


def twice(requests: Requests) -> Answers:
    """Answers twice."""
    yield GREETING
    for request in requests:
        yield rows(request.batch, request.batch.id)
        yield rows(request.batch, request.batch.id)


def flood(requests: Requests) -> Answers:
    """Answers without end, and asks nobody."""
    yield GREETING
    request = next(requests)
    while True:
        yield rows(request.batch, 1_000_000)


def giant(requests: Requests) -> Answers:
    """An answer that fits into no message."""
    yield GREETING
    for request in requests:
        answer = rows(request.batch, request.batch.id)
        answer.rows.columns[2].values = bytes(80 << 20)
        yield answer


def chatter(requests: Requests) -> Answers:
    """Greets again instead of answering."""
    yield GREETING
    for _ in requests:
        yield GREETING


def mute(requests: Requests) -> Answers:
    """Never greets."""
    yield from ()
    for _ in requests:
        pass


def foreign(requests: Requests) -> Answers:
    """Speaks another version."""
    del requests
    yield operator_pb2.ProcessResponse(greeting=operator_pb2.OperatorGreeting(protocol=7))


def greedy(requests: Requests) -> Answers:
    """Wants a column that is not there."""
    del requests
    yield operator_pb2.ProcessResponse(
        greeting=operator_pb2.OperatorGreeting(protocol=1, columns=["password"])
    )


def quitter(requests: Requests) -> Answers:
    """Ends the stream instead of answering."""
    yield GREETING
    next(requests)


def hanging(requests: Requests) -> Answers:
    """Takes batches and never answers."""
    yield GREETING
    for _ in requests:
        pass


def wrong(requests: Requests) -> Answers:
    """Rows that come from nowhere."""
    yield GREETING
    for request in requests:
        answer = rows(request.batch, request.batch.id)
        answer.rows.input_row = np.full(request.batch.rows, 999, "<u4").tobytes()
        yield answer


def garbled(requests: Requests) -> Answers:
    """Greets with bytes that are none of the protocol's."""
    yield b"\xff" * 9
    for _ in requests:
        pass


def noise(requests: Requests) -> Answers:
    """Answers with such bytes."""
    yield GREETING
    for _ in requests:
        yield b"\xff" * 9


def latin(requests: Requests) -> Answers:
    """A text that is no UTF-8."""
    yield GREETING
    for request in requests:
        answer = rows(request.batch, request.batch.id)
        answer.rows.columns[0].dictionary[0] = "caf??"
        yield answer.SerializeToString().replace(b"caf??", b"caf\xe9!")


def crowd(requests: Requests) -> Answers:
    """Millions of columns, of two bytes each."""
    yield GREETING
    for _ in requests:
        yield _inside(2, b"\x22\x00" * (4 << 20))


def library(requests: Requests) -> Answers:
    """Millions of texts, of two bytes each."""
    yield GREETING
    for _ in requests:
        yield _inside(2, _inside(4, b"\x2a\x00" * (4 << 20)))


def hungry(requests: Requests) -> Answers:
    """Wants one column again and again."""
    del requests
    greeting = operator_pb2.OperatorGreeting(protocol=1, columns=["seq"] * 1000)
    yield operator_pb2.ProcessResponse(greeting=greeting)


def painter(requests: Requests) -> Answers:
    """Steers the terminal of whoever reads why it failed."""
    yield GREETING
    for request in requests:
        reason = "\x1b]0;title\x07\x1b[31mred\nnext"
        yield operator_pb2.ProcessResponse(error=operator_pb2.BatchError(id=request.batch.id, reason=reason))


def bomb(requests: Requests) -> Answers:
    """A few KiB that unpack to far too much."""
    yield GREETING
    for request in requests:
        answer = rows(request.batch, request.batch.id)
        answer.rows.columns[2].values = bytes(40 << 20)
        yield answer


def wide(requests: Requests) -> Answers:
    """An honest one, with many rows for each."""
    yield GREETING
    for request in requests:
        answer = rows(request.batch, request.batch.id)
        answer.rows.rows = WIDE
        answer.rows.input_row = bytes(4 * WIDE)
        answer.rows.columns[0].codes = bytes(4 * WIDE)
        for column in answer.rows.columns[1:]:
            column.values = bytes(8 * WIDE)
        yield answer


def _inside(field: int, content: bytes) -> bytes:
    """A field with this content, as it is on the wire."""
    length, size = b"", len(content)
    while size > 0x7F:
        length += bytes([size & 0x7F | 0x80])
        size >>= 7
    return bytes([field << 3 | 2]) + length + bytes([size]) + content


WAYS: tuple[Callable[[Requests], Answers], ...] = (
    *(stranger, twice, flood, giant, chatter, mute, foreign, greedy, quitter, hanging, wrong),
    *(garbled, noise, latin, crowd, library, hungry, painter, bomb, wide),
)


def served(socket: Path, way: Callable[[Requests], Answers]) -> grpc.Server:
    """A server of its own, whose streams end with it."""

    def process(requests: Requests, _: grpc.ServicerContext) -> Answers:
        next(requests)
        return way(requests)

    server = grpc.server(
        ThreadPoolExecutor(max_workers=2),
        options=[("grpc.max_send_message_length", -1)],
        compression=grpc.Compression.Gzip if way is bomb else grpc.Compression.NoCompression,
    )
    handler = grpc.stream_stream_rpc_method_handler(
        process, request_deserializer=operator_pb2.ProcessRequest.FromString, response_serializer=_written
    )
    service = "fogline.v1.OperatorService"
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Process": handler}),))
    server.add_insecure_port(f"unix:{socket}")
    server.start()
    return server


def _written(answer: operator_pb2.ProcessResponse | bytes) -> bytes:
    return answer if isinstance(answer, bytes) else answer.SerializeToString()


if __name__ == "__main__":
    there = Path(sys.argv[1])
    if there.is_dir():
        servers = [served(there / f"{way.__name__}.sock", way) for way in WAYS]
        sys.stdin.read()
        os._exit(0)  # a stream may be held by somebody who never reads
    chosen = next(way for way in WAYS if way.__name__ == sys.argv[1])
    served(Path(os.environ["FOGLINE_SOCKET"]), chosen).wait_for_termination()
