"""Where a follower of results stands, apart from how it waits: both clients drive this."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fogline.client import read
from fogline.client.asks import Wanted
from fogline.client.values import Result
from fogline.model.errors import FogError, Unavailable
from fogline.v1 import api_pb2

_AGAIN_WITHIN: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Changes that came together, and where to go on behind all of them."""

    results: tuple[Result, ...]
    resume_token: str


class Trail:
    """Answers in, results out; and the token behind what was handed out."""

    def __init__(
        self,
        wanted: Wanted,
        *,
        resume_token: str,
        patience: float,
        chance: Callable[[], float],
    ) -> None:
        """Begin behind ``resume_token``. ``patience``: seconds without any answer until a follower gives up."""
        self._wanted: Final = wanted
        self._patience: Final = patience
        self._chance: Final = chance
        self._waiting: Final[deque[api_pb2.Result]] = deque()
        self._behind_waiting = resume_token
        self._lost_at: float | None = None
        self.resume_token = resume_token
        """Behind the newest answer of which every result was handed out."""

    @property
    def pipeline(self) -> str:
        """The pipeline's name."""
        return self._wanted.pipeline

    def request(self) -> api_pb2.GetResultsRequest:
        """Ask for what comes behind the newest answer."""
        return self._wanted.following(self._behind_waiting)

    def take(self, answer: api_pb2.GetResultsResponse) -> None:
        """Keep an answer until its results are handed out."""
        self._lost_at = None
        self._waiting.extend(answer.results)
        self._behind_waiting = answer.resume_token or self._behind_waiting
        self._note()

    def next_result(self) -> Result | None:
        """Hand out one result, or None if a further answer is needed."""
        if not self._waiting:
            return None
        result = read.result(self._waiting.popleft())
        self._note()
        return result

    def next_batch(self) -> Batch | None:
        """Hand out all results that wait, or None if a further answer is needed."""
        if not self._waiting:
            return None
        results = tuple(read.result(r) for r in self._waiting)
        self._waiting.clear()
        self._note()
        return Batch(results=results, resume_token=self.resume_token)

    def lost(self, error: FogError | None, *, now: float) -> float:
        """Note that the stream ended and return the seconds to wait before asking again; or raise the error.

        It raises what can not be better next time, and what can when nobody has answered for long.
        """
        if error is not None and not error.retryable:
            raise error
        self._lost_at = now if self._lost_at is None else self._lost_at
        if now - self._lost_at > self._patience:
            raise error or Unavailable("the server ends every stream at once", hint="look at its log")
        # Full jitter, so that the followers of a restarted server do not all come back at once.
        return _AGAIN_WITHIN * self._chance()

    def _note(self) -> None:
        if not self._waiting:
            self.resume_token = self._behind_waiting
