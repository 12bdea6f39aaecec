"""Runs an operator as a node does, over the socket, and gives it rows: a developer's quick look."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Final, Self

import grpc

from fogline.cli.operator.engine import engine
from fogline.cli.operator.project import Project
from fogline.engine.batch import Batch as Columns
from fogline.model.errors import FogError, InvalidInput
from fogline.model.plan import OutputColumn
from fogline.operator.batch import Batch
from fogline.v1 import operator_pb2, operator_pb2_grpc
from fogline.wire.batch import PROTOCOL, batch_to_wire, rows_from_wire
from fogline.wire.columns import OUTPUT_TYPES, one_of, output_columns_to_wire

BATCH_ROWS: Final = 10_000
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 600.0
LOOK_SECONDS: Final = 0.02
MAX_ANSWER_ROWS: Final = 1_000_000
SOCKET: Final = "operator.sock"
_UNBOUNDED: Final = (("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1))


class OperatorFailed(FogError):
    """The operator ended, or answered with an error."""

    code = "operator_failed"


def output_of(words: Sequence[str]) -> tuple[OutputColumn, ...]:
    """Columns that are promised, as ``name:type`` each. Raises :class:`InvalidInput`."""
    found = []
    for word in words:
        name, _, kind = word.partition(":")
        if kind not in OUTPUT_TYPES or not name:
            raise InvalidInput(
                f"{word!r} promises no column", hint="write name:type, for example score:float"
            )
        found.append(OutputColumn(name=name, type=one_of(kind, OUTPUT_TYPES, "type")))
    return tuple(found)


@contextmanager
def as_process(project: Project, environment: Mapping[str, str]) -> Iterator[Path]:
    """Run an operator's function in a process of its own; where its socket is."""
    with tempfile.TemporaryDirectory(prefix="fogline-") as folder, ExitStack() as stack:
        socket = Path(folder) / SOCKET
        path = os.pathsep.join(str(Path(entry).absolute()) for entry in ("", *sys.path) if entry)
        process = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "fogline.operator", project.function],
                cwd=project.folder,
                env={**os.environ, **environment, "PYTHONPATH": path, "FOGLINE_SOCKET": str(socket)},
                stdout=sys.stderr,
            )
        )
        stack.callback(_end, process)
        _wait(socket, lambda: process.poll() is not None, lambda: "")
        yield socket


@contextmanager
def as_container(image: str, environment: Mapping[str, str]) -> Iterator[Path]:
    """Run an operator's image, hardened as on a node; where its socket is."""
    with tempfile.TemporaryDirectory(prefix="fogline-") as folder, engine() as docker:
        # The operator is another user; nobody else comes as far as this folder.
        shared = Path(folder) / "run"
        shared.mkdir()
        shared.chmod(0o777)
        with docker.running(image, shared, environment) as container:
            _wait(shared / SOCKET, container.ended, container.logs)
            yield shared / SOCKET


class Asking:
    """One stream to an operator: a batch, its answer, the next batch."""

    def __init__(
        self, socket: Path, rows: Sequence[Mapping[str, Any]], output: Sequence[OutputColumn]
    ) -> None:
        self._channel: Final = grpc.insecure_channel(f"unix:{socket}", options=_UNBOUNDED)
        self._rows: Final = Batch.of(rows)
        self._output: Final = output
        self._requests: Final[SimpleQueue[operator_pb2.ProcessRequest | None]] = SimpleQueue()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._requests.put(None)
        self._channel.close()

    def answers(self) -> Iterator[list[dict[str, Any]]]:
        """What the operator makes of the rows, a batch after another.

        Raises :class:`OperatorFailed` if it fails, and what a node would refuse an answer with.
        """
        stream = operator_pb2_grpc.OperatorServiceStub(self._channel).Process(
            iter(self._requests.get, None), timeout=ANSWER_SECONDS
        )
        wanted = self._exchange(
            stream, operator_pb2.ProcessRequest(greeting=self._greeting())
        ).greeting.columns
        for number, start in enumerate(range(0, len(self._rows), BATCH_ROWS)):
            end = min(start + BATCH_ROWS, len(self._rows))
            batch = self._rows.take(range(start, end)).whole
            request = operator_pb2.ProcessRequest(batch=batch_to_wire(batch, number, wanted))
            answer = self._exchange(stream, request)
            if answer.WhichOneof("kind") == "error":
                raise OperatorFailed(f"the operator failed: {answer.error.reason}", hint="it says more above")
            if answer.WhichOneof("kind") != "rows" or answer.rows.id != number:
                raise OperatorFailed("the operator answers what was not asked", hint="docs/operators.md")
            yield self._read(answer.rows, batch)

    def _greeting(self) -> operator_pb2.NodeGreeting:
        types = batch_to_wire(self._rows.whole, 0).columns
        return operator_pb2.NodeGreeting(
            protocol=PROTOCOL,
            pipeline="try",
            step="try",
            input=[operator_pb2.ColumnType(name=c.name, type=c.type) for c in types],
            output=output_columns_to_wire(self._output),
            in_flight=1,
            answer_rows=MAX_ANSWER_ROWS,
            message_bytes=2**31 - 1,
        )

    def _exchange(
        self, stream: Iterator[operator_pb2.ProcessResponse], request: operator_pb2.ProcessRequest
    ) -> operator_pb2.ProcessResponse:
        self._requests.put(request)
        try:
            return next(stream)
        except StopIteration:
            raise OperatorFailed("the operator ended", hint="it says more above") from None
        except grpc.RpcError as error:
            raise OperatorFailed(
                f"the operator broke off: {_details(error)}", hint="it says more above"
            ) from None

    def _read(self, answer: operator_pb2.BatchRows, asked: Columns) -> list[dict[str, Any]]:
        promised = self._output or output_of([f"{c.name}:{c.type}" for c in answer.columns])
        read = rows_from_wire(answer, asked, promised, most_rows=MAX_ANSWER_ROWS)
        return list(Batch(read.batch, read.input_rows).to_dicts())


def _details(error: Any) -> str:
    """What the other side said: gRPC raises what it also hands out as a call, and its types do not say so."""
    return str(error.details())


def _wait(socket: Path, ended: Callable[[], bool], logs: Callable[[], str]) -> None:
    """Until the operator serves. Raises :class:`OperatorFailed` if it ends before."""
    until = time.monotonic() + START_SECONDS
    while not socket.exists():
        if ended():
            raise OperatorFailed("the operator does not start", hint=logs().strip() or "it says why above")
        if time.monotonic() > until:
            raise OperatorFailed(
                f"the operator does not serve within {START_SECONDS:g} s", hint=logs().strip()
            )
        time.sleep(LOOK_SECONDS)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
