"""What one look at the cloud found: a value that pages share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from cloud.dashboard.live.meter import Measured
from cloud.dashboard.live.topics import STATUS, Topic
from fogline.client.installation import Status
from fogline.model.errors import FogError

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """The cloud does not answer."""

    since_us: int
    why: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The newest answers. While the cloud is away they stay what they were."""

    number: int = 0
    """Counts the looks."""
    at_us: int = 0
    """When the newest answer came; 0: none ever did."""
    lost: Lost | None = None
    answers: Mapping[Any, Any] = field(default_factory=dict)
    """By topic: its newest answer, or the :class:`FogError` that stood in its place."""
    measured: Measured = field(default_factory=Measured)

    @property
    def status(self) -> Status | None:
        """Tiers and pipelines, once they are known."""
        return self.of(STATUS)

    def of(self, topic: Topic[T]) -> T | None:
        """The newest answer; None if there is none yet or the cloud refused it."""
        answer = self.answers.get(topic)
        return None if isinstance(answer, FogError) else cast("T | None", answer)

    def refusal(self, topic: Topic[object]) -> FogError | None:
        """Why the cloud does not answer this one, while it answers others."""
        answer = self.answers.get(topic)
        return answer if isinstance(answer, FogError) else None
