"""The cloud over its real doors: Push and control in, results, status, ledger and page out."""

from collections.abc import AsyncIterator

import grpc
import pytest

from fogline.client.errors import SpecRejected, translated
from fogline.engine.state import PartState
from fogline.model.clock import NEVER, SECOND, SystemClock
from fogline.model.part import Contribution, Part
from fogline.uplink.dial import channel_to
from fogline.v1 import api_pb2, api_pb2_grpc, control_pb2, control_pb2_grpc, types_pb2
from tests.contract.installation import (
    T0,
    Reading,
    origin,
    plan_of,
    spec,
    state_of,
)
from tests.integration.cloud.child import LaneFailed, Readable, child_of, heard, state_in
from tests.integration.cloud.conftest import Running

SOME = [Reading(1, "north", 20.0), Reading(2, "south", 19.0)]
PLAN = plan_of(spec())


def part(readings: list[Reading], first: int, watermark: float | None = None) -> Part[PartState]:
    contribution = Contribution(
        origin=origin(),
        start=0,
        first=first,
        end=first + len(readings),
        watermark=NEVER if watermark is None else T0 + round(watermark * SECOND),
    )
    return Part(contributions=(contribution,), state=state_of(PLAN, readings))


@pytest.fixture
async def channel(running: Running) -> AsyncIterator[grpc.aio.Channel]:
    async with channel_to(running.address) as channel:
        yield channel


async def deploy(channel: grpc.aio.Channel, text: str = "") -> api_pb2.DeployResponse:
    stub = api_pb2_grpc.PipelineServiceStub(channel)
    return await stub.Deploy(api_pb2.DeployRequest(spec=text or spec(), file="greenhouse.yaml"))


def report(journaled: int, committed: int, plan: str, *, generation: int = 1) -> control_pb2.AttachRequest:
    here = types_pb2.Origin(tenant="main", node="n1", stream="air", epoch=origin().epoch)
    node = control_pb2.NodeReport(
        node="n1",
        at_us=SystemClock().now_us(),
        generation=generation,
        journals=[control_pb2.JournalReport(origin=here, received=journaled, journaled=journaled)],
        lanes=[
            control_pb2.LaneReport(plan=plan, origin=here, committed=committed, pending=journaled - committed)
        ],
    )
    return control_pb2.AttachRequest(protocol=1, child="n1", role="node", nodes=[node])


async def test_a_part_goes_in_and_its_windows_come_out(running: Running, channel: grpc.aio.Channel) -> None:
    deployed = await deploy(channel)
    results = api_pb2_grpc.ResultServiceStub(channel)
    follow = results.GetResults(api_pb2.GetResultsRequest(pipeline="greenhouse", follow=True))
    async with child_of(running.address, deployed.plan) as child:
        kind, offsets, incarnation = await child.push(part(SOME, 0))
        assert (kind, offsets, len(incarnation)) == ("ack", {"n1": 2}, 16)
        first = await heard(follow)
        assert [r.key[0].value for r in first.results] == ["north", "south"]
        assert {r.status for r in first.results} == {api_pb2.WINDOW_STATUS_OPEN}
        values = {v.name: v for v in first.results[0].values}
        assert values["n"].int_value == 1
        assert values["total"].float_value == 20.0
        kind, offsets, _ = await child.push(part([Reading(3, "north", 22.0)], 2))
        second = await heard(follow)
        assert [r.key[0].value for r in second.results] == ["north"]
        assert second.results[0].change > first.results[1].change
        assert (await child.push(part(SOME, 9)))[:2] == ("refusal", {"n1": 3})
    follow.cancel()


async def test_a_follower_goes_on_behind_the_change_that_it_saw_last(
    running: Running, channel: grpc.aio.Channel
) -> None:
    deployed = await deploy(channel)
    results = api_pb2_grpc.ResultServiceStub(channel)
    async with child_of(running.address, deployed.plan) as child:
        await child.push(part(SOME, 0))
        first = await heard(results.GetResults(api_pb2.GetResultsRequest(pipeline="greenhouse", follow=True)))
        request = api_pb2.GetResultsRequest(
            pipeline="greenhouse", follow=True, resume_token=first.resume_token
        )
        await child.push(part([Reading(3, "south", 22.0)], 2))
        assert [r.key[0].value for r in (await heard(results.GetResults(request))).results] == ["south"]


async def read_out(follow: Readable[api_pb2.GetResultsResponse]) -> None:
    async for response in follow:
        assert response.results


async def test_a_server_that_stops_lets_its_followers_go(running: Running, channel: grpc.aio.Channel) -> None:
    deployed = await deploy(channel)
    results = api_pb2_grpc.ResultServiceStub(channel)
    follow = results.GetResults(api_pb2.GetResultsRequest(pipeline="greenhouse", follow=True))
    async with child_of(running.address, deployed.plan) as child:
        await child.push(part(SOME, 0))
        assert (await heard(follow)).results
    running.cloud.services.results.end_streams()
    with pytest.raises(grpc.aio.AioRpcError, match="the server stops") as ended:
        await read_out(follow)
    assert ended.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_only_calls_with_one_answer_have_a_deadline_of_the_server(
    running: Running, channel: grpc.aio.Channel
) -> None:
    deployed = await deploy(channel)
    running.cloud.server.edge.unary_s = 0.0
    async with child_of(running.address, deployed.plan) as child:
        assert (await child.push(part(SOME, 0)))[0] == "ack"
    results = api_pb2_grpc.ResultServiceStub(channel)
    assert (
        await heard(results.GetResults(api_pb2.GetResultsRequest(pipeline="greenhouse", follow=True)))
    ).results
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await api_pb2_grpc.StatusServiceStub(channel).GetStatus(api_pb2.GetStatusRequest())
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_child_that_goes_is_no_failure_of_the_server(
    running: Running, channel: grpc.aio.Channel
) -> None:
    deployed = await deploy(channel)
    for first in range(20):
        async with child_of(running.address, deployed.plan) as child:
            await child.push(part(SOME[:1], first))
    await running.cloud.server.stop()
    assert running.cloud.server.edge.failed == 0


