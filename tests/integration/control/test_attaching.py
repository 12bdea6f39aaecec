"""Control streams over real sockets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import grpc
import pytest

from aggregator.main import Aggregator
from aggregator.settings import AggregatorSettings
from fogline.control.client import ControlClient
from fogline.control.keep import KeptDesired
from fogline.model.clock import Clock, SystemClock
from fogline.service.folder import make_folder
from fogline.testing.clock import ManualClock
from fogline.testing.control import CHAIN, ControlParent, MemoryHub, desired_state
from fogline.testing.parents import IMPATIENT
from fogline.testing.relay import Relay
from fogline.testing.until import until
from fogline.uplink.dial import channel_to
from fogline.v1 import control_pb2, control_pb2_grpc


class Node:
    """A node's half of control."""

    def __init__(self, folder: Path, *parents: str, name: str = "node-1", clock: Clock | None = None) -> None:
        self.kept = KeptDesired(folder / f"{name}.desired")
        self.name = name
        self.clients = 0
        self.client = ControlClient(
            parents=parents,
            report=self.report,
            accept=self.kept.accept,
            clock=clock or SystemClock(),
            rng=Random(3),
            settings=IMPATIENT,
        )

    def report(self) -> control_pb2.AttachRequest:
        node = control_pb2.NodeReport(
            node=self.name, generation=self.kept.desired.generation, clients=self.clients
        )
        return control_pb2.AttachRequest(protocol=1, child=self.name, role="node", nodes=[node])


@asynccontextmanager
async def running(*what: Coroutine[Any, Any, Any]) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one) for one in what]
        yield
        for task in tasks:
            task.cancel()


async def _read_out(call: grpc.aio.StreamStreamCall[Any, Any]) -> None:
    """Read whatever comes; a status is known only when everything before it was read."""
    with contextlib.suppress(grpc.aio.AioRpcError):
        async for _ in call:
            pass


@asynccontextmanager
async def aggregating(folder: Path, *parents: str, name: str = "group-1") -> AsyncIterator[Aggregator]:
    make_folder(folder)
    settings = AggregatorSettings(
        name=name,
        listen="127.0.0.1:0",
        parents=parents,
        folder=folder,
        link=IMPATIENT,
    )
    aggregator = Aggregator(settings, clock=SystemClock(), rng=Random(5))
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(aggregator.run(stopping))
        await aggregator.server.started.wait()
        yield aggregator
        stopping.set()


async def test_desired_state_comes_down_at_once_and_when_it_changes(tmp_path: Path) -> None:
    hub = MemoryHub(desired_state(1, "a"))
    parent = ControlParent(hub)
    async with parent.server:
        node = Node(tmp_path, parent.server.address)
        async with running(node.client.run()):
            assert await node.kept.desired.newer_than(0) == desired_state(1, "a")
            hub.tell(desired_state(2, "a", "b"))
            assert await node.kept.desired.newer_than(1) == desired_state(2, "a", "b")
    assert KeptDesired(tmp_path / "node-1.desired").desired.generation == 2


async def test_reports_go_up_each_second_and_when_something_changes(tmp_path: Path) -> None:
    hub = MemoryHub()
    parent = ControlParent(hub)
    clock = ManualClock()
    async with parent.server:
        node = Node(tmp_path, parent.server.address, clock=clock)
        async with running(node.client.run()):
            await until(lambda: hub.heard == 1)
            await clock.slept(1)
            await clock.advance(1.0)
            await until(lambda: hub.heard == 2)
            node.clients = 7
            node.client.changed()
            await until(lambda: hub.heard == 3)
            assert hub.nodes["node-1"].clients == 7


async def test_a_parent_with_an_older_state_is_not_obeyed(tmp_path: Path) -> None:
    parent = ControlParent(MemoryHub(desired_state(4, "old")))
    async with parent.server:
        node = Node(tmp_path, parent.server.address)
        await node.kept.accept(CHAIN.word(desired_state(9, "new")).told())
        async with running(node.client.run()):
            await until(lambda: node.client.attached)
    assert node.kept.desired.state == desired_state(9, "new")


