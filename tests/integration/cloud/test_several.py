"""Several cloud processes on one store, over their real doors: each does its part, and all say the same."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from cloud.main import Cloud
from cloud.settings import CloudSettings, Role
from cloud.store.opening import STORE_FILE, open_store
from fogline.model.clock import SystemClock
from fogline.model.part import Contribution, Part
from fogline.uplink.dial import channel_to, serves
from fogline.v1 import api_pb2, api_pb2_grpc, control_pb2, control_pb2_grpc
from tests.contract.conftest import empty_postgres  # noqa: F401 - a fixture
from tests.contract.installation import Reading, origin, plan_of, spec, state_of
from tests.integration.cloud.child import child_of, heard, state_in
from tests.integration.cloud.test_cloud import PLAN, SOME, deploy, part, report
from tests.postgres import PostgresServer

COMMIT: tuple[Role, ...] = ("commit",)
API: tuple[Role, ...] = ("api",)
HANG_SECONDS = 60.0

OpenCloud = Callable[..., AbstractAsyncContextManager[grpc.aio.Channel]]


@pytest.fixture
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the store is that the clouds share: PostgreSQL, or with the parameter ``sqlite`` the folder."""
    if getattr(request, "param", "") == "sqlite":
        shutil.copy(request.getfixturevalue("empty_store"), tmp_path / STORE_FILE)
        return ""
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.database(request.getfixturevalue("empty_postgres"))