async def test_a_lane_for_a_plan_that_nobody_deployed_fails_with_a_reason(
    running: Running,
) -> None:
    async with child_of(running.address, "0123456789abcdef") as child:
        with pytest.raises(LaneFailed, match="no plan 0123456789abcdef"):
            await child.push(part(SOME, 0))


async def test_what_contradicts_the_plan_fails_with_its_place(
    running: Running, channel: grpc.aio.Channel
) -> None:
    deployed = await deploy(channel, spec(width=20))
    async with child_of(running.address, deployed.plan) as child:
        with pytest.raises(LaneFailed, match="by_zone"):
            await child.push(part(SOME, 0))


async def test_a_spec_with_mistakes_says_all_of_them(channel: grpc.aio.Channel) -> None:
    with pytest.raises(SpecRejected) as caught, translated("the cloud"):
        await deploy(channel, "name: X\nstreams: {}\nnonsense: 1\n")
    assert [(f.line, f.column) for f in caught.value.faults if "nonsense" in f.message] == [(3, 1)]
    assert len(caught.value.faults) == 4


async def test_a_stream_name_with_two_meanings_is_refused(channel: grpc.aio.Channel) -> None:
    await deploy(channel)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await deploy(channel, spec(name="other", topic="else/{zone}"))
    assert "greenhouse/{zone}/air" in (caught.value.details() or "")
    assert (await deploy(channel, spec(name="other"))).changed


async def test_an_unknown_pipeline_is_not_found(channel: grpc.aio.Channel) -> None:
    results = api_pb2_grpc.ResultServiceStub(channel)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await heard(results.GetResults(api_pb2.GetResultsRequest(pipeline="nothing")))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_the_ledger_adds_up_over_reports_and_store(running: Running, channel: grpc.aio.Channel) -> None:
    deployed = await deploy(channel)
    attached = control_pb2_grpc.ControlServiceStub(channel).Attach()
    await attached.write(report(5, 0, deployed.plan))
    desired = await heard(attached)
    assert [plan.id for plan in state_in(desired).plans] == [deployed.plan]
    async with child_of(running.address, deployed.plan) as child:
        await child.push(part(SOME, 0))
    status = api_pb2_grpc.StatusServiceStub(channel)
    (line,) = (await status.GetLedger(api_pb2.GetLedgerRequest(pipeline="greenhouse"))).streams
    assert (line.journaled, line.committed, line.pending) == (5, 2, 3)
    assert line.adds_up, list(line.differences)
    assert (line.steps[0].decoded, line.steps[0].counted) == (2, 2)
    said = await status.GetStatus(api_pb2.GetStatusRequest())
    assert [(node.report.node, node.alive) for node in said.nodes] == [("n1", True)]
    assert said.readings == 2
    attached.cancel()


def reader(node: str, share: str) -> control_pb2.AttachRequest:
    broker = control_pb2.BrokerReport(
        url="mqtt://broker:1883", identity="broker:1883", share=share, dropped=7, dropped_known=True
    )
    told = control_pb2.NodeReport(node=node, at_us=SystemClock().now_us(), brokers=[broker])
    return control_pb2.AttachRequest(protocol=1, child=node, role="node", nodes=[told])


async def test_two_nodes_that_read_one_broker_unshared_are_refused_and_said(
    channel: grpc.aio.Channel,
) -> None:
    control, status = control_pb2_grpc.ControlServiceStub(channel), api_pb2_grpc.StatusServiceStub(channel)
    streams = [control.Attach() for _ in "ab"]
    for stream, name in zip(streams, "ab", strict=True):
        await stream.write(reader(name, ""))
        await heard(stream)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await deploy(channel)
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "a, b read from mqtt://broker:1883 without a group" in (caught.value.details() or "")
    nodes = (await status.GetStatus(api_pb2.GetStatusRequest())).nodes
    assert all("without a group" in node.report.faults[0] for node in nodes)
    dropped = (await status.GetLedger(api_pb2.GetLedgerRequest())).brokers
    assert [(line.node, line.dropped, line.known) for line in dropped] == [("a", 7, True), ("b", 7, True)]
    for stream in streams:
        stream.cancel()


async def test_a_node_that_knows_a_later_generation_is_outbid(channel: grpc.aio.Channel) -> None:
    """A store that was restored from a backup must still be obeyed."""
    deployed = await deploy(channel)
    attached = control_pb2_grpc.ControlServiceStub(channel).Attach()
    await attached.write(report(0, 0, deployed.plan, generation=70))
    generations = [int(state_in(await heard(attached)).generation) for _ in range(2)]
    assert generations == [1, 71]
    attached.cancel()
