"""The release: what runs a plan's operators, and which containers stand beside them.

The plan says what operators answer with; which image answers, and what it may use, can change without a new plan.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from fogline.model.clock import SECOND

Runtime = Literal["", "docker", "process"]
RUNTIMES: Final[tuple[Runtime, ...]] = ("docker", "process")

DEFAULT_TIMEOUT_US: Final = 5 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What one container may use; 0 takes the node's default."""

    cpu_millis: int = 0
    """Thousandths of a core."""
    memory_bytes: int = 0
    pids: int = 0
    """Processes and threads."""
    tmp_bytes: int = 0
    """Writable memory at /tmp."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRelease:
    """What runs one step."""

    step: str
    image: str
    """As it was written, or with the digest that a tag stood for at the deployment."""
    resources: Resources = Resources()
    min_replicas: int = 1
    max_replicas: int = 1
    timeout_us: int = DEFAULT_TIMEOUT_US
    """A batch must be answered within this."""
    environment: Mapping[str, str] = field(default_factory=dict)
    runtime: Runtime = ""
    """Empty: what the node has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRelease:
    """A long-running container beside the steps."""

    name: str
    image: str
    resources: Resources = Resources()
    command: tuple[str, ...] = ()
    """Empty: the image's own."""
    environment: Mapping[str, str] = field(default_factory=dict)
    networks: tuple[str, ...] = ()
    """Named networks of the tenant on the node; none: no network."""
    ports: tuple[str, ...] = ()
    """``host port:container port``, published on the node."""
    volumes: tuple[str, ...] = ()
    """``name:/path``."""
    on: tuple[str, ...] = ()
    """``name=value``: labels that a node must have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Everything of a pipeline that runs in containers."""

    operators: tuple[OperatorRelease, ...] = ()
    """One for each operator step, by the step's name."""
    services: tuple[ServiceRelease, ...] = ()
    """By name."""

    def __bool__(self) -> bool:
        return bool(self.operators or self.services)

    @property
    def images(self) -> tuple[str, ...]:
        """Every image, each once."""
        images = [*(one.image for one in self.operators), *(one.image for one in self.services)]
        return tuple(dict.fromkeys(images))

    def with_images(self, images: Mapping[str, str]) -> "Release":
        """The same with other references for some images."""
        return Release(
            operators=tuple(replace(one, image=images.get(one.image, one.image)) for one in self.operators),
            services=tuple(replace(one, image=images.get(one.image, one.image)) for one in self.services),
        )