both_stores = pytest.mark.parametrize("store_url", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def open_cloud(tmp_path: Path, store_url: str) -> OpenCloud:
    """Opens one more cloud on the same store, and a channel to it."""

    @asynccontextmanager
    async def opened(*roles: Role, name: str = "cloud") -> AsyncIterator[grpc.aio.Channel]:
        settings = CloudSettings(
            name=name,
            roles=roles or (*COMMIT, *API),
            listen="127.0.0.1:0",
            folder=tmp_path,
            anonymous=True,
        )
        clock, stopping = SystemClock(), asyncio.Event()
        async with open_store(store_url, tmp_path, clock.now_us()) as store:
            cloud = Cloud(settings, store, clock=clock)
            async with asyncio.TaskGroup() as group:
                group.create_task(cloud.run(stopping))
                await cloud.serving.wait()
                async with channel_to(cloud.server.address) as channel:
                    channel.cloud = cloud  # type: ignore[attr-defined] # for what is not asked over it
                    yield channel
                stopping.set()

    return opened


def cloud_of(channel: Any) -> Cloud:
    cloud = channel.cloud
    assert isinstance(cloud, Cloud)
    return cloud


def address_of(channel: grpc.aio.Channel) -> str:
    return cloud_of(channel).server.address


async def status(channel: grpc.aio.Channel) -> api_pb2.GetStatusResponse:
    return await api_pb2_grpc.StatusServiceStub(channel).GetStatus(api_pb2.GetStatusRequest())


Status = api_pb2.GetStatusResponse


async def until(channel: grpc.aio.Channel, holds: Callable[[Status], bool]) -> Status:
    """Ask for the status until it holds; there is only a guard against hanging for ever."""
    async with asyncio.timeout(HANG_SECONDS):
        while not holds(answer := await status(channel)):
            pass
    return answer


def follow(channel: grpc.aio.Channel) -> Any:
    results = api_pb2_grpc.ResultServiceStub(channel)
    return results.GetResults(api_pb2.GetResultsRequest(pipeline="greenhouse", follow=True))


async def at_last(channel: grpc.aio.Channel, readings: int) -> dict[str, int]:
    """Readings by key, once they are so many: finishing goes on beside commits."""
    found: dict[str, int] = {}
    async with asyncio.timeout(HANG_SECONDS):
        async for said in follow(channel):
            found |= {r.key[0].value: r.readings for r in said.results}
            if sum(found.values()) >= readings:
                break
    return found


async def test_each_process_serves_what_its_roles_say(open_cloud: OpenCloud) -> None:
    async with open_cloud("commit") as commit, open_cloud("api") as api:
        await deploy(api)
        for channel, method in (
            (commit, api_pb2_grpc.StatusServiceStub(commit).GetStatus(api_pb2.GetStatusRequest())),
            (api, api_pb2_grpc.PipelineServiceStub(commit).Deploy(api_pb2.DeployRequest(spec=spec()))),
        ):
            assert channel is not None
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await method
            assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
        call = control_pb2_grpc.ControlServiceStub(api).Attach()
        assert await call.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_what_one_process_deploys_reaches_the_children_of_the_other(open_cloud: OpenCloud) -> None:
    async with open_cloud("commit") as commit, open_cloud("api") as api:
        call = control_pb2_grpc.ControlServiceStub(commit).Attach()
        await call.write(report(0, 0, "", generation=0))
        first = await heard(call)
        assert not state_in(first).plans
        deployed = await deploy(api)
        async with asyncio.timeout(HANG_SECONDS):
            second = await heard(call)
        assert [plan.id for plan in state_in(second).plans] == [deployed.plan]
        assert state_in(second).generation == deployed.generation
        call.cancel()


@both_stores
async def test_what_one_process_finishes_is_heard_by_the_followers_of_the_other(
    open_cloud: OpenCloud,
) -> None:
    async with open_cloud("commit") as commit, open_cloud("api") as api:
        plan = (await deploy(api)).plan
        following = follow(api)
        async with child_of(address_of(commit), plan) as child:
            for number, key in enumerate(("north", "south", "east")):
                await child.push(part([Reading(1, key, 20.0)], number))
                async with asyncio.timeout(HANG_SECONDS):
                    said = await heard(following)
                assert [r.key[0].value for r in said.results] == [key]
        following.cancel()


async def test_every_process_shows_every_child(open_cloud: OpenCloud) -> None:
    async with open_cloud("commit") as commit, open_cloud("api") as api:
        plan = (await deploy(api)).plan
        call = control_pb2_grpc.ControlServiceStub(commit).Attach()
        below = control_pb2.AggregatorReport(aggregator="a1", at_us=SystemClock().now_us())
        first = report(3, 0, plan)
        first.aggregators.append(below)
        await call.write(first)
        shown = await until(api, lambda said: len(said.nodes) + len(said.aggregators) == 2)
        assert (shown.nodes[0].report.node, shown.aggregators[0].report.aggregator) == ("n1", "a1")
        await call.write(report(7, 0, plan))
        moved = await until(api, lambda said: said.nodes[0].report.journals[0].journaled == 7)
        assert moved.nodes[0].alive
        ledger = await api_pb2_grpc.StatusServiceStub(api).GetLedger(api_pb2.GetLedgerRequest())
        assert [(s.journaled, s.pending, s.adds_up) for s in ledger.streams] == [(7, 7, True)]
        call.cancel()


@both_stores
async def test_streams_of_two_processes_about_one_node_count_once(open_cloud: OpenCloud) -> None:
    """The node has moved; what it sent to the first process still comes in there, and overlaps."""
    async with open_cloud(name="one") as one, open_cloud(name="other") as other:
        plan = (await deploy(one)).plan
        readings = [Reading(1, "north", float(n)) for n in range(40)]
        async with child_of(address_of(one), plan) as old, child_of(address_of(other), plan) as new:
            for first in range(0, 40, 4):
                answers = await asyncio.gather(
                    old.push(part(readings[first : first + 4], first)),
                    new.push(part(readings[first : first + 4], first)),
                )
                assert [kind for kind, _, _ in answers] == ["ack", "ack"]
                assert {offsets["n1"] for _, offsets, _ in answers} == {first + 4}
            kind, offsets, _ = await old.push(part(readings[30:], 30))
            assert (kind, offsets) == ("ack", {"n1": 40}), "all of it is done"
            kind, offsets, _ = await new.push(part(readings[38:] + readings[:2], 38))
            assert (kind, offsets) == ("refusal", {"n1": 40}), (
                "some of it is new: that is for the node to cut"
            )
        for channel in (one, other):
            assert await at_last(channel, 40) == {"north": 40}


async def test_merged_parts_of_two_processes_about_the_same_nodes_count_once(open_cloud: OpenCloud) -> None:
    """Two aggregators below two processes hold pieces of the same nodes: a mixture is refused as a whole."""

    def merged(ranges: dict[str, tuple[int, int]]) -> Part[Any]:
        contributions = tuple(
            Contribution(origin=origin(node), start=0, first=first, end=end)
            for node, (first, end) in ranges.items()
        )
        count = sum(end - first for first, end in ranges.values())
        return Part(contributions=contributions, state=state_of(PLAN, [Reading(1, "north", 1.0)] * count))

    async with open_cloud(name="one") as one, open_cloud(name="other") as other:
        plan = (await deploy(one)).plan
        async with (
            child_of(address_of(one), plan, name="a1") as a1,
            child_of(address_of(other), plan, name="a2") as a2,
        ):
            assert (await a1.push(merged({"n1": (0, 5), "n2": (0, 5)})))[0] == "ack"
            kind, offsets, _ = await a2.push(merged({"n2": (0, 5), "n3": (0, 5)}))
            assert (kind, offsets) == ("refusal", {"n2": 5, "n3": 0})
        async with child_of(address_of(other), plan, name="a2") as again:
            assert (await again.push(merged({"n2": (5, 9), "n3": (0, 5)})))[1] == {"n2": 9, "n3": 5}
        assert (await status(one)).readings == 19


async def test_specs_that_contradict_each_other_are_refused_by_whichever_process(
    open_cloud: OpenCloud,
) -> None:
    async with open_cloud(name="one") as one, open_cloud(name="other") as other:
        answers = await asyncio.gather(
            deploy(one, spec(name="one", topic="here/{zone}")),
            deploy(other, spec(name="other", topic="there/{zone}")),
            return_exceptions=True,
        )
        refused = [answer for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
        assert len(refused) == 1, answers
        assert refused[0].code() is grpc.StatusCode.FAILED_PRECONDITION


async def test_a_new_plan_is_taken_over_once_and_everywhere(open_cloud: OpenCloud) -> None:
    async with open_cloud(name="one") as one, open_cloud(name="other") as other, open_cloud("api") as api:
        await deploy(one)
        text = spec(more=", avg(temp) AS mean")
        newer = (await deploy(other, text)).plan
        assert newer == (await deploy(api, text)).plan
        for channel in (one, other, api):
            await until(channel, lambda said: said.pipelines[0].plan == newer)
        assert plan_of(text).pipeline == "greenhouse"


async def test_a_process_without_children_goes_on_when_the_one_with_children_stops(
    open_cloud: OpenCloud,
) -> None:
    async with open_cloud(name="other") as other:
        async with open_cloud(name="one") as one:
            plan = (await deploy(one)).plan
            async with child_of(address_of(one), plan) as child:
                await child.push(part(SOME, 0))
        async with child_of(address_of(other), plan) as child:
            assert (await child.push(part(SOME, 0)))[1] == {"n1": 2}
        assert await at_last(other, 2) == {"north": 1, "south": 1}


async def test_a_process_that_cannot_reach_its_store_sends_its_children_elsewhere(
    open_cloud: OpenCloud,
) -> None:
    async with open_cloud(name="one") as one, open_cloud(name="other") as other:
        plan = (await deploy(one)).plan
        async with child_of(address_of(one), plan) as child:
            assert (await child.push(part(SOME, 0)))[0] == "ack"
            await cloud_of(one).serves(serving=False)
            # Which of them depends on where the end of the stream is noticed.
            with pytest.raises((grpc.aio.AioRpcError, ConnectionError, asyncio.InvalidStateError)):
                await child.push(part(SOME, 2))
        assert not await serves(address_of(one), within=HANG_SECONDS)
        assert await serves(address_of(other), within=HANG_SECONDS)
        call = control_pb2_grpc.ControlServiceStub(one).Attach()
        assert await call.code() is grpc.StatusCode.UNAVAILABLE
        assert await call.details() == "this process cannot reach its store"
        await cloud_of(one).serves(serving=True)
        async with child_of(address_of(one), plan) as child:
            assert (await child.push(part(SOME, 2)))[1] == {"n1": 4}
