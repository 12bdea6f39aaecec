"""What runs replicas of operators, and services: one small interface.

Whoever implements it passes ``tests/contract/test_runtimes.py``. A runtime decides nothing: it starts what it is
told to, says what there is, and what became of it. When and whether is the reconciler's business.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Literal, Protocol

from fogline.model.errors import FogError

Kind = Literal["operator", "service"]

STDOUT: Final = 1
STDERR: Final = 2

SOCKET: Final = "operator.sock"
"""The operator's socket, in the folder that the node gives it."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Slot:
    """Which replica of which step or service of which plan; at most one container fills it."""

    kind: Kind
    plan: str
    name: str
    """Step or service."""
    replica: int = 0

    def __str__(self) -> str:
        replica = f" replica {self.replica}" if self.kind == "operator" else ""
        return f"{self.kind} {self.name}{replica} of plan {self.plan[:12]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one container may use; every one is set."""

    cpu_millis: int
    """Thousandths of a core."""
    memory_bytes: int
    pids: int
    """Processes and threads."""
    tmp_bytes: int
    """Writable memory at /tmp."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSpec:
    """Everything that makes a container what it is. Two that are equal need no exchange."""

    slot: Slot
    tenant: str
    image: str
    """``name[:tag]@sha256:...``."""
    limits: Limits
    environment: tuple[tuple[str, str], ...] = ()
    """By name."""
    command: tuple[str, ...] = ()
    """Empty: the image's own."""
    networks: tuple[str, ...] = ()
    """Named networks of the tenant; none: no network."""
    ports: tuple[str, ...] = ()
    """``host port:container port``."""
    volumes: tuple[str, ...] = ()
    """``name:/path``."""


class Condition(StrEnum):
    """What a container does now."""

    CREATED = "created"
    """It was made and never ran: whoever made it was interrupted."""
    RUNNING = "running"
    PAUSED = "paused"
    EXITED = "exited"


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One container of this node, as its runtime sees it."""

    id: str
    """Its name, never given twice."""
    spec: ContainerSpec
    condition: Condition
    since_us: int
    """When it last started or ended; 0 if it never did."""
    exit_code: int | None = None
    """Of one that exited, if it is known; a signal's number is 128 more."""
    out_of_memory: bool = False
    detail: str = ""
    """What the runtime says about its end."""
    socket: Path | None = None
    """Where an operator's socket appears, on the node. Its folder is the container's to write: do not follow links."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The kernel's counters of one container. They begin with the container."""

    cpu_us: int
    memory_bytes: int
    """What it cannot give back: page cache that is not in use is left out."""
    throttled_us: int
    """Time in which it had used up its CPU."""
    forks_refused: int = 0
    """Processes and threads that it could not start, as it had as many as it may."""
    output_bytes: int = 0
    """What it wrote since somebody looked first, as far as is known: whole log files, of an Engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image on this node."""

    id: str
    names: tuple[str, ...]
    """``name@sha256:...`` and ``name:tag`` by which it is known; and its id."""
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Output:
    """What a container wrote."""

    channel: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """A command in a container has ended."""

    exit_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something happened to a container, or (``id`` empty) to all of them: look again."""

    id: str = ""
    event: str = ""
    """started, exited, out_of_memory, or whatever the runtime calls it."""


class ContainerFault(FogError):
    """A runtime could not do what it was told to; ``reason`` is a word of ContainerEvent.event."""

    code = "unavailable"

    def __init__(self, message: str, *, reason: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason: Final = reason
        self.words: Final = f"{message} ({hint})" if hint else message
        """For a report: what is wrong, and what to do if there is anything to do."""


class RuntimeAway(ContainerFault):
    """The runtime itself does not answer: nothing is known about its containers."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, reason="runtime_away", hint=hint)


class NoSuchContainer(ContainerFault):
    """There is no container of this name, or none of this node."""

    def __init__(self, container: str) -> None:
        super().__init__(f"there is no container {container}", reason="no_such_container")


class Runtime(Protocol):
    """Runs containers of this node, and knows them again. Every method may raise :class:`ContainerFault`."""

    @property
    def name(self) -> str:
        """As a spec names it: docker or process."""
        ...

    async def available(self) -> str:
        """Why nothing can be run now, in words; empty: it can."""
        ...

    async def present(self, image: str) -> bool:
        """Whether an image can be started without fetching anything."""
        ...

    async def pull(self, image: str, progress: Callable[[str], None]) -> None:
        """Fetch an image by its digest."""
        ...

    async def start(self, spec: ContainerSpec) -> str:
        """Make a container and start it; its id. Interrupted anywhere, :meth:`list` knows what there is of it."""
        ...

    async def stop(self, container: str, grace_s: float) -> None:
        """End a container: politely, and after ``grace_s`` at once. Nothing is left of it, nor if it was gone."""
        ...

    async def list(self) -> tuple[Container, ...]:
        """Every container that this node's own record says it made, whoever runs the agent now."""
        ...

    async def usage(self, container: str) -> Usage:
        """What it has used."""
        ...

    async def update(self, container: str, limits: Limits) -> None:
        """Change limits of a container that goes on running."""
        ...

    async def pause(self, container: str) -> None:
        """Hold every process of it."""
        ...

    async def unpause(self, container: str) -> None:
        """Let them go on."""
        ...

    def logs(self, container: str, *, tail: int, follow: bool) -> AsyncIterator[Output]:
        """What it wrote: the last ``tail`` lines, and with ``follow`` all that comes until it ends."""
        ...

    def execute(
        self, container: str, command: tuple[str, ...], given: AsyncIterator[bytes]
    ) -> AsyncIterator[Output | Ended]:
        """Run a command inside; the last that comes is :class:`Ended`."""
        ...

    def events(self) -> AsyncIterator[Change]:
        """What happens to containers, from now on. A hint to look again: some may be missed."""
        ...

    async def images(self) -> tuple[Image, ...]:
        """Images that are here."""
        ...

    async def remove_image(self, image: str) -> None:
        """Let go of an image that was pulled; one that a container uses stays, with a :class:`ContainerFault`."""
        ...

    async def free_bytes(self) -> int:
        """Disk that is free where images lie."""
        ...
