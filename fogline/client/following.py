"""Results as they change, for programs that block."""

import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Final, Self, TypeVar

from fogline.client.connection import Answers, Connection
from fogline.client.errors import translated
from fogline.client.trail import Batch, Trail
from fogline.client.values import Result
from fogline.model.errors import FogError

T = TypeVar("T")


class Following(Iterator[Result]):
    """Changes of a pipeline's results, in their order, for as long as one asks; one thread reads it.

    A broken connection is made again behind what was handed out. ``close`` it, or use ``with``; any thread may
    close it, which ends the iteration.
    """

    def __init__(self, connection: Connection, trail: Trail) -> None:
        self._connection: Final = connection
        self._trail: Final = trail
        self._closed: Final = threading.Event()
        self._call: Answers | None = None

    @property
    def resume_token(self) -> str:
        """Where to go on: ``client.follow(pipeline, resume_token=...)``, also in another process.

        It stands behind the newest batch of which every result was handed out: going on there repeats at most
        the results of one batch and leaves none out. :meth:`batches` repeats none.
        """
        return self._trail.resume_token

    def batches(self) -> Iterator[Batch]:
        """Yield the changes as they come together, each batch with the token behind it.

        Store what was made of a batch and its token in one transaction, and each change is handled once.
        """
        while (batch := self._next(self._trail.next_batch)) is not None:
            yield batch

    def close(self) -> None:
        """End the iteration."""
        self._closed.set()
        self._hang_up()

    def __next__(self) -> Result:
        if (result := self._next(self._trail.next_result)) is None:
            raise StopIteration
        return result

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._closed.is_set() else "open"
        return f"<Following {self._trail.pipeline!r} at {self._connection.address}, {state}>"

    def _next(self, take: Callable[[], T | None]) -> T | None:
        """Take from the trail, after a further answer if need be; None when this is closed."""
        while not self._closed.is_set():
            if (taken := take()) is not None:
                return taken
            self._read()
        return None

    def _read(self) -> None:
        broken: FogError | None = None
        try:
            with translated(self._connection.address):
                if self._call is None:
                    self._call = self._connection.stream(self._trail.request())
                for answer in self._call:
                    self._trail.take(answer)
                    return
        except FogError as error:
            if self._closed.is_set():
                return
            broken = error
        self._hang_up()
        self._closed.wait(self._trail.lost(broken, now=time.monotonic()))

    def _hang_up(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call.cancel()
