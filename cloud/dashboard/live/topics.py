"""What can be asked of the cloud: each topic is asked for once, however many browsers look at it."""

from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeVar

from fogline.client.accounts import Ledger
from fogline.client.aio.client import AsyncClient
from fogline.client.containers import Container, Event
from fogline.client.installation import Status
from fogline.client.values import Latest, Stream

T_co = TypeVar("T_co", covariant=True)


class Topic(Protocol[T_co]):
    """Something to ask. Equal topics are one; a frozen dataclass is a good one."""

    @property
    def every(self) -> int:
        """Asked at every so many looks: 1 for what changes each second."""

    async def ask(self, client: AsyncClient) -> T_co:
        """Ask the cloud. Raises :class:`fogline.model.errors.FogError`."""

    def __hash__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class StatusTopic:
    """Tiers, pipelines and their health: always asked, as rates need it without a break."""

    every: ClassVar[int] = 1

    async def ask(self, client: AsyncClient) -> Status:
        """Ask for it."""
        return await client.status()


@dataclass(frozen=True, slots=True)
class LedgerTopic:
    """Where everything went. It reads whole tables, so it is asked less often."""

    every: ClassVar[int] = 3

    async def ask(self, client: AsyncClient) -> Ledger:
        """Ask for it."""
        return await client.ledger()


@dataclass(frozen=True, slots=True)
class LatestTopic:
    """A step's newest windows, with the rows of some keys."""

    pipeline: str
    step: str
    windows: int
    keys: int

    every: ClassVar[int] = 1

    async def ask(self, client: AsyncClient) -> Latest:
        """Ask for it."""
        return await client.latest(self.pipeline, step=self.step, windows=self.windows, keys=self.keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepWindows:
    """The newest windows of one step."""

    pipeline: str
    step: str
    latest: Latest


@dataclass(frozen=True, slots=True)
class NewestTopic:
    """The newest windows of the first steps of all pipelines."""

    steps: int = 6
    windows: int = 48

    every: ClassVar[int] = 1

    async def ask(self, client: AsyncClient) -> tuple[StepWindows, ...]:
        """Ask for it."""
        places = [(each.name, step) async for each in client.pipelines() for step in each.steps]
        return tuple(
            [
                StepWindows(
                    pipeline=pipeline,
                    step=step,
                    latest=await client.latest(pipeline, step=step, windows=self.windows, keys=1),
                )
                for pipeline, step in places[: self.steps]
            ]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainersTopic:
    """Containers of a pipeline, or on a node, as nodes last reported them."""

    pipeline: str = ""
    node: str = ""

    every: ClassVar[int] = 2

    async def ask(self, client: AsyncClient) -> tuple[Container, ...]:
        """Ask for them."""
        return tuple([one async for one in client.containers(pipeline=self.pipeline, node=self.node)])


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsTopic:
    """What happened to the containers of a pipeline, or on a node."""

    pipeline: str = ""
    node: str = ""

    every: ClassVar[int] = 2

    async def ask(self, client: AsyncClient) -> tuple[Event, ...]:
        """Ask for it."""
        return tuple([one async for one in client.events(pipeline=self.pipeline, node=self.node)])


@dataclass(frozen=True, slots=True)
class StreamsTopic:
    """Streams that the pipelines read."""

    every: ClassVar[int] = 2

    async def ask(self, client: AsyncClient) -> tuple[Stream, ...]:
        """Ask for it."""
        return tuple([stream async for stream in client.streams()])


STREAMS = StreamsTopic()
NEWEST = NewestTopic()
STATUS = StatusTopic()
LEDGER = LedgerTopic()
