"""The half of a node that hears what it shall run, and an aggregator, over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from aggregator.main import Aggregator
from aggregator.settings import AggregatorSettings
from fog_node.reconcile.desired import Assigned
from fog_node.told import Told
from fogline.control.client import ControlClient
from fogline.identity.holder import Holder
from fogline.model.clock import SystemClock
from fogline.model.protocol import PROTOCOL
from fogline.service.folder import make_folder
from fogline.testing.parents import IMPATIENT
from fogline.uplink.dial import channel_to
from fogline.v1 import control_pb2


class HearingNode:
    """Hears, believes or not, and reports; runs nothing."""

    def __init__(self, folder: Path, *parents: str, name: str = "n1", holder: Holder | None = None) -> None:
        folder.mkdir(exist_ok=True)
        self.name = name
        self.holder = holder
        self.assigned: Mapping[tuple[str, str], Assigned] = {}
        self.told = Told.by(folder, node=name, containers=self, holder=holder)
        self.client = ControlClient(
            parents=parents,
            report=self.request,
            accept=self._hear,
            clock=SystemClock(),
            rng=Random(3),
            every_s=0.05,
            settings=IMPATIENT,
            dial=channel_to if holder is None else holder.dial,
        )

    async def _hear(self, told: control_pb2.AttachResponse) -> None:
        await self.told.hear(told)
        self.told.assign()

    def assign(self, assigned: Mapping[tuple[str, str], Assigned]) -> None:
        """As containers are."""
        self.assigned = dict(assigned)

    @property
    def report(self) -> control_pb2.NodeReport:
        """What it says of itself."""
        report = control_pb2.NodeReport(
            node=self.name,
            at_us=SystemClock().now_us(),
            generation=self.told.desired.generation,
            capacity=control_pb2.Capacity(cpu_millis=4000, memory_bytes=1 << 30, runtimes=["docker"]),
        )
        self.told.fill(report)
        return report

    def request(self) -> control_pb2.AttachRequest:
        """The same as the stream wants it."""
        return control_pb2.AttachRequest(protocol=PROTOCOL, child=self.name, role="node", nodes=[self.report])


@asynccontextmanager
async def aggregating(
    folder: Path, *parents: str, name: str = "a1", holder: Holder | None = None
) -> AsyncIterator[Aggregator]:
    """An aggregator that runs."""
    make_folder(folder)
    settings = AggregatorSettings(
        name=name,
        listen="127.0.0.1:0",
        enrol="127.0.0.1:0",
        parents=parents,
        folder=folder,
        link=IMPATIENT,
    )
    aggregator = Aggregator(settings, clock=SystemClock(), rng=Random(5), holder=holder)
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(aggregator.run(stopping))
        await aggregator.server.started.wait()
        yield aggregator
        stopping.set()


@asynccontextmanager
async def hearing(*nodes: HearingNode) -> AsyncIterator[None]:
    """Nodes that are attached, or try to be."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(node.client.run()) for node in nodes]
        yield
        for task in tasks:
            task.cancel()


def granted(generation: int, *, most: int = 4, aggregators: tuple[str, ...] = ()) -> control_pb2.DesiredState:
    """A desired state with one plan that has one operator."""
    operator = control_pb2.OperatorRelease(
        step="clean", image="acme/clean@sha256:" + "0" * 64, min_replicas=2, max_replicas=most
    )
    return control_pb2.DesiredState(
        generation=generation,
        plans=[control_pb2.DesiredPlan(id="p")],
        grants=[control_pb2.Grant(plan="p", term=1, operators=[operator], aggregators=aggregators)],
    )
