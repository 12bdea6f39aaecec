"""Serves an operator at a Unix socket, one batch after another, until it is told to stop."""

import os
import platform
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

import grpc

from fogline import __version__
from fogline.model.plan import OutputColumn
from fogline.operator.function import Operator
from fogline.v1 import operator_pb2, operator_pb2_grpc
from fogline.wire.batch import PROTOCOL, batch_from_wire, rows_to_wire
from fogline.wire.columns import output_columns_from_wire

SOCKET: Final = "FOGLINE_SOCKET"
"""Names the socket in the environment."""
DEFAULT_SOCKET: Final = "/run/fogline/operator.sock"

STREAMS: Final = 4
"""Threads for streams. One works; others are of a node that has gone and not been missed yet."""
GRACE_S: Final = 5.0
"""How long the batch under way may take when the operator is told to stop."""
FLUSH_S: Final = 0.2
REASON_CHARACTERS: Final = 500

Answers = Iterator[operator_pb2.ProcessResponse]
Context = grpc.ServicerContext


class Servicer(operator_pb2_grpc.OperatorServiceServicer):
    """Answers the batches of one node; a new stream ends an older one."""

    def __init__(self, operator: Operator) -> None:
        self._operator: Final = operator
        self._current: Context | None = None
        self._changing: Final = threading.Lock()
        self.working: Final = threading.Lock()
        """Held while the function runs: it is never called twice at a time."""

    def Process(  # noqa: N802 - gRPC's name
        self, request_iterator: Iterator[operator_pb2.ProcessRequest], context: Context
    ) -> Answers:
        """Answer one stream; gRPC calls it."""
        with self._changing:
            if self._current is not None:
                self._current.cancel()
            self._current = context
        greeting = self._greeted(request_iterator, context)
        output = output_columns_from_wire(greeting.output)
        yield operator_pb2.ProcessResponse(
            greeting=operator_pb2.OperatorGreeting(
                protocol=min(greeting.protocol, PROTOCOL),
                columns=self._operator.columns,
                software=f"fogline {__version__} (Python {platform.python_version()})",
            )
        )
        for request in request_iterator:
            if self._current is not context:
                return
            yield _within(greeting.message_bytes, self._answer(request.batch, output))

    def _greeted(
        self, requests: Iterator[operator_pb2.ProcessRequest], context: Context
    ) -> operator_pb2.NodeGreeting:
        greeting = next(requests, operator_pb2.ProcessRequest()).greeting
        if greeting.protocol < 1:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "the stream does not begin with a greeting")
        there = [column.name for column in greeting.input]
        missing = [name for name in self._operator.columns if name not in there]
        if missing:
            said = f"the operator reads {', '.join(missing)}; step {greeting.step} gets {', '.join(there)}"
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, said)
        return greeting

    def _answer(
        self, message: operator_pb2.OperatorBatch, output: Sequence[OutputColumn]
    ) -> operator_pb2.ProcessResponse:
        try:
            with self.working:
                answer = self._operator.answer(batch_from_wire(message), output)
            rows = rows_to_wire(message.id, answer.input_rows, answer.batch.columns)
            return operator_pb2.ProcessResponse(rows=rows)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the edge to a function that anybody wrote
            traceback.print_exc(file=sys.stderr)
            failed = operator_pb2.BatchError(id=message.id, reason=_reason(error))
            return operator_pb2.ProcessResponse(error=failed)


def _within(most: int, answer: operator_pb2.ProcessResponse) -> operator_pb2.ProcessResponse:
    """The answer if the node takes one of its size; it would end the stream and all that is under way with it."""
    size = answer.ByteSize()
    if size <= (most or size):
        return answer
    reason = f"the answer has {size} bytes, the node takes {most}"
    return operator_pb2.ProcessResponse(error=operator_pb2.BatchError(id=answer.rows.id, reason=reason))


class _Stopping:
    """Tells that SIGTERM or SIGINT has come.

    An event that a handler sets would not do: a signal that comes while the main thread begins to wait finds the
    event's lock taken by the very thread that it interrupts, or is seen only after the next one.
    """

    SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

    def __init__(self) -> None:
        self._heard, told = os.pipe()
        os.set_blocking(told, False)
        signal.set_wakeup_fd(told, warn_on_full_buffer=False)
        for number in self.SIGNALS:
            signal.signal(number, lambda *_: None)

    def wait(self) -> None:
        """Return when one has come, be it before."""
        while os.read(self._heard, 1)[0] not in self.SIGNALS:
            continue  # another one, for a handler of the function


def serve(operator: Operator, socket: str = "") -> int:
    """Serve until SIGTERM or SIGINT; returns the process's exit code. For a program's main thread.

    ``socket``: where, if not as FOGLINE_SOCKET says. Start-up hooks run before the socket is there. The signals are
    handled here: a container's first process dies of none that it does not handle.
    """
    stopping = _Stopping()
    path = Path(socket or os.environ.get(SOCKET, "") or DEFAULT_SOCKET)
    operator.start()
    servicer = Servicer(operator)
    server = grpc.server(
        ThreadPoolExecutor(max_workers=STREAMS, thread_name_prefix="operator"),
        options=(("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)),
    )
    operator_pb2_grpc.add_OperatorServiceServicer_to_server(servicer, server)
    with suppress(FileNotFoundError):
        path.unlink()  # of a former process: a socket that is there cannot be bound
    server.add_insecure_port(f"unix:{path}")
    path.chmod(0o666)  # who may reach it decides the folder: the node may be another user
    server.start()
    sys.stderr.write(f"operator serves {path}\n")
    sys.stderr.flush()
    stopping.wait()
    idle = servicer.working.acquire(timeout=GRACE_S)
    server.stop(FLUSH_S).wait()
    if idle:
        servicer.working.release()
    operator.stop()
    return 0


def _reason(error: BaseException) -> str:
    """The error in a line, with the place in the function where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}"[:REASON_CHARACTERS] + place
