"""Operators that break the protocol, each in its own way and at its own socket: ``python rogues.py FOLDER``."""

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np

from fogline.v1 import operator_pb2, operator_pb2_grpc

Answers = Iterator[operator_pb2.ProcessResponse]
Requests = Iterator[operator_pb2.ProcessRequest]

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


class Rogue(operator_pb2_grpc.OperatorServiceServicer):
    """Behaves as told."""

    def __init__(self, way: Callable[[Requests], Answers]) -> None:
        self._way = way

    def Process(  # noqa: N802 - gRPC's name
        self, request_iterator: Requests, context: grpc.ServicerContext
    ) -> Answers:
        next(request_iterator)
        return self._way(request_iterator)


WAYS: tuple[Callable[[Requests], Answers], ...] = (
    *(stranger, twice, flood, giant, chatter, mute, foreign, greedy, quitter, hanging, wrong),
)


def served(folder: Path, way: Callable[[Requests], Answers]) -> grpc.Server:
    """A server of its own, whose streams end with it."""
    server = grpc.server(ThreadPoolExecutor(max_workers=2), options=[("grpc.max_send_message_length", -1)])
    operator_pb2_grpc.add_OperatorServiceServicer_to_server(Rogue(way), server)
    server.add_insecure_port(f"unix:{folder / way.__name__}.sock")
    server.start()
    return server


if __name__ == "__main__":
    servers = [served(Path(sys.argv[1]), way) for way in WAYS]
    sys.stdin.read()
    os._exit(0)  # a stream may be held by somebody who never reads
