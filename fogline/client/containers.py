"""Containers as the SDK says them: what runs where, what it writes, what it uses."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Final, Generic, Protocol, Self, TypeVar

from google.protobuf.message import Message

from fogline.client.errors import translated
from fogline.model.clock import SECOND, to_datetime
from fogline.v1 import containers_pb2

LOGS: Final = "ContainerService/GetLogs"
EXEC: Final = "ContainerService/Exec"
USAGE: Final = "ContainerService/GetUsage"
CHUNK: Final = 32 * 1024
"""Bytes of input in one message."""

STDOUT: Final = "stdout"
STDERR: Final = "stderr"

M_co = TypeVar("M_co", bound=Message, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A replica of an operator, or a service, as its node last reported it."""

    node: str
    node_alive: bool
    """False: nothing was heard of the node for some seconds."""
    pipeline: str
    """Empty: its plan is not known any more."""
    plan: str
    kind: str
    """``operator`` or ``service``."""
    name: str
    """Step or service."""
    replica: int
    id: str
    """The runtime's own name for it; empty before it exists."""
    runtime: str
    image: str
    state: str
    """waiting, pulling, starting, running, backing_off, quarantined or failed."""
    fault: str
    """What is wrong, in words; empty: nothing."""
    restarts: int
    since: datetime | None
    """When it last started; null: it does not run."""
    cpu_seconds: float
    """CPU that it has used since it started."""
    memory_bytes: int
    throttled_seconds: float
    """Time in which it had used up its CPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a container, as its node reported it."""

    node: str
    pipeline: str
    """Empty: its plan is not known any more."""
    plan: str
    kind: str
    """``operator`` or ``service``."""
    name: str
    """Step or service."""
    replica: int
    at: datetime
    """By the node's own clock."""
    event: str
    """In a word: started, exited, out_of_memory, timed_out, bad_answer, quarantined, image_missing, ..."""
    detail: str
    """In words, with the last ones of a container that ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What the containers of one node have used."""

    node: str
    at: datetime
    """By the node's own clock."""
    arch: str
    """What the machine is, as its kernel says: ``x86_64``, ``aarch64``; empty: its report did not say."""
    cpu_millis: int
    """What the machine has, in thousandths of a core."""
    memory_bytes: int
    """What the machine has."""
    containers: tuple[Container, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogChunk:
    """What a container wrote, as it came: neither whole lines nor valid UTF-8 can be relied on."""

    node: str
    kind: str
    name: str
    replica: int
    channel: str
    """``stdout`` or ``stderr``."""
    data: bytes
    dropped: int
    """Bytes that were left out before ``data``, because nobody read them in time."""
    fault: str
    """Why nothing more comes of this container; empty: more may come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecChunk:
    """What a command wrote."""

    channel: str
    """``stdout`` or ``stderr``."""
    data: bytes


class Call(Protocol[M_co]):
    """The answers of a call as they come."""

    def __iter__(self) -> Iterator[M_co]: ...
    def cancel(self) -> object:
        """End it."""
        ...


class Logs(Iterator[LogChunk]):
    """What containers write; one thread reads it. ``close`` it, or use ``with``; any thread may close it."""

    def __init__(self, address: str, call: Call[containers_pb2.GetLogsResponse]) -> None:
        self._answers: Final = _Answers(address, call)

    def __next__(self) -> LogChunk:
        return log_chunk(next(self._answers))

    def close(self) -> None:
        """End the iteration."""
        self._answers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Usages(Iterator[tuple[Usage, ...]]):
    """What containers use, time and again; as :class:`Logs` is closed."""

    def __init__(self, address: str, call: Call[containers_pb2.GetUsageResponse]) -> None:
        self._answers: Final = _Answers(address, call)

    def __next__(self) -> tuple[Usage, ...]:
        return tuple(usage(one) for one in next(self._answers).nodes)

    def close(self) -> None:
        """End the iteration."""
        self._answers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Execution(Iterator[ExecChunk]):
    """A command that runs: iterate what it writes, then ask for ``exit_code``. Closed, it is called off."""

    def __init__(self, address: str, call: Call[containers_pb2.ExecResponse]) -> None:
        self._answers: Final = _Answers(address, call)
        self._exit_code: int | None = None

    @property
    def exit_code(self) -> int | None:
        """How it ended, a signal's number is 128 more; None: it has not."""
        return self._exit_code

    def __next__(self) -> ExecChunk:
        answer = next(self._answers)
        if answer.HasField("ended"):
            self._exit_code = answer.ended.exit_code
            raise StopIteration
        return exec_chunk(answer)

    def close(self) -> None:
        """Call it off, if it still runs."""
        self._answers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Answers(Generic[M_co]):
    def __init__(self, address: str, call: Call[M_co]) -> None:
        self._address: Final = address
        self._call: Final = call
        self._iterator: Final = iter(call)
        self._closed = False

    def close(self) -> None:
        self._closed = True
        self._call.cancel()

    def __next__(self) -> M_co:
        if self._closed:
            raise StopIteration
        with translated(self._address):
            try:
                return next(self._iterator)
            except Exception:
                if self._closed:
                    raise StopIteration from None
                raise


def serialized(request: Message) -> bytes:
    """Any message as bytes."""
    return request.SerializeToString()


def exec_requests(
    ask: containers_pb2.ExecAsk, given: Iterable[bytes]
) -> Iterator[containers_pb2.ExecRequest]:
    """The requests of a command that is fed with this."""
    yield containers_pb2.ExecRequest(ask=ask)
    for data in given:
        for at in range(0, len(data), CHUNK):
            yield containers_pb2.ExecRequest(data=data[at : at + CHUNK])
    yield containers_pb2.ExecRequest(end=True)


def exec_ask(
    node: str, name: str, command: Iterable[str], *, pipeline: str, replica: int | None
) -> containers_pb2.ExecAsk:
    """Which container, and what to run."""
    return containers_pb2.ExecAsk(
        node=node, name=name, command=tuple(command), pipeline=pipeline, replica=replica
    )


def container(message: containers_pb2.ContainerInfo) -> Container:
    """Read one container."""
    of = message.container
    return Container(
        node=message.node,
        node_alive=message.node_alive,
        pipeline=message.pipeline,
        plan=of.plan,
        kind=of.kind,
        name=of.name,
        replica=of.replica,
        id=of.id,
        runtime=of.runtime,
        image=of.image,
        state=of.state,
        fault=of.fault,
        restarts=of.restarts,
        since=to_datetime(of.since_us) if of.since_us else None,
        cpu_seconds=of.cpu_us / SECOND,
        memory_bytes=of.memory_bytes,
        throttled_seconds=of.throttled_us / SECOND,
    )


def event(message: containers_pb2.EventInfo) -> Event:
    """Read one event."""
    of = message.event
    return Event(
        node=message.node,
        pipeline=message.pipeline,
        plan=of.plan,
        kind=of.kind,
        name=of.name,
        replica=of.replica,
        at=to_datetime(of.at_us),
        event=of.event,
        detail=of.detail,
    )


def usage(message: containers_pb2.NodeUsage) -> Usage:
    """Read what one node's containers use."""
    return Usage(
        node=message.node,
        at=to_datetime(message.at_us),
        arch=message.capacity.arch,
        cpu_millis=message.capacity.cpu_millis,
        memory_bytes=message.capacity.memory_bytes,
        containers=tuple(container(one) for one in message.containers),
    )


def log_chunk(message: containers_pb2.GetLogsResponse) -> LogChunk:
    """Read what a container wrote."""
    return LogChunk(
        node=message.node,
        kind=message.kind,
        name=message.name,
        replica=message.replica,
        channel=_channel(message.channel),
        data=message.data,
        dropped=message.dropped,
        fault=message.fault,
    )


def exec_chunk(message: containers_pb2.ExecResponse) -> ExecChunk:
    """Read what a command wrote."""
    return ExecChunk(channel=_channel(message.channel), data=message.data)


def _channel(number: int) -> str:
    return STDERR if number == 2 else STDOUT