async def test_a_child_attaches_again_when_the_parent_is_back(tmp_path: Path) -> None:
    hub = MemoryHub(desired_state(1))
    first = ControlParent(hub)
    async with first.server, Relay(first.server.address) as link:
        node = Node(tmp_path, link.address)
        async with running(node.client.run()):
            await node.kept.desired.newer_than(0)
            await first.server.stop()
            await until(lambda: not hub.reports)
            second = ControlParent(hub)
            async with second.server:
                link.target = second.server.address
                hub.tell(desired_state(2))
                await node.kept.desired.newer_than(1)


async def test_a_child_goes_to_the_next_parent_and_returns(tmp_path: Path) -> None:
    hubs = [MemoryHub(desired_state(1)), MemoryHub(desired_state(1))]
    parents = [ControlParent(hub) for hub in hubs]
    async with parents[0].server, parents[1].server, Relay(parents[0].server.address) as link:
        node = Node(tmp_path, link.address, parents[1].server.address)
        async with running(node.client.run()):
            await until(lambda: "node-1" in hubs[0].reports)
            link.refusing = True
            link.cut()
            await until(lambda: "node-1" in hubs[1].reports)
            link.refusing = False
            await until(lambda: "node-1" in hubs[0].reports and not hubs[1].reports)


async def test_an_aggregator_hands_state_down_and_reports_up(tmp_path: Path) -> None:
    hub = MemoryHub(desired_state(1, "a"))
    parent = ControlParent(hub)
    async with (
        parent.server,
        aggregating(tmp_path / "upper", parent.server.address, name="upper") as upper,
        aggregating(tmp_path / "lower", upper.server.address, name="lower") as lower,
    ):
        nodes = [Node(tmp_path, lower.server.address, name=name) for name in ("a", "b")]
        async with running(*(node.client.run() for node in nodes)):
            for node in nodes:
                await node.kept.desired.newer_than(0)
            await until(lambda: set(hub.nodes) == {"a", "b"})
            await until(lambda: all(report.generation == 1 for report in hub.nodes.values()))
            (request,) = hub.reports.values()
            assert (request.child, request.role) == ("upper", "aggregator")
            assert {report.aggregator for report in request.aggregators} == {"upper", "lower"}
        await until(lambda: not hub.nodes)


async def test_control_state_survives_with_the_parent_away(tmp_path: Path) -> None:
    hub = MemoryHub(desired_state(3, "a"))
    parent = ControlParent(hub)
    folder = tmp_path / "group"
    async with parent.server, aggregating(folder, parent.server.address) as aggregator:
        await until(lambda: aggregator.generation == 3)
    # The cloud is away now; a new run of the aggregator knows what its group shall run.
    async with aggregating(folder, "127.0.0.1:1") as aggregator:
        node = Node(tmp_path, aggregator.server.address)
        async with running(node.client.run()):
            assert await node.kept.desired.newer_than(0) == desired_state(3, "a")
    # And so does a node that comes back alone.
    assert Node(tmp_path, "127.0.0.1:1").kept.desired.state == desired_state(3, "a")


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (control_pb2.AttachRequest(protocol=7, child="n", role="node"), "protocol 7"),
        (control_pb2.AttachRequest(protocol=1, child="n", role="king"), "'king' is no role"),
        (control_pb2.AttachRequest(protocol=1, role="node"), "one child's name"),
    ],
)
async def test_a_child_that_makes_no_sense_is_told_so(
    request_: control_pb2.AttachRequest, words: str
) -> None:
    parent = ControlParent(MemoryHub())
    async with parent.server, channel_to(parent.server.address) as channel:
        call = control_pb2_grpc.ControlServiceStub(channel).Attach(iter([request_]))
        async with running(_read_out(call)):
            assert await call.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert words in (await call.details() or "")


async def test_bytes_that_are_no_report_end_only_their_stream(tmp_path: Path) -> None:
    hub = MemoryHub(desired_state(1))
    parent = ControlParent(hub)
    async with parent.server, channel_to(parent.server.address) as channel:
        node = Node(tmp_path, parent.server.address)
        async with running(node.client.run()):
            await until(lambda: node.client.attached)
            raw: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(
                "/fogline.v1.ControlService/Attach"
            )
            call = raw(iter([b"\xff\xff\xff"]))
            async with running(_read_out(call)):
                assert await call.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert node.client.attached
