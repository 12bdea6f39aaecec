"""The one place that knows the Docker SDK: its calls in threads, its answers as values, its errors as ours."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from threading import Lock
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from fog_node.runtimes.docker.feeding import Feeding
from fog_node.runtimes.docker.words import away, fault_of
from fog_node.runtimes.runtime import Ended, Output

T = TypeVar("T")

UNIX: Final = "unix://"
PING_S: Final = 5.0
CALL_S: Final = 30.0
"""An Engine that does not answer a call within this is taken for hung."""
SILENCE_S: Final = 120.0
"""A pull of which nothing is heard for so long is given up."""
CALLS: Final = 8
STREAMS: Final = 32
"""Followers of logs, commands, pulls and events at the same time; more wait."""

_HEADER: Final = struct.Struct(">BxxxL")


class Engine:
    """Calls to one Docker Engine. Each may raise :class:`fog_node.runtimes.runtime.ContainerFault`, above all
    :class:`fog_node.runtimes.runtime.RuntimeAway`.
    """

    def __init__(self, url: str) -> None:
        self._url: Final = url
        self._made: Any = None
        self._making: Final = Lock()
        self._calls: Final = ThreadPoolExecutor(CALLS, thread_name_prefix="docker")
        self._streams: Final = ThreadPoolExecutor(STREAMS, thread_name_prefix="docker-stream")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Not waiting: a thread in a call to a hung Engine ends with its own deadline.
        self._calls.shutdown(wait=False, cancel_futures=True)
        self._streams.shutdown(wait=False, cancel_futures=True)
        if self._made is not None:
            self._made.close()

    async def get(self, path: str, *, within_s: float = CALL_S, **parameters: Any) -> Any:
        """Ask; the answer as JSON."""
        return await self._call("GET", path, parameters, None, within_s)

    async def post(
        self, path: str, body: Mapping[str, Any] | None = None, *, within_s: float = CALL_S, **parameters: Any
    ) -> Any:
        """Tell; the answer as JSON, if there is one."""
        return await self._call("POST", path, parameters, body, within_s)

    async def delete(self, path: str, **parameters: Any) -> Any:
        """Remove."""
        return await self._call("DELETE", path, parameters, None, CALL_S)

    def lines(
        self, method: str, path: str, *, silence_s: float | None, **parameters: Any
    ) -> AsyncIterator[Any]:
        """An answer that goes on: a JSON value a line."""
        return self._stream(
            lambda: self._open(
                method, path, parameters, silence_s, lambda answer: map(json.loads, _lines(answer))
            )
        )

    async def send(self, path: str, body: AsyncGenerator[bytes, None], *, silence_s: float) -> list[Any]:
        """Tell with an archive that comes piece by piece; the answer, a JSON value a line.

        What the body raises breaks the call off, and is raised.
        """
        feeding = Feeding(body)

        def call() -> list[Any]:
            client = self._client()
            address, within = self._address(client, path), (CALL_S, silence_s)
            kind = {"Content-Type": "application/x-tar"}
            with client.post(address, data=feeding, headers=kind, timeout=within, stream=True) as answer:
                if answer.status_code >= 400:
                    raise fault_of(answer.status_code, _message(answer))
                return [json.loads(line) for line in _lines(answer)]

        try:
            return await self._run(self._streams, call)
        finally:
            await feeding.end()

    def frames(self, path: str, **parameters: Any) -> AsyncIterator[Output]:
        """An answer that goes on: what a container writes, as it comes."""
        return self._stream(
            lambda: self._open("GET", path, parameters, None, lambda answer: _frames(answer.raw.read))
        )

    async def execute(
        self, container: str, command: tuple[str, ...], given: AsyncIterator[bytes]
    ) -> AsyncIterator[Output | Ended]:
        """Run a command inside a container."""
        wanted = {
            "AttachStdin": True,
            "AttachStdout": True,
            "AttachStderr": True,
            "Cmd": list(command),
        }
        made = await self.post(f"/containers/{container}/exec", wanted)
        wire = await self._run(self._calls, lambda: self._client().exec_start(made["Id"], socket=True))
        raw: socket.socket = wire._sock  # noqa: SLF001 - the SDK hands out the socket in no other way
        raw.settimeout(None)
        feeding = asyncio.ensure_future(_feed(raw, given))
        try:
            said = self._stream(lambda: _Closable(_frames(_reader(raw)), lambda: _shut(raw)))
            async with aclosing(said):  # type: ignore[type-var]  # it is a generator
                async for output in said:
                    yield output
        finally:
            feeding.cancel()
            with suppress(asyncio.CancelledError):
                await feeding
            wire.close()
            raw.close()
        seen = await self.get(f"/exec/{made['Id']}/json")
        yield Ended(int(seen["ExitCode"]))

    async def _call(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, Any],
        body: Mapping[str, Any] | None,
        within_s: float,
    ) -> Any:
        def call() -> Any:
            client = self._client()
            answer = client.request(
                method, self._address(client, path), params=parameters, json=body, timeout=within_s
            )
            if answer.status_code >= 400:
                raise fault_of(answer.status_code, _message(answer))
            return answer.json() if "json" in answer.headers.get("Content-Type", "") else None

        return await self._run(self._calls, call)

    def _open(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, Any],
        silence_s: float | None,
        read: Callable[[Any], Iterator[T]],
    ) -> "_Closable[T]":
        from docker.types.daemon import CancellableStream  # noqa: PLC0415 - imported only where it is used

        client = self._client()
        answer = client.request(
            method,
            self._address(client, path),
            params=parameters,
            timeout=(CALL_S, silence_s),
            stream=True,
        )
        if answer.status_code >= 400:
            message = _message(answer)
            answer.close()
            raise fault_of(answer.status_code, message)
        stream = CancellableStream(read(answer), answer)
        return _Closable(stream, stream.close)

    async def _stream(self, begin: "Callable[[], _Closable[T]]") -> AsyncIterator[T]:
        stream = await self._run(self._streams, begin)
        try:
            while (item := await self._run(self._streams, stream.next)) is not None:
                yield item
        finally:
            # Wakes the thread that waits in it.
            await self._run(self._calls, stream.close)

    async def _run(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(pool, lambda: self._translated(work))

    def _translated(self, work: Callable[[], T]) -> T:
        from docker.errors import DockerException  # noqa: PLC0415 - imported only where it is used
        from requests.exceptions import RequestException  # noqa: PLC0415
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        try:
            return work()
        except (DockerException, RequestException, HTTPError, OSError) as error:
            raise away(self._url, error) from error

    def _client(self) -> Any:
        """The client; made by the first call, which asks the Engine for its version."""
        from docker.api.client import APIClient  # noqa: PLC0415 - imported only where it is used

        self._knock()
        with self._making:
            if self._made is None:
                self._made = APIClient(base_url=self._url, version="auto", timeout=PING_S)
            return self._made

    def _knock(self) -> None:
        """Whether anybody listens. The SDK would lose its socket where nobody does. Raises :class:`OSError`."""
        if self._url.startswith(UNIX):
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(PING_S)
                probe.connect(self._url.removeprefix(UNIX))

    @staticmethod
    def _address(client: Any, path: str) -> str:
        return f"{client.base_url}/v{client.api_version}{path}"


class _Closable(Iterator[T]):
    """An iterator with an end that another thread can make."""

    def __init__(self, items: Iterator[T], close: Callable[[], None]) -> None:
        self._items: Final = items
        self._close: Final = close
        self._closed = False

    def __next__(self) -> T:
        return next(self._items)

    def next(self) -> T | None:
        """The next item; None at the end."""
        try:
            return next(self._items, None)
        except (OSError, ValueError):
            if self._closed:
                return None
            raise

    def close(self) -> None:
        self._closed = True
        with suppress(OSError):
            self._close()


def _message(answer: Any) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError):
        return str(answer.text)[:500]


def _lines(answer: Any) -> Iterator[bytes]:
    return (line for line in answer.iter_lines() if line)


def _frames(read: Callable[[int], bytes]) -> Iterator[Output]:
    """Output as the Engine sends it: a header with channel and length before each piece."""
    while len(header := _exactly(read, _HEADER.size)) == _HEADER.size:
        channel, length = _HEADER.unpack(header)
        yield Output(channel, _exactly(read, length))


def _exactly(read: Callable[[int], bytes], length: int) -> bytes:
    taken = b""
    while len(taken) < length and (more := read(length - len(taken))):
        taken += more
    return taken


def _reader(raw: socket.socket) -> Callable[[int], bytes]:
    return raw.recv


def _shut(raw: socket.socket) -> None:
    raw.shutdown(socket.SHUT_RDWR)


async def _feed(raw: socket.socket, given: AsyncIterator[bytes]) -> None:
    with suppress(OSError):  # the command has ended
        async for data in given:
            await asyncio.to_thread(raw.sendall, data)
        raw.shutdown(socket.SHUT_WR)
